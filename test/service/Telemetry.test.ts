/** What a collector gets of a gateway, and what becomes of the gateway if it takes nothing. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import { GenAiRegistry } from "../../src/record/GenAiRegistry.ts"
import type { Environment } from "../../src/service/ServiceConfig.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"
import * as Telemetry from "../../src/service/Telemetry.ts"
import * as TestServer from "../upstream/TestServer.ts"
import * as TestAdmin from "./admin/TestAdmin.ts"
import * as TestCollector from "./TestCollector.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestProcess from "./TestProcess.ts"
import * as TestMessages from "./TestMessages.ts"
import * as TestService from "./TestService.ts"

const secret = "secret-NEVER-SHOWN-at-all"

/** Settings that lead to a collector. */
const to = (origin: string, environment: Environment = {}): Environment => ({
  AIBRIDGE_OTLP_ENDPOINT: origin,
  AIBRIDGE_OTLP_HEADERS: `x-key=${secret},x-team=a%2Cb`,
  AIBRIDGE_SERVICE_NAME: "bridge-of-this-test",
  ...environment
})

/** A service that answers one request and is stopped: its log lines, and what `/metrics` said before. */
const once = (environment: Environment) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { upstream, url, adminUrl, lines } = yield* TestService.withUpstream(1, environment)
      yield* TestMessages.script(upstream, [TestMessages.blocking("Hello")])
      const answer = yield* TestHttp.send(url, {
        body: TestHttp.message(),
        headers: { "x-mine": secret, traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" }
      })
      yield* answer.text
      const { body } = yield* TestAdmin.ask(adminUrl, "GET /metrics")
      assert.strictEqual(answer.status, 200)
      return { lines, prometheus: String(body) }
    })
  )

/** Only the sending, as long as the scope is open. */
const sending = Effect.fnUntraced(function* (environment: Environment) {
  const { telemetry } = yield* ServiceConfig.fromEnvironment(environment)
  return yield* Telemetry.make(telemetry, "1.2.3")
})

describe("Metrics and traces", () => {
  it.live("of a request are sent by our names and OpenTelemetry's, in the client's trace", () =>
    Effect.gen(function* () {
      const collector = yield* TestCollector.start()

      const { prometheus } = yield* once(to(collector.origin))

      const traces = collector.text("/v1/traces")
      for (const text of ["Intercept.ProcessRequest.Upstream", "gen_ai.request.model", "interception_id"]) {
        assert.include(traces, text)
      }
      assert.include(traces, Buffer.from("4bf92f3577b34da6a3ce929d0e0e4736", "hex").toString("latin1"))
      assert.notInclude(traces, "http.request.header")
      assert.notInclude(traces, secret)
      for (const text of ["aibridge_interceptions_total", "gen_ai.client.token.usage"]) {
        assert.include(collector.text("/v1/metrics"), text)
      }
      assert.include(prometheus, "aibridge_interceptions_total{")
      assert.notInclude(prometheus, "gen_ai")
    })
  )

  it.live("of a gateway are sent until it has stopped, with the headers", () =>
    Effect.gen(function* () {
      const collector = yield* TestCollector.start()

      const { lines } = yield* once(to(collector.origin))

      const metrics = collector.text("/v1/metrics")
      for (const text of ["aibridge_config_last_reload_successful", "service.name", "bridge-of-this-test", "0.0.0"]) {
        assert.include(metrics, text)
      }
      const [first] = collector.received()
      assert.deepInclude(first?.headers, {
        "x-key": secret,
        "x-team": "a,b",
        "content-type": "application/x-protobuf"
      })
      assert.isUndefined(first?.headers["traceparent"])
      assert.notInclude(lines().join("\n"), "NEVER-SHOWN")
      for (const { body } of collector.received()) assert.notInclude(body.toString("latin1"), "NEVER-SHOWN")
    })
  )

  it.live("are sent nowhere if no collector is configured", () =>
    Effect.gen(function* () {
      let calls = 0
      const counted: typeof fetch = () => {
        calls++
        return Promise.reject(new Error("nobody is there"))
      }
      const stopped = (environment: Environment) =>
        Effect.provideService(once(environment), FetchHttpClient.Fetch, counted)

      yield* stopped({ AIBRIDGE_SERVICE_NAME: "bridge" })

      assert.strictEqual(calls, 0)
      yield* stopped(to("http://127.0.0.1:4318"))
      assert.isAbove(calls, 0)
    })
  )

  it.live("are spans of who got the tracer, and of nobody else", () =>
    Effect.gen(function* () {
      const collector = yield* TestCollector.start()

      yield* Effect.scoped(
        Effect.gen(function* () {
          const { tracer } = yield* sending(to(collector.origin))
          yield* Effect.void.pipe(Effect.withSpan("one-that-is-sent"), Effect.provide(tracer))
          yield* Effect.void.pipe(Effect.withSpan("one-that-is-not"))
        })
      )

      const traces = collector.text("/v1/traces")
      for (const text of ["one-that-is-sent", "service.name", "bridge-of-this-test", "service.version", "1.2.3"]) {
        assert.include(traces, text)
      }
      assert.notInclude(traces, "one-that-is-not")
    })
  )

  it.live("by the names of OpenTelemetry are sent, and not shown to Prometheus", () =>
    Effect.gen(function* () {
      const collector = yield* TestCollector.start()
      const counter = Metric.counter("gen_ai.client.operation.tested")

      const prometheus = yield* Effect.scoped(
        Effect.gen(function* () {
          const { genAi } = yield* sending(to(collector.origin))
          const registry = yield* Effect.provide(GenAiRegistry, genAi)
          yield* Effect.provideService(Metric.update(counter, 1), Metric.MetricRegistry, registry ?? new Map())
          return yield* PrometheusMetrics.format()
        })
      )

      assert.include(collector.text("/v1/metrics"), "gen_ai.client.operation.tested")
      assert.notInclude(prometheus, "operation")
    })
  )

  it.live.each([
    { signals: "traces", paths: ["/v1/traces"] },
    { signals: "metrics", paths: ["/v1/metrics"] },
    { signals: "metrics,traces", paths: ["/v1/metrics", "/v1/traces"] }
  ])("are only sent as $signals if so configured", ({ signals, paths }) =>
    Effect.gen(function* () {
      const collector = yield* TestCollector.start()

      const registry = yield* Effect.scoped(
        Effect.gen(function* () {
          const { tracer, genAi } = yield* sending(to(collector.origin, { AIBRIDGE_OTLP_SIGNALS: signals }))
          yield* Effect.void.pipe(Effect.withSpan("one"), Effect.provide(tracer))
          return yield* Effect.provide(GenAiRegistry, genAi)
        })
      )

      assert.deepStrictEqual(Array.from(new Set(collector.received().map(({ target }) => target))).toSorted(), paths)
      assert.strictEqual(registry !== undefined, signals !== "traces")
    })
  )

  it.live("hold no spans of the HTTP servers, whatever tracer there is", () =>
    Effect.gen(function* () {
      const names: Array<string> = []
      const tracer = Tracer.make({
        span: (options) => {
          names.push(options.name)
          return new Tracer.NativeSpan(options)
        }
      })

      yield* Effect.provideService(once({}), Tracer.Tracer, tracer)

      assert.notInclude(names, "POST")
      assert.notInclude(names, "GET")
    })
  )
})

