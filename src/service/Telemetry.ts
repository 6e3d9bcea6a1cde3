/** Sends metrics and traces to a collector, by OTLP over HTTP, if there is one. */
import * as Clock from "effect/Clock"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { randomUUID } from "node:crypto"
import { GenAiRegistry } from "../record/GenAiRegistry.ts"
import type { TelemetryConfig } from "./TelemetryConfig.ts"

export interface Telemetry {
  /** The tracer for whatever makes spans that are to be sent. Empty if no traces are sent. */
  readonly tracer: Layer.Layer<never>
  /** Where metrics with the names of OpenTelemetry are counted. Empty if no metrics are sent. */
  readonly genAi: Layer.Layer<never>
}

/**
 * Sends until the scope closes, then what is left, for two seconds at most. Besides the metrics of OpenTelemetry's names those of
 * the context are sent. No request waits for a collector: what it does not take is left out.
 *
 * @param version of the gateway
 */
export const make = Effect.fnUntraced(function* (
  config: TelemetryConfig,
  version: string
): Effect.fn.Return<Telemetry, never, Scope.Scope> {
  const { endpoint, signals } = config
  if (endpoint === undefined) return { tracer: Layer.empty, genAi: Layer.empty }
  const common = {
    // Two gateways that count the same are not to be taken for one.
    resource: {
      serviceName: config.serviceName,
      serviceVersion: version,
      attributes: { "service.instance.id": randomUUID() }
    },
    headers: config.headers.map(([name, value]): [string, string] => [name, Redacted.value(value)]),
    shutdownTimeout: Duration.seconds(2)
  }
  const traces = Layer.effect(Tracer.Tracer, OtlpTracer.make({ ...common, url: `${endpoint}/v1/traces` }))
  const metrics = OtlpMetrics.make({ ...common, url: `${endpoint}/v1/metrics` })
  const registry = new Map()
  const hasTraces = signals.includes("traces")
  const hasMetrics = signals.includes("metrics")
  // Side by side, so that at the end nobody waits for more than one of them.
  const sent = yield* Layer.build(
    Layer.mergeAll(
      hasTraces ? traces : Layer.empty,
      hasMetrics ? Layer.effectDiscard(metrics) : Layer.empty,
      hasMetrics ? Layer.effectDiscard(Effect.provideService(metrics, Metric.MetricRegistry, registry)) : Layer.empty
    ).pipe(
      Layer.provide([
        client(endpoint),
        OtlpSerialization.layerProtobuf,
        OtlpExporter.layerFlusher,
        // What may be said in the environment was read before.
        ConfigProvider.layer(ConfigProvider.fromUnknown({}))
      ])
    )
  )
  return {
    tracer: hasTraces ? Layer.succeed(Tracer.Tracer, Context.get(sent, Tracer.Tracer)) : Layer.empty,
    genAi: hasMetrics ? Layer.succeed(GenAiRegistry, registry) : Layer.empty
  }
})

/** How long a collector may take for an answer. */
const patience = Duration.seconds(5)

/** One line says for so long that a collector does not take what is sent. */
const silence = Duration.minutes(10)

// Redirects would take the headers elsewhere.
const client = (endpoint: string): Layer.Layer<HttpClient.HttpClient> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, (direct) => {
      const say = complaint(endpoint)
      return HttpClient.transformResponse(direct, (answered) =>
        answered.pipe(
          Effect.tap((response) => Effect.ignore(response.arrayBuffer)),
          Effect.tap(({ status }) => (status < 300 ? Effect.void : say(`it answers ${status}`))),
          Effect.tapError(() => say("it cannot be reached")),
          Effect.timeoutOrElse({
            duration: patience,
            // A failure would be tried again, while what waits becomes more and more. A defect drops it.
            orElse: () =>
              Effect.andThen(say(`it does not answer within ${Duration.format(patience)}`), Effect.die("no answer"))
          })
        )
      )
    })
  ).pipe(
    Layer.provide(FetchHttpClient.layer),
    Layer.provide(Layer.succeed(FetchHttpClient.RequestInit, { redirect: "manual" }))
  )

const complaint = (endpoint: string) => {
  let quietUntil = 0
  return (problem: string): Effect.Effect<void> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (now < quietUntil) return Effect.void
      quietUntil = now + Duration.toMillis(silence)
      return Effect.logWarning(`metrics and traces are not taken by ${endpoint}: ${problem}`)
    })
}
