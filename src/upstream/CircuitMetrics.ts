/** What circuits do, as metrics with the labels `provider`, `endpoint` and `model`. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

/** A circuit's state, closed 0, half-open 0.5, open 1; written when it changes. */
export const state = Metric.gauge("circuit_breaker_state", {
  description: "State of a circuit: closed 0, half-open 0.5, open 1"
})

/** Each change to open. */
export const trips = Metric.counter("circuit_breaker_trips_total", {
  description: "How often a circuit has opened",
  incremental: true
})

/** Each request that was refused because of an open or half-open circuit. */
export const rejects = Metric.counter("circuit_breaker_rejects_total", {
  description: "Requests that an open circuit has refused",
  incremental: true
})

/** What tells circuits apart, the model among a bounded number. */
export interface Labels {
  readonly provider: string
  readonly endpoint: string
  readonly model: string
}

export type State = "closed" | "half-open" | "open"

/** The gauge's value for a state. */
export const gaugeOf = (circuitState: State): number => {
  switch (circuitState) {
    case "closed":
      return 0
    case "half-open":
      return 0.5
    case "open":
      return 1
  }
}

/** Counts a change of state. */
export const changed = (labels: Labels, to: State): Effect.Effect<void> => {
  const attributes = { ...labels }
  const written = Metric.update(Metric.withAttributes(state, attributes), gaugeOf(to))
  return to === "open" ? Effect.andThen(written, Metric.update(Metric.withAttributes(trips, attributes), 1)) : written
}

/** Counts a refused request. */
export const rejected = (labels: Labels): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(rejects, { ...labels }), 1)
