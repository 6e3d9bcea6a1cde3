/** What ends a request before its answer does: the gateway stops, or all of it took too long. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Failure from "../domain/UpstreamError.ts"
import type { Provider } from "../providers/Provider.ts"
import * as Deadlines from "./Deadlines.ts"
import type { UpstreamRequest } from "./Upstream.ts"

/** For all attempts of one request. */
export type RequestLimits = Pick<UpstreamRequest, "timeouts" | "whenStopped">

export interface Options {
  /** Calls `stop` when the gateway's time to stop is up, unless what it answers was called before. */
  readonly onTimeUp: (stop: () => void) => () => void
  /** For providers without one of their own. */
  readonly totalTimeout: Duration.Duration
}

/** Those of a request to a provider, from the moment at which it is asked. Watched as long as the scope here is open. */
export const make = ({
  onTimeUp,
  totalTimeout
}: Options): Effect.Effect<
  (provider: Provider) => Effect.Effect<RequestLimits, never, Scope.Scope>,
  never,
  Scope.Scope
> =>
  Effect.map(
    Deadlines.ofProviders(totalTimeout),
    (beginOf) => (provider) =>
      Effect.map(beginOf(provider), (deadline) => ({
        timeouts: provider.timeouts,
        whenStopped: (stop) => {
          const leaveDrain = onTimeUp(() => stop(Failure.stopped()))
          const leaveDeadline = deadline.onOver(() => stop(Failure.timedOut("total")))
          return () => {
            leaveDrain()
            leaveDeadline()
          }
        }
      }))
  )