describe("A process", () => {
  it.live("that is told to stop sends what is left, and ends", () =>
    Effect.gen(function* () {
      const collector = yield* TestCollector.start()
      const environment = { AIBRIDGE_PORT: "0", OTEL_EXPORTER_OTLP_ENDPOINT: collector.origin }

      const process = yield* TestProcess.serve(environment)
      yield* process.says(/listens on (\S+)/)
      yield* process.signal("SIGTERM")

      assert.strictEqual(yield* process.ended, 0)
      assert.include(collector.text("/v1/metrics"), "aibridge_config_last_reload_successful")
    })
  )
})

describe("A collector", () => {
  it.live("that is not there is one line in the log, and nobody waits for it", () =>
    Effect.gen(function* () {
      const port = yield* TestServer.unusedPort

      const { lines } = yield* Effect.timeout(once(to(`http://127.0.0.1:${port}`)), "10 seconds")

      const about = lines().filter((line) => line.includes("are not taken"))
      assert.lengthOf(about, 1)
      assert.include(about[0], `http://127.0.0.1:${port}: it cannot be reached`)
      assert.notInclude(lines().join("\n"), "NEVER-SHOWN")
    })
  )

  it.live("that never answers holds up neither start, nor requests, nor the end", () =>
    Effect.gen(function* () {
      const collector = yield* TestServer.start

      const { lines } = yield* Effect.timeout(once(to(collector.origin)), "10 seconds")

      assert.isAbove(yield* collector.waiting, 0)
      assert.notInclude(lines().join("\n"), "NEVER-SHOWN")
    })
  )

  it.effect("that never answers is waited for two seconds at the end", () =>
    Effect.gen(function* () {
      const collector = yield* TestServer.start
      const scope = yield* Scope.make()
      const { tracer } = yield* Scope.provide(sending(to(collector.origin)), scope)
      yield* Effect.void.pipe(Effect.withSpan("one"), Effect.provide(tracer))

      const end = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* TestClock.adjust("1999 millis")
      const early = end.pollUnsafe()
      yield* TestClock.adjust("1 millis")
      yield* TestClock.withLive(Effect.timeout(Fiber.join(end), "5 seconds"))

      assert.isUndefined(early)
    })
  )

  it.effect("that never answers is one line in ten minutes", () =>
    Effect.gen(function* () {
      const collector = yield* TestServer.start
      const lines: Array<string> = []
      const logger = Logger.layer([Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))])

      yield* sending(to(collector.origin)).pipe(Effect.provide(logger))
      yield* TestClock.adjust("9 minutes")
      const early = lines.length
      yield* TestClock.adjust("13 minutes")

      assert.strictEqual(early, 1)
      assert.lengthOf(lines, 3)
      assert.include(lines[0], `${collector.origin}: it does not answer within 5s`)
    })
  )

  it.live.each(["307 Elsewhere", "401 Unauthorized"])(
    "that answers %s gets no second word, nor does another one",
    (head) =>
      Effect.gen(function* () {
        const other = yield* TestCollector.start()
        const collector = yield* TestCollector.start(`${head}\r\nlocation: ${other.origin}`)

        const { lines } = yield* once(to(collector.origin, { AIBRIDGE_OTLP_SIGNALS: "traces,metrics" }))

        const about = lines().filter((line) => line.includes("are not taken"))
        assert.lengthOf(about, 1)
        assert.include(about[0], `it answers ${head.slice(0, 3)}`)
        assert.lengthOf(other.received(), 0)
      })
  )
})
