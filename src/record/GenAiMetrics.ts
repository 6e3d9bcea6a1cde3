/** Interceptions as metrics with the names of OpenTelemetry's conventions for generative AI, if anybody wants them. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { InterceptionStarted } from "../domain/RecordEvent.ts"
import type { Usage } from "../domain/Usage.ts"
import * as GenAi from "./GenAi.ts"
import { GenAiRegistry } from "./GenAiRegistry.ts"

const tokenUsage = Metric.histogram("gen_ai.client.token.usage", {
  description: "Number of input and output tokens used",
  attributes: { unit: "{token}" },
  boundaries: Array.from({ length: 14 }, (_, index) => 4 ** index)
})

const operationDuration = Metric.histogram("gen_ai.client.operation.duration", {
  description: "GenAI operation duration",
  attributes: { unit: "s" },
  boundaries: Array.from({ length: 14 }, (_, index) => 0.01 * 2 ** index)
})

const timeToFirstToken = Metric.histogram("gen_ai.server.time_to_first_token", {
  description: "Time to generate first token for successful responses",
  attributes: { unit: "s" },
  boundaries: [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
})

export interface GenAiMetrics {
  /**
   * Counts an interception that is over. Times are seconds.
   *
   * @param model bounded
   * @param errorType why it has failed, if it has
   */
  readonly ended: (facts: Facts, model: string, seen: Seen) => void
}

type Facts = Pick<InterceptionStarted, "providerType" | "stream">

export interface Seen {
  readonly duration: number
  readonly timeToFirstByte: number | undefined
  readonly usage: Usage | undefined
  readonly errorType: string | undefined
}

/** `undefined` if there is no `GenAiRegistry`. */
export const make: Effect.Effect<GenAiMetrics | undefined> = Effect.gen(function* () {
  const registry = yield* GenAiRegistry
  if (registry === undefined) return undefined
  const context = Context.add(yield* Effect.context<never>(), Metric.MetricRegistry, registry)
  return {
    ended: (facts, model, { duration, timeToFirstByte, usage, errorType }) => {
      const attributes = {
        "gen_ai.operation.name": GenAi.operation,
        "gen_ai.provider.name": GenAi.providerOf(facts),
        "gen_ai.request.model": model
      }
      const observe = (metric: typeof tokenUsage, value: number, others: Readonly<Record<string, string>> = {}) =>
        Metric.withAttributes(metric, { ...attributes, ...others }).updateUnsafe(value, context)
      observe(operationDuration, duration, errorType === undefined ? {} : { "error.type": errorType })
      if (facts.stream && timeToFirstByte !== undefined && errorType === undefined) {
        observe(timeToFirstToken, timeToFirstByte)
      }
      if (usage === undefined) return
      // What was read from a cache or written to it is input, too, by these conventions.
      const input = usage.input + usage.cacheRead + usage.cacheWrite
      observe(tokenUsage, input, { "gen_ai.token.type": "input" })
      observe(tokenUsage, usage.output, { "gen_ai.token.type": "output" })
    }
  }
})
