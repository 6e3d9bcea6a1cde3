/** Interceptions as metrics with the names of OpenTelemetry's conventions for generative AI, if anybody wants them. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { memoized } from "../domain/Memoized.ts"
import type { InterceptionStarted } from "../domain/RecordEvent.ts"
import type { Usage } from "../domain/Usage.ts"
import * as GenAi from "./GenAi.ts"
import { GenAiRegistry } from "./GenAiRegistry.ts"

type Labels = Readonly<Record<string, string>>

const tokenUsage = (attributes: Labels) =>
  Metric.histogram("gen_ai.client.token.usage", {
    description: "Number of input and output tokens used",
    attributes: { ...attributes, unit: "{token}" },
    boundaries: Array.from({ length: 14 }, (_, index) => 4 ** index)
  })

const operationDuration = (attributes: Labels) =>
  Metric.histogram("gen_ai.client.operation.duration", {
    description: "GenAI operation duration",
    attributes: { ...attributes, unit: "s" },
    boundaries: Array.from({ length: 14 }, (_, index) => 0.01 * 2 ** index)
  })

const timeToFirstToken = (attributes: Labels) =>
  Metric.histogram("gen_ai.server.time_to_first_token", {
    description: "Time to generate first token for successful responses",
    attributes: { ...attributes, unit: "s" },
    boundaries: [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
  })

export interface GenAiMetrics {
  /**
   * What counts interceptions of this kind, when they are over.
   *
   * @param model bounded
   */
  readonly of: (
    facts: Pick<InterceptionStarted, "providerType">,
    model: string
  ) => (stream: boolean, seen: Seen) => void
}

/** Times are seconds. */
export interface Seen {
  readonly duration: number
  readonly timeToFirstByte: number | undefined
  readonly usage: Usage | undefined
  /** Why it has failed, if it has. */
  readonly errorType: string | undefined
}

/** `undefined` if there is no `GenAiRegistry`. */
export const make: Effect.Effect<GenAiMetrics | undefined> = Effect.gen(function* () {
  const registry = yield* GenAiRegistry
  if (registry === undefined) return undefined
  const context = Context.add(yield* Effect.context<never>(), Metric.MetricRegistry, registry)
  return {
    of: (facts, model) => {
      const kind = {
        "gen_ai.operation.name": GenAi.operation,
        "gen_ai.provider.name": GenAi.providerOf(facts),
        "gen_ai.request.model": model
      }
      const firstToken = timeToFirstToken(kind)
      const completed = operationDuration(kind)
      const failed = memoized((error) => operationDuration({ ...kind, "error.type": error }))
      const tokens = memoized((type) => tokenUsage({ ...kind, "gen_ai.token.type": type }))
      return (stream, { duration, timeToFirstByte, usage, errorType }) => {
        const operation = errorType === undefined ? completed : failed(errorType)
        operation.updateUnsafe(duration, context)
        if (stream && timeToFirstByte !== undefined && errorType === undefined) {
          firstToken.updateUnsafe(timeToFirstByte, context)
        }
        if (usage === undefined) return
        tokens("input").updateUnsafe(GenAi.inputOf(usage), context)
        tokens("output").updateUnsafe(usage.output, context)
      }
    }
  }
})
