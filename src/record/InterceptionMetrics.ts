/** What interceptions do, as metrics. Their labels are bounded: what clients and models say becomes `other` beyond a number. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as BoundedLabel from "../domain/BoundedLabel.ts"
import { memoized } from "../domain/Memoized.ts"
import type { InterceptionStarted } from "../domain/RecordEvent.ts"
import type { Answer, Usage } from "../domain/Usage.ts"
import * as GenAiMetrics from "./GenAiMetrics.ts"

/** Given to the metric itself: `Metric.withAttributes` would put a series' name together again at each update. */
type Labels = Readonly<Record<string, string>>

/** Each bridged request that is over, with `provider`, `model`, `status` (`completed`, `failed`), `route`, `method`, `client`. */
export const interceptions = (attributes: Labels) =>
  Metric.counter("aibridge_interceptions_total", {
    attributes,
    description: "Bridged requests that are over",
    incremental: true
  })

/** With `provider`, `model` and `route`. */
export const inflight = (attributes: Labels) =>
  Metric.gauge("aibridge_interceptions_inflight", { attributes, description: "Bridged requests that are under way" })

/** With `provider` and `model`. */
export const duration = (attributes: Labels) =>
  Metric.histogram("aibridge_interceptions_duration_seconds", {
    attributes,
    description: "Time from the arrival of a bridged request to the end of its answer",
    boundaries: [0.5, 2, 5, 15, 30, 60, 120]
  })

/** With `provider` and `model`; only of requests whose answer has begun. */
export const timeToFirstByte = (attributes: Labels) =>
  Metric.histogram("aibridge_time_to_first_byte_seconds", {
    attributes,
    description: "Time from the arrival of a bridged request to the first byte of its answer",
    boundaries: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60]
  })

/** With `provider`. Receiving the request's body is the client's time, and not in it. */
export const overhead = (attributes: Labels) =>
  Metric.histogram("aibridge_gateway_overhead_seconds", {
    attributes,
    description:
      "Time until the head of an answer that was spent in the gateway: neither receiving the request nor waiting for the upstream",
    boundaries: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]
  })

/** With `provider`, of interceptions for which a pool was walked. */
export const failoverAttempts = (attributes: Labels) =>
  Metric.histogram("aibridge_key_pool_failover_attempts", {
    attributes,
    description: "Keys that were tried for a bridged request",
    boundaries: [1, 2, 3, 4, 5, 10, 25]
  })

/** Prompts of users, with `provider`, `model` and `client`. */
export const prompts = (attributes: Labels) =>
  Metric.counter("aibridge_prompts_total", { attributes, description: "Prompts of users", incremental: true })

/** With `provider`, `model`, `type` and `client`. Cached tokens are not in the type `input`. */
export const tokens = (attributes: Labels) =>
  Metric.counter("aibridge_tokens_total", {
    attributes,
    description: "Tokens that answers have cost",
    incremental: true
  })

/** Calls of the clients' own tools, with `provider`, `model` and `name`. */
export const toolSelections = (attributes: Labels) =>
  Metric.counter("aibridge_non_injected_tool_selections_total", {
    attributes,
    description: "Calls of the clients' own tools by models",
    incremental: true
  })

/** Calls of the gateway's own tools, with `provider`, `model`, `server` (its URL, or its name if it has none) and `name`. */
export const toolInvocations = (attributes: Labels) =>
  Metric.counter("aibridge_injected_tool_invocations_total", {
    attributes,
    description: "Calls of the gateway's own tools by models",
    incremental: true
  })

/** Requests that are not read, with `provider`, `route` and `method`. */
export const passthrough = (attributes: Labels) =>
  Metric.counter("aibridge_passthrough_total", {
    attributes,
    description: "Requests that were passed through unread",
    incremental: true
  })

export interface Options {
  /** How many models, tools, routes and actors are told apart, of each; further ones are `other`. */
  readonly maximumValues: number
  /** Whether `initiator_id`, the caller, is a label of what has the label `client`. */
  readonly actorLabel: boolean
}

export type Facts = Omit<InterceptionStarted, "_tag" | "id" | "at">

/** What one interception was. Times are seconds. */
export interface Outcome {
  readonly duration: number
  readonly timeToFirstByte: number | undefined
  /** Why it has failed; `undefined` if it has not. */
  readonly errorType: string | undefined
  readonly attempts: number
  readonly hasPrompt: boolean
  readonly answer: Answer | undefined
}

