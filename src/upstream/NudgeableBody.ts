/** Makes any stream fit for an `UpstreamResponse`: its pulls can be nudged, and interrupting one loses no bytes. */
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import type { EarlyEnd } from "./EarlyEnd.ts"
import type { UpstreamResponse } from "./Upstream.ts"
import { bodyOf } from "./Upstream.ts"

type Chunks = Arr.NonEmptyReadonlyArray<Uint8Array>

export interface NudgeableBody extends Pick<UpstreamResponse, "body" | "nudge"> {
  /** Begins to read and waits for the first chunk, without taking it. Fails if the stream does. */
  readonly first: Effect.Effect<void, UpstreamError>
}

/** Every read runs in a fiber of its own in the given scope; ending the reading of the body early closes it, and so does `end`. */
export const make = Effect.fnUntraced(function* (
  source: Stream.Stream<Uint8Array, UpstreamError>,
  scope: Scope.Closeable,
  end: EarlyEnd
) {
  const read = yield* Scope.provide(Stream.toPull(source), scope)
  let reading: Fiber.Fiber<Chunks, UpstreamError | Cause.Done> | undefined
  let wasPulled = false
  let answer: ((result: Pull.Pull<Chunks, UpstreamError>) => void) | undefined

  const respond = (result: Pull.Pull<Chunks, UpstreamError>): void => {
    const waiting = answer
    answer = undefined
    waiting?.(result)
  }
  const begin = Effect.suspend(() =>
    reading !== undefined
      ? Effect.succeed(reading)
      : Effect.map(Effect.forkIn(read, scope, { startImmediately: true }), (fiber) => (reading = fiber))
  )
  // Who waits is there before the read is asked to tell: a fiber may have to yield anywhere, and the read be over meanwhile.
  const wait = (fiber: NonNullable<typeof reading>) =>
    Effect.callback<Chunks, UpstreamError | Cause.Done>((resume) => {
      answer = resume
      fiber.addObserver(() => respond(pull))
      return Effect.sync(() => {
        answer = undefined
      })
    })
  // What was read before is passed on first.
  const lastPull = (error: UpstreamError): Pull.Pull<Chunks, UpstreamError> => {
    const exit = reading?.pollUnsafe()
    reading = undefined
    return exit === undefined || isInterrupted(exit) ? Effect.fail(error) : exit
  }
  const pull: Pull.Pull<Chunks, UpstreamError> = Effect.suspend(() => {
    const error = end.error()
    return error === undefined ? nextPull : lastPull(error)
  })
  const nextPull: typeof pull = Effect.flatMap(begin, (fiber) => {
    const exit = fiber.pollUnsafe()
    const isFirst = !wasPulled
    wasPulled = true
    if (exit !== undefined) {
      reading = undefined
      return exit
    }
    if (isFirst) return Effect.succeed(noBytes)
    return wait(fiber)
  })
  const first = Effect.flatMap(begin, (fiber) =>
    Effect.callback<void, UpstreamError>((resume) => {
      fiber.addObserver((exit) => {
        const error = isInterrupted(exit) ? end.error() : undefined
        if (error !== undefined) resume(Effect.fail(error))
        else resume(Exit.isFailure(exit) ? failure(exit.cause) : Effect.void)
      })
    })
  )
  // The pull that waits is told by the read that this interrupts.
  const watch = Effect.catch(end.wait, () => Scope.close(scope, Exit.void))
  yield* Effect.forkIn(watch, scope, { startImmediately: true })
  const body: NudgeableBody = {
    body: bodyOf(pull, Scope.close(scope, Exit.void)),
    nudge: () => respond(Effect.succeed(noBytes)),
    first
  }
  return body
})

const noBytes: Chunks = [new Uint8Array(0)]

const isInterrupted = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause)

// The end of the stream is no failure.
const failure = (cause: Cause.Cause<UpstreamError | Cause.Done>): Effect.Effect<void, UpstreamError> => {
  for (const reason of cause.reasons) {
    if (reason._tag === "Fail" && reason.error._tag === "UpstreamError") return Effect.fail(reason.error)
  }
  return Effect.void
}
