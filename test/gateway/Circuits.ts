/** Gateways whose circuits open soon, and what their metrics say. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { Options } from "../../src/providers/CircuitBreakerOptions.ts"
import type * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as CircuitMetrics from "../../src/upstream/CircuitMetrics.ts"
import type { Call } from "./Calls.ts"
import * as Setup from "./Setup.ts"

/** Every provider has these breakers; one key, so that a limited one is an exhausted pool. */
export const layer = (
  script: Parameters<typeof ScriptedUpstream.layer>[0],
  circuitBreaker: Options = {},
  options: Setup.Options = {}
) =>
  Setup.layer(script, { keys: 1, provider: { circuitBreaker: { failureThreshold: 2, ...circuitBreaker } }, ...options })

/** As `call`, for another model. */
export const withModel = (call: Call, model: string): Call => ({
  ...call,
  fixture: { ...call.fixture, model },
  request: { ...call.request, body: { ...Object(call.request.body), model } }
})

/** The status of an answer. */
export const status = ({ path, request }: Pick<Call, "path" | "request">) =>
  Effect.map(TestGateway.fetch(path, request), (answer) => answer.status)

/** The statuses of so many answers, one after the other. */
export const statuses = (count: number, call: Pick<Call, "path" | "request">) =>
  Effect.forEach(Array.from({ length: count }), () => status(call))

/** How many calls the upstream has seen. */
export const calls = Effect.map(Setup.requests, (all) => all.length)

/** Runs with metrics of its own. */
export const measured = Effect.provideServiceEffect(
  Metric.MetricRegistry,
  Effect.sync(() => new Map())
)

/** The three metrics of one circuit; nothing was written yet where they are 0. */
export const metrics = (call: Call, model = call.fixture.model) => {
  const provider = call.vendor.name
  const attributes = { provider, endpoint: call.path.slice(provider.length + 1), model }
  return Effect.gen(function* () {
    const trips = yield* Metric.value(Metric.withAttributes(CircuitMetrics.trips, attributes))
    const state = yield* Metric.value(Metric.withAttributes(CircuitMetrics.state, attributes))
    const rejects = yield* Metric.value(Metric.withAttributes(CircuitMetrics.rejects, attributes))
    return { trips: trips.count, state: state.value, rejects: rejects.count }
  })
}