export interface InterceptionMetrics {
  /** One more is under way. */
  readonly began: (facts: Facts) => Meter
  readonly passedThrough: (provider: string, route: string, method: string) => void
}

/** The metrics of one interception. */
export interface Meter {
  /** @param seconds see `overhead` */
  readonly overhead: (seconds: number) => void
  /** A tool of the gateway's own was called. */
  readonly invoked: (server: string, tool: string) => void
  /** It is no longer under way. To be called once. */
  readonly ended: (outcome: Outcome) => void
}

/** Counts in the `MetricRegistry`, and in the `GenAiRegistry` if there is one, that are there where it is made. */
export const make = (options: Options): Effect.Effect<InterceptionMetrics> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<never>()
    const genAi = yield* GenAiMetrics.make
    const [models, tools, routes, actors] = [
      BoundedLabel.make(options.maximumValues),
      BoundedLabel.make(options.maximumValues),
      BoundedLabel.make(options.maximumValues),
      BoundedLabel.make(options.maximumValues)
    ]
    // Made once each: that takes longer than counting. As bounded as their labels.
    const newSeries = (facts: Facts, kind: Kind) => ({ ...makeSeries(kind), genAi: genAi?.of(facts, kind.model) })
    const known = new Map<string, ReturnType<typeof newSeries>>()
    const seriesOf = (facts: Facts) => {
      const { provider, endpoint: route, client } = facts
      const model = models(facts.model)
      const actor = options.actorLabel ? actors(facts.actor.id) : undefined
      const id = JSON.stringify([provider, route, client, model, actor])
      const found = known.get(id) ?? newSeries(facts, { provider, route, client, model, actor })
      known.set(id, found)
      return found
    }

    return {
      began: (facts) => {
        const series = seriesOf(facts)
        series.inflight.modifyUnsafe(1, context)
        return {
          overhead: (seconds) => series.overhead.updateUnsafe(seconds, context),
          invoked: (server, tool) => series.invocation(server, tools(tool)).updateUnsafe(1, context),
          ended: (outcome) => {
            const { errorType, answer } = outcome
            series.inflight.modifyUnsafe(-1, context)
            series.duration.updateUnsafe(outcome.duration, context)
            const count = errorType === undefined ? series.completed : series.failed
            count.updateUnsafe(1, context)
            if (outcome.timeToFirstByte !== undefined) {
              series.timeToFirstByte.updateUnsafe(outcome.timeToFirstByte, context)
            }
            if (outcome.attempts > 0 && facts.credentialKind === "centralized") {
              series.attempts.updateUnsafe(outcome.attempts, context)
            }
            if (outcome.hasPrompt) series.prompts.updateUnsafe(1, context)
            const usage = answer?.quality === "none" ? undefined : answer?.usage
            if (usage !== undefined) {
              for (const [type, spent] of tokensIn(usage)) series.tokens(type).updateUnsafe(spent, context)
            }
            for (const { name } of answer?.toolCalls ?? []) series.tool(tools(name)).updateUnsafe(1, context)
            series.genAi?.(facts.stream, { ...outcome, usage })
          }
        }
      },
      passedThrough: (provider, route, method) =>
        passthrough({ provider, route: routes(route), method }).updateUnsafe(1, context)
    }
  })

interface Kind {
  readonly provider: string
  readonly route: string
  readonly client: string
  readonly model: string
  readonly actor: string | undefined
}

const makeSeries = ({ provider, route, client, model, actor }: Kind) => {
  const of = { provider, model }
  const caller = { client, ...(actor !== undefined && { initiator_id: actor }) }
  const ended = (status: string) => interceptions({ ...of, ...caller, route, method: "POST", status })
  return {
    inflight: inflight({ ...of, route }),
    duration: duration(of),
    timeToFirstByte: timeToFirstByte(of),
    overhead: overhead({ provider }),
    attempts: failoverAttempts({ provider }),
    completed: ended("completed"),
    failed: ended("failed"),
    prompts: prompts({ ...of, ...caller }),
    tokens: memoized((type) => tokens({ ...of, ...caller, type })),
    tool: memoized((name) => toolSelections({ ...of, name })),
    // Servers are those that were configured.
    invocation: (server: string, name: string) => toolInvocations({ ...of, server, name })
  }
}

const tokensIn = (usage: Usage): ReadonlyArray<readonly [type: string, count: number]> => [
  ["input", usage.input],
  ["output", usage.output],
  ["cache_read_input_tokens", usage.cacheRead],
  ["cache_write_input_tokens", usage.cacheWrite],
  ...Object.entries(usage.extra)
]
