/** Where metrics go whose names are not ours. */
import * as Context from "effect/Context"
import type * as Metric from "effect/Metric"

/** As `Metric.MetricRegistry` is. */
export type Registry = typeof Metric.MetricRegistry.Service

/**
 * Metrics with the names of OpenTelemetry's GenAI conventions are counted here; `undefined`, the default: not at all. A registry
 * apart from Effect's own, as Prometheus is to see the gateway's own names only.
 */
export const GenAiRegistry = Context.Reference<Registry | undefined>("effect-aibridge/record/GenAiRegistry", {
  defaultValue: () => undefined
})
