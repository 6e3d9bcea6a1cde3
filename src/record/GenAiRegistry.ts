/** Where metrics with the names of OpenTelemetry's conventions for generative AI are counted. */
import * as Context from "effect/Context"
import type * as Metric from "effect/Metric"

/**
 * Apart from all other metrics, which count the same things by names of their own. `undefined`: they are not counted. Read where
 * the gateway is built.
 */
export const GenAiRegistry = Context.Reference<Context.Service.Shape<typeof Metric.MetricRegistry> | undefined>(
  "effect-aibridge/record/GenAiRegistry",
  { defaultValue: () => undefined }
)
