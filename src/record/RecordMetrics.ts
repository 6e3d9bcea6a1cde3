/** What becomes of records, as metrics. */
import type * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

export const dropped = Metric.counter("aibridge_records_dropped_total", {
  description: "Events of interceptions that were not recorded: the queue was full, or the gateway has ended",
  incremental: true
})

export const queued = Metric.gauge("aibridge_records_queued", {
  description: "Events of interceptions that wait to be written"
})

export const failures = Metric.counter("aibridge_record_write_failures_total", {
  description: "Batches of events that could not be written and are tried again",
  incremental: true
})

export const countDropped = (count: number): Effect.Effect<void> => Metric.update(dropped, count)

export const setQueued = (count: number): Effect.Effect<void> => Metric.update(queued, count)

export const countFailure: Effect.Effect<void> = Metric.update(failures, 1)
