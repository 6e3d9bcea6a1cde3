/**
 * Runs the tools of the gateway's own that a model calls, and asks the upstream on with what they bring, until an answer is the
 * client's. It makes one answer of them: whoever relays that knows nothing of a loop.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Dialect } from "../dialects/Dialect.ts"
import type { CallResult, InjectedCall, ToolTurns } from "../dialects/ToolTurns.ts"
import * as Bytes from "../domain/Bytes.ts"
import { isEventStream } from "../domain/HeaderRecord.ts"
import * as Json from "../domain/Json.ts"
import { dataOf, EventSplitter } from "../domain/SseEvent.ts"
import type { ToolResult } from "../domain/ToolResult.ts"
import * as Tool from "../domain/ToolResult.ts"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import type { EarlyEnd } from "../upstream/EarlyEnd.ts"
import * as NudgeableBody from "../upstream/NudgeableBody.ts"
import * as Translated from "../upstream/Translated.ts"
import type { UpstreamResponse } from "../upstream/Upstream.ts"

/** One request of a client, with tools in it. */
export interface Loop<E extends Failure> {
  readonly dialect: Dialect
  readonly turns: ToolTurns
  /** One upstream call, which tries keys on its own. Its answer lives as long as the scope. */
  readonly call: (body: Uint8Array) => Effect.Effect<UpstreamResponse, E | UpstreamError, Scope.Scope>
  /** Runs one tool. Whatever goes wrong there is a result, but for what ends the whole request. */
  readonly run: (call: InjectedCall) => Effect.Effect<ToolResult, UpstreamError>
  /** How often tools are run; if the model then wants more, it is told to do without. */
  readonly maximumIterations: number
  /** Whether nobody waits for the answer any more: then no tool is run. */
  readonly isAbandoned: () => boolean
  /** Called if a later upstream call has failed after the client's answer had begun. Answers the JSON text of the error. */
  readonly failed: (error: E) => string
}

/**
 * The answer for the client. As long as none of its bytes is there it fails as `call` and `run` do, and an upstream's error is the
 * answer itself; from its first byte on the same are an error event, so that it can never be both.
 */
export const answer = <E extends Failure>(
  loop: Loop<E>,
  body: Uint8Array
): Effect.Effect<UpstreamResponse, E | UpstreamError, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (outer) =>
    Effect.flatMap(Scope.fork(outer), (scope) => {
      const state: State = { scope, current: undefined, iterations: 0 }
      return Effect.flatMap(called(loop, state, body), (response) => first(loop, state, response))
    })
  )

/** What a later call may fail with, beside an `UpstreamError`: no key is left, or the gateway refuses. */
export interface Failure {
  readonly _tag: "KeyPoolError" | "GatewayError"
}

interface State {
  /** Of the whole loop. */
  readonly scope: Scope.Closeable
  /** Of the upstream call under way. */
  current: Scope.Closeable | undefined
  iterations: number
}

const called = <E extends Failure>(
  loop: Loop<E>,
  state: State,
  body: Uint8Array
): Effect.Effect<UpstreamResponse, E | UpstreamError> =>
  Effect.flatMap(Scope.fork(state.scope), (scope) => {
    const { current } = state
    state.current = scope
    const closed = current === undefined ? Effect.void : Scope.close(current, Exit.void)
    return Effect.andThen(closed, Scope.provide(loop.call(body), scope))
  })

/** The answer, or the next one if this one is not yet the client's. */
const first = <E extends Failure>(
  loop: Loop<E>,
  state: State,
  response: UpstreamResponse
): Effect.Effect<UpstreamResponse, E | UpstreamError> => {
  if (response.status >= 300) return Effect.succeed(response)
  if (isEventStream(response.status, response.headers)) return firstEvents(loop, state, response)
  return Effect.flatMap(wholeOf(response), (bytes) => {
    loop.turns.whole(bytes)
    const calls = callsOf(loop)
    if (calls.length === 0) return Effect.succeed(merged(response, loop.turns.merged()))
    return Effect.flatMap(nextOf(loop, state, calls), (next) => first(loop, state, next))
  })
}

const wholeOf = ({ whole, body }: UpstreamResponse): Effect.Effect<Uint8Array, UpstreamError> =>
  whole === undefined ? Effect.map(Stream.runCollect(body), Bytes.join) : Effect.succeed(whole)

const merged = ({ status, headers }: UpstreamResponse, bytes: Uint8Array): UpstreamResponse => ({
  status,
  headers,
  body: Stream.make(bytes),
  nudge: () => {},
  whole: bytes
})

const callsOf = <E extends Failure>({ turns, isAbandoned }: Loop<E>): ReadonlyArray<InjectedCall> =>
  isAbandoned() ? [] : turns.calls()

/** Runs the calls, one after the other as the model has put them, and asks with their results. */
const nextOf = <E extends Failure>(
  loop: Loop<E>,
  state: State,
  calls: ReadonlyArray<InjectedCall>
): Effect.Effect<UpstreamResponse, E | UpstreamError> =>
  Effect.suspend((): Effect.Effect<UpstreamResponse, E | UpstreamError> => {
    const { turns, maximumIterations } = loop
    const ask = (results: ReadonlyArray<CallResult>) => called(loop, state, turns.next(results))
    if (state.iterations >= maximumIterations) {
      turns.finish()
      return ask(calls.map((call) => ({ call, result: Tool.failed(tooOften(maximumIterations)) })))
    }
    state.iterations++
    const results = Effect.forEach(calls, (call) => Effect.map(loop.run(call), (result) => ({ call, result })))
    return Effect.flatMap(results, ask)
  })

const tooOften = (maximum: number): string =>
  `Error: tools were called ${maximum} times for this request, which is the limit. Answer with what you have.`

