/** The gateway's own refusals as a metric with the labels `provider` and `reason`. */
import type * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { memoized } from "../domain/Memoized.ts"
import type { GatewayError } from "../domain/GatewayError.ts"

/**
 * Each request that the gateway itself has refused. `provider` is an instance's name, `none` outside all prefixes; `reason` is
 * what `wordOf` says. What a provider refuses is not counted.
 */
export const refusals = Metric.counter("aibridge_refusals_total", {
  description: "Requests that the gateway itself has refused",
  incremental: true
})

/** The label of a refusal outside all prefixes. */
export const noProvider = "none"

/** A reason's label. */
export const wordOf = (reason: GatewayError["reason"]): string => {
  switch (reason._tag) {
    case "InvalidBody":
      return "invalid_body"
    case "Unauthorized":
      return "unauthorized"
    case "Forbidden":
      return "forbidden"
    case "RouteNotFound":
      return "route_not_found"
    case "MethodNotAllowed":
      return "method_not_allowed"
    case "BodyTooLarge":
      return "body_too_large"
    case "BodyIncomplete":
      return "body_incomplete"
    case "Unsupported":
      return "unsupported"
    case "CircuitOpen":
      return "circuit_open"
    case "ConcurrencyLimited":
      return "concurrency_limited"
    case "RateLimited":
      return "rate_limited"
    case "NotRecorded":
      return "not_recorded"
    case "Draining":
      return "draining"
  }
}

/** Counts one. */
export const count = ({ reason }: GatewayError, provider: string): Effect.Effect<void> =>
  Metric.update(seriesOf(provider)(wordOf(reason)), 1)

const seriesOf = memoized((provider) => memoized((reason) => Metric.withAttributes(refusals, { provider, reason })))
