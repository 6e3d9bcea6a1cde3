/** What becomes of keys and pools, as metrics. No key is told apart. */
import type * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { KeyPoolError } from "../keys/KeyPoolError.ts"

/** Each key that an answer has set to rest or aside, with the labels `provider` and `reason`: `rate_limited`, `unauthorized`, `forbidden`. */
export const transitions = Metric.counter("aibridge_key_pool_state_transitions_total", {
  description: "Keys that an answer has set to rest or aside",
  incremental: true
})

/** Each walk that found no key, with the labels `provider` and `outcome`: `rate_limited`, `auth_failed`. */
export const exhaustions = Metric.counter("aibridge_key_pool_exhaustions_total", {
  description: "Upstream calls for which no key was left",
  incremental: true
})

/** Counts a key that this status has set to rest or aside. */
export const marked = (provider: string, status: number): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(transitions, { provider, reason: reasonOf(status) }), 1)

/** Counts a walk that found no key. */
export const exhausted = ({ provider, reason }: KeyPoolError): Effect.Effect<void> => {
  const outcome = reason._tag === "TransientExhaustion" ? "rate_limited" : "auth_failed"
  return Metric.update(Metric.withAttributes(exhaustions, { provider, outcome }), 1)
}

const reasonOf = (status: number): string => {
  switch (status) {
    case 401:
      return "unauthorized"
    case 403:
      return "forbidden"
    default:
      return "rate_limited"
  }
}