/** What has come of reading on. */
type Step =
  /** Something for the client, at least one byte. */
  | { readonly _tag: "Shown"; readonly chunks: Arr.NonEmptyReadonlyArray<Uint8Array> }
  /** An answer of another kind: a later call's, which is refused, or no stream. */
  | { readonly _tag: "Other"; readonly response: UpstreamResponse }
  | { readonly _tag: "Over" }

type Reading<E> = Effect.Effect<Step, E | UpstreamError>

const firstEvents = <E extends Failure>(
  loop: Loop<E>,
  state: State,
  response: UpstreamResponse
): Effect.Effect<UpstreamResponse, E | UpstreamError> =>
  Effect.flatMap(reader(loop, state, response), (read) =>
    Effect.flatMap(read, (step) => {
      switch (step._tag) {
        case "Other":
          return first(loop, state, step.response)
        case "Over":
          return Effect.succeed(merged(response, noBytes))
        case "Shown": {
          const { status, headers } = response
          const events = Stream.concat(Stream.fromArray(step.chunks), Stream.fromPull(Effect.succeed(rest(loop, read))))
          return Effect.map(NudgeableBody.make(events, state.scope, neverEnded), ({ body, nudge }) => ({
            status,
            headers,
            body,
            nudge,
            whole: undefined
          }))
        }
      }
    })
  )

const noBytes = new Uint8Array(0)

// The upstream calls and the tools are ended themselves.
const neverEnded: EarlyEnd = { error: () => undefined, wait: Effect.never }

/** What follows the first bytes, which have committed the answer. */
const rest = <E extends Failure>(
  loop: Loop<E>,
  read: Reading<E>
): Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, UpstreamError> => {
  let isOver = false
  const last = (event: Uint8Array) => {
    isOver = true
    return Arr.of(event)
  }
  const { dialect } = loop
  const failed = (error: E | UpstreamError): Effect.Effect<Step, UpstreamError> =>
    error._tag === "UpstreamError"
      ? Effect.fail(error)
      : Effect.sync(() => ({ _tag: "Shown", chunks: last(dialect.streamErrorOf(loop.failed(error))) }))
  const next = Effect.suspend((): Effect.Effect<Step, UpstreamError | Cause.Done> =>
    isOver ? Cause.done() : Effect.catch(read, failed)
  )
  return Effect.flatMap(next, (step) => {
    switch (step._tag) {
      case "Shown":
        return Effect.succeed(step.chunks)
      case "Over":
        return Cause.done()
      case "Other":
        return Effect.map(errorOf(dialect, step.response), (text) => last(dialect.streamErrorOf(text)))
    }
  })
}

/** Reads a stream and those that follow it, as far as there is something for the client. */
const reader = <E extends Failure>(loop: Loop<E>, state: State, begun: UpstreamResponse): Effect.Effect<Reading<E>> => {
  const { turns } = loop
  const open = ({ body }: UpstreamResponse) =>
    Effect.map(Scope.provide(Stream.toPull(body), state.current ?? state.scope), (pull) => ({
      pull,
      splitter: new EventSplitter()
    }))
  return Effect.map(open(begun), (opened) => {
    let stream = opened
    const goOn = (calls: ReadonlyArray<InjectedCall>): Reading<E> =>
      Effect.flatMap(nextOf(loop, state, calls), (response): Reading<E> => {
        if (!isEventStream(response.status, response.headers)) return Effect.succeed({ _tag: "Other", response })
        return Effect.flatMap(open(response), (next) => {
          stream = next
          return read
        })
      })
    const ended = (): Reading<E> => {
      const calls = callsOf(loop)
      if (calls.length > 0) return goOn(calls)
      const left = shown([...turns.rest(), stream.splitter.end()])
      return Effect.succeed(left ?? { _tag: "Over" })
    }
    // What was held back is the client's before the failure is.
    let failure: UpstreamError | undefined
    const failed = (error: UpstreamError): Reading<E> => {
      failure = error
      const step = shown(turns.rest())
      return step === undefined ? Effect.fail(error) : Effect.succeed(step)
    }
    const read: Reading<E> = Effect.suspend(() => {
      if (failure !== undefined) return Effect.fail(failure)
      return Effect.matchCauseEffect(stream.pull, {
        onSuccess: (chunks): Reading<E> => {
          const pieces: Array<Uint8Array> = []
          for (const chunk of chunks)
            for (const event of stream.splitter.push(chunk)) pieces.push(...turns.event(event, dataOf(event)))
          const step = shown(pieces)
          if (step !== undefined) return Effect.succeed(step)
          // With its last event an answer is over, however long the upstream stays.
          return turns.isOver() ? ended() : read
        },
        onFailure: (cause): Reading<E> => {
          for (const reason of cause.reasons) {
            if (reason._tag !== "Fail") continue
            if (Cause.isDone(reason.error)) return ended()
            return failed(reason.error)
          }
          return Effect.failCause(cause as Cause.Cause<never>)
        }
      })
    })
    return read
  })
}

/** What a refused call says, in the dialect's shape: its own words, if it has any. */
const errorOf = (dialect: Dialect, response: UpstreamResponse): Effect.Effect<string> =>
  Effect.map(Translated.readSome(response), (bytes) => {
    const text = new TextDecoder().decode(bytes)
    const { status } = response
    const isError = Json.member(Json.member(Json.parse(text), "error"), "message") !== undefined
    return isError ? text : dialect.renderError(status, `upstream answered with status ${status}`)
  })

const shown = (chunks: ReadonlyArray<Uint8Array>): Step | undefined => {
  const some = chunks.filter((chunk) => chunk.length > 0)
  return Arr.isReadonlyArrayNonEmpty(some) ? { _tag: "Shown", chunks: some } : undefined
}
