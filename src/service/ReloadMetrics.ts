/** How reloads of the configuration went, as metrics. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

/** Reloads, with the label `result`: `applied` or `refused`. */
export const reloads = Metric.counter("aibridge_config_reloads_total", {
  description: "Reloads of the configuration, applied or refused",
  incremental: true
})

/** Whether the last reload was applied, or the configuration is that of the start (1), or was refused (0). */
export const lastSuccessful = Metric.gauge("aibridge_config_last_reload_successful", {
  description: "Whether the last reload of the configuration was applied (1) or refused (0)"
})

/** When the configuration that holds was read. Seconds since the epoch. */
export const loadedAt = Metric.gauge("aibridge_config_last_reload_success_timestamp_seconds", {
  description: "When the configuration that holds was read, in seconds since the epoch"
})

/** The configuration that holds was read now. @param now epoch milliseconds */
export const loaded = (now: number): Effect.Effect<void> =>
  Effect.andThen(Metric.update(lastSuccessful, 1), Metric.update(loadedAt, now / 1000))

/** A reload was applied. @param now epoch milliseconds */
export const applied = (now: number): Effect.Effect<void> =>
  Effect.andThen(Metric.update(Metric.withAttributes(reloads, { result: "applied" }), 1), loaded(now))

/** A reload was refused. */
export const refused: Effect.Effect<void> = Effect.andThen(
  Metric.update(Metric.withAttributes(reloads, { result: "refused" }), 1),
  Metric.update(lastSuccessful, 0)
)
