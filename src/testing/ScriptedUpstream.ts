/** An `Upstream` that answers from a script, for tests on a virtual clock: no ports, no processes, no real time. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import * as EarlyEnd from "../upstream/EarlyEnd.ts"
import * as NudgeableBody from "../upstream/NudgeableBody.ts"
import type { UpstreamRequest, UpstreamResponse } from "../upstream/Upstream.ts"
import { Upstream } from "../upstream/Upstream.ts"

/** What one upstream call does: answers, fails, or never ends. */
export type Answer = Effect.Effect<ScriptedResponse, UpstreamError>

/** A head and a body, without what only the gateway needs. */
export type ScriptedResponse = Omit<UpstreamResponse, "nudge">

/** What an upstream call was. */
export interface SeenRequest extends UpstreamRequest {
  /** The body as text; empty if there was none. */
  readonly text: string
  /** Whether its scope was closed before its answer's body was read to the end. */
  readonly aborted: boolean
}

/** What a scripted upstream has seen. */
export class ScriptedUpstream extends Context.Service<
  ScriptedUpstream,
  {
    /** The calls so far, in order. */
    readonly requests: Effect.Effect<ReadonlyArray<SeenRequest>>
  }
>()("effect-aibridge/testing/ScriptedUpstream") {}

/**
 * Answers the n-th call with the n-th answer, or each call with what the function makes of it. A call beyond the script's end
 * is a defect.
 */
export const layer = (
  script: ReadonlyArray<Answer> | ((request: SeenRequest, index: number) => Answer)
): Layer.Layer<Upstream | ScriptedUpstream> =>
  Layer.effectContext(
    Effect.sync(() => {
      const seen: Array<{ request: Omit<SeenRequest, "aborted">; state: "open" | "finished" | "aborted" }> = []
      const requests = (): ReadonlyArray<SeenRequest> =>
        seen.map(({ request, state }) => ({ ...request, aborted: state === "aborted" }))
      const send = (outgoing: UpstreamRequest): Effect.Effect<UpstreamResponse, UpstreamError, Scope.Scope> =>
        Effect.gen(function* () {
          const index = seen.length
          const request = { ...outgoing, text: decoder.decode(outgoing.body) }
          const entry: (typeof seen)[number] = { request, state: "open" }
          seen.push(entry)
          const finished = Effect.sync(() => {
            entry.state = "finished"
          })
          const left = Effect.sync(() => {
            if (entry.state === "open") entry.state = "aborted"
          })
          yield* Effect.addFinalizer(() => left)
          const scope = yield* Scope.fork(yield* Effect.scope)
          const end = yield* EarlyEnd.register(outgoing, scope)
          const answer = typeof script === "function" ? script({ ...request, aborted: false }, index) : script[index]
          if (answer === undefined)
            return yield* Effect.die(new Error(`upstream call ${index + 1} is not in the script`))
          const response = yield* Effect.raceFirst(
            end.wait,
            Effect.tapError(answer, () => finished)
          )
          if (response.whole !== undefined) yield* finished
          const tracked = Stream.concat(response.body, Stream.fromEffectDrain(finished)).pipe(
            Stream.tapError(() => finished),
            Stream.ensuring(left)
          )
          const { body, nudge } = yield* NudgeableBody.make(tracked, scope, end)
          return { ...response, body, nudge }
        })
      return Context.make(Upstream, { send }).pipe(Context.add(ScriptedUpstream, { requests: Effect.sync(requests) }))
    })
  )

/** A body that is there at once. */
export const text = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer =>
  Effect.sync(() => {
    const bytes = encoder.encode(body)
    return { status, headers, whole: bytes, body: Stream.make(bytes) }
  })

/** A JSON answer that is there at once. */
export const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer =>
  text(status, JSON.stringify(body), { "content-type": "application/json", ...headers })

/** One step of a streamed body: bytes, a pause, an end with an error, or silence without end. */
export type Step = string | Uint8Array | Duration.Duration | UpstreamError | "hang"

/** A 200 with a stream of server-sent events; the steps are sent as they stand. */
export const events = (steps: ReadonlyArray<Step>, headers: Readonly<Record<string, string>> = {}): Answer =>
  streamed(200, steps, { "content-type": "text/event-stream", ...headers })

/** An answer whose body comes step by step. */
export const streamed = (
  status: number,
  steps: ReadonlyArray<Step>,
  headers: Readonly<Record<string, string>> = {}
): Answer =>
  Effect.succeed({
    status,
    headers,
    whole: undefined,
    body: Stream.fromIterable(steps).pipe(Stream.flatMap(perform))
  })

/** No answer. */
export const failure = (error: UpstreamError): Answer => Effect.fail(error)

/** An answer that never comes. */
export const silence: Answer = Effect.never

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const perform = (step: Step): Stream.Stream<Uint8Array, UpstreamError> => {
  if (step === "hang") return Stream.never
  if (typeof step === "string") return Stream.make(encoder.encode(step))
  if (step instanceof Uint8Array) return Stream.make(step)
  return Duration.isDuration(step) ? Stream.fromEffectDrain(Effect.sleep(step)) : Stream.fail(step)
}
