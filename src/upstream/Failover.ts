/** The only retry loop: one upstream call, tried with one key after the other until an answer is not about its key. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import * as Failure from "../domain/UpstreamError.ts"
import type { Key } from "../keys/Key.ts"
import type { KeyPool } from "../keys/KeyPool.ts"
import type { KeyPoolError } from "../keys/KeyPoolError.ts"
import type { Walker } from "../keys/Walker.ts"
import * as KeyMetrics from "./KeyMetrics.ts"
import * as MarkKeyOnStatus from "./MarkKeyOnStatus.ts"
import type { UpstreamResponse } from "./Upstream.ts"

/** What is known of a walk while it goes on; also after it failed or was interrupted. */
export interface Progress {
  /** The masked form of the key of the last attempt. */
  credentialHint: string | undefined
  attempts: number
  /** Set by whoever no longer wants an answer: no further key is tried. Default false. */
  readonly isAbandoned?: boolean
}

/**
 * Walks the pool with a fresh walker. Moves on only for a key verdict (429, and 401 and 403 as the pool's policy says),
 * never for another status, a network error or once an answer was returned: that is the commit point. There is no delay
 * between attempts. The answer lives as long as the surrounding scope; closing it aborts whatever attempt is under way.
 *
 * Fails with `KeyPoolError` when no key is left, with the attempt's own error at once.
 */
export const walk = (
  pool: KeyPool,
  attempt: (key: Key) => Effect.Effect<UpstreamResponse, UpstreamError, Scope.Scope>,
  progress: Progress = { credentialHint: undefined, attempts: 0 }
): Effect.Effect<UpstreamResponse, UpstreamError | KeyPoolError, Scope.Scope> =>
  next(pool, pool.walker(), attempt, progress, progress.attempts)

const next = (
  pool: KeyPool,
  walker: Walker,
  attempt: (key: Key) => Effect.Effect<UpstreamResponse, UpstreamError, Scope.Scope>,
  progress: Progress,
  earlier: number
): Effect.Effect<UpstreamResponse, UpstreamError | KeyPoolError, Scope.Scope> =>
  Effect.flatMap(Effect.tapError(walker.next, KeyMetrics.exhausted), (key) => {
    progress.credentialHint = key.hint
    progress.attempts = earlier + walker.attempts()
    const judged = Effect.flatMap(attempt(key), (response) =>
      response.status > 599
        ? Effect.fail(Failure.unreachable("INVALID_STATUS"))
        : Effect.map(MarkKeyOnStatus.mark(pool, key, response), (tryNext) => ({ response, tryNext }))
    )
    return Effect.flatMap(key.isProbe ? releasedOnFailure(pool, key, judged) : judged, ({ response, tryNext }) =>
      tryNext
        ? Effect.andThen(
            discard(response),
            Effect.suspend(() =>
              progress.isAbandoned === true ? Effect.interrupt : next(pool, walker, attempt, progress, earlier)
            )
          )
        : Effect.succeed(response)
    )
  })

// A probe that is not judged, because it failed or its client left, must not stay under way for ever.
const releasedOnFailure = <A, E, R>(pool: KeyPool, key: Key, judged: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.onExit(judged, (exit) => (Exit.isFailure(exit) ? pool.releaseProbe(key) : Effect.void))

/** A refused attempt's body is read to its end, so that the connection can be used again, but not further than this. */
const discardBytes = 64 * 1024
const discardTime = "1 second"

// Beside the next attempt, not before it.
const discard = (response: UpstreamResponse): Effect.Effect<void, never, Scope.Scope> => {
  let bytes = 0
  return response.body.pipe(
    Stream.takeWhile((chunk) => (bytes += chunk.length) <= discardBytes),
    Stream.runDrain,
    Effect.timeoutOption(discardTime),
    Effect.ignore,
    Effect.forkScoped,
    // A client that has left by now is noticed before another key is tried.
    Effect.andThen(Effect.yieldNow)
  )
}
