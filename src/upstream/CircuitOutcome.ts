/** What an upstream's answers say to its circuit breaker: 503 and 529 belong there, 429, 401 and 403 to the key. */
import * as Effect from "effect/Effect"
import { isEventStream } from "../domain/HeaderRecord.ts"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import type { KeyPoolError } from "../keys/KeyPoolError.ts"
import type { ResolvedOptions } from "../providers/CircuitBreakerOptions.ts"
import type { Outcome, Permit } from "./CircuitBreakers.ts"
import type { UpstreamResponse } from "./Upstream.ts"

/** What an upstream's status says to a circuit. */
export const ofStatus = (status: number, { statuses }: Pick<ResolvedOptions, "statuses">): Outcome => {
  if (statuses.has(status)) return "failure"
  // A key that is refused or limited says nothing about the upstream, and does not end a row of failures either.
  return status === 401 || status === 403 || status === 429 ? "ignored" : "success"
}

/**
 * Tells how a walk went. An answer's status is told at once. A stream's end counts as well if the options say so: `ofEnd` is told
 * when it comes.
 */
export const judged = <R>(
  walk: Effect.Effect<UpstreamResponse, UpstreamError | KeyPoolError, R>,
  permit: Permit,
  options: ResolvedOptions | undefined,
  isStream: boolean
): Effect.Effect<UpstreamResponse, UpstreamError | KeyPoolError, R> => {
  if (options === undefined) return walk
  const countsEnds = options.countStreamErrors && isStream
  const settled = (outcome: Outcome) => {
    permit.tell(outcome)
    return permit.settle
  }
  return walk.pipe(
    Effect.tap(({ status, headers }) => {
      if (!countsEnds || !isEventStream(status, headers)) {
        return settled(ofStatus(status, options))
      }
      permit.goesWell()
      return Effect.void
    }),
    // A good head, and then nothing.
    Effect.tapError((error) => (countsEnds && isCut(error) ? settled("failure") : Effect.void))
  )
}

/**
 * That of the last upstream call of a request. In a place of its own, because it lives as long as the answer: a closure over what
 * made the calls would keep the request's body with it.
 */
export class LastPermit {
  permit: Permit | undefined

  tell(outcome: Outcome): void {
    this.permit?.tell(outcome)
  }
}

/** What the end of a stream of events says. */
export const ofEnd = (failure: UpstreamError | undefined, isError: boolean): Outcome => {
  if (isOurs(failure)) return "ignored"
  return failure !== undefined || isError ? "failure" : "success"
}

// The gateway has ended it, whatever the upstream would have done.
const isOurs = (failure: UpstreamError | undefined): boolean =>
  failure?.reason._tag === "Stopped" || (failure?.reason._tag === "TimedOut" && failure.reason.limit === "total")

const isCut = (error: UpstreamError | KeyPoolError): boolean =>
  error._tag === "UpstreamError" && error.reason._tag === "Cut"
