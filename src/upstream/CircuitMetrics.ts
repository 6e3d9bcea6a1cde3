/** What circuits do, as metrics with the labels `provider`, `endpoint` and `model`. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as BoundedLabel from "../domain/BoundedLabel.ts"

/** A circuit's state, closed 0, half-open 0.5, open 1; written when it changes. There is none for the model `other`. */
export const state = Metric.gauge("aibridge_circuit_breaker_state", {
  description: "State of a circuit: closed 0, half-open 0.5, open 1"
})

/** Each change to open. */
export const trips = Metric.counter("aibridge_circuit_breaker_trips_total", {
  description: "How often a circuit has opened",
  incremental: true
})

/** Each request that was refused because of an open or half-open circuit. */
export const rejects = Metric.counter("aibridge_circuit_breaker_rejects_total", {
  description: "Requests that an open circuit has refused",
  incremental: true
})

/** What tells circuits apart. */
export interface Labels {
  readonly provider: string
  readonly endpoint: string
  /** Once so many models had a circuit that opened, further ones are `other`: clients choose them, and series stay for ever. */
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

export interface CircuitMetrics {
  /** Counts a change of state. */
  readonly changed: (labels: Labels, to: State) => Effect.Effect<void>
  /** Counts a refused request. */
  readonly rejected: (labels: Labels) => Effect.Effect<void>
}

/** @param maximumModels how many models are told apart */
export const make = (maximumModels: number): CircuitMetrics => {
  const bounded = BoundedLabel.make(maximumModels)
  const attributesOf = (labels: Labels) => ({ ...labels, model: bounded(labels.model) })
  return {
    changed: (labels, to) => {
      const attributes = attributesOf(labels)
      const written =
        attributes.model === BoundedLabel.other
          ? Effect.void
          : Metric.update(Metric.withAttributes(state, attributes), gaugeOf(to))
      return to === "open"
        ? Effect.andThen(written, Metric.update(Metric.withAttributes(trips, attributes), 1))
        : written
    },
    rejected: (labels) => Metric.update(Metric.withAttributes(rejects, attributesOf(labels)), 1)
  }
}
