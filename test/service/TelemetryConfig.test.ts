import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as EffectiveConfig from "../../src/service/EffectiveConfig.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"

const telemetryOf = Effect.fnUntraced(function* (environment: ServiceConfig.Environment, file?: string) {
  const files: Record<string, string | undefined> = { "a.yaml": file, "/headers": "a=1\nb=2\n" }
  const { telemetry } = yield* ServiceConfig.load({
    environment,
    ...(file !== undefined && { file: "a.yaml" }),
    readFile: (path) => Result.fromNullishOr(files[path], () => "ENOENT")
  })
  return { ...telemetry, headers: telemetry.headers.map(([name, value]) => [name, Redacted.value(value)]) }
})

const standard = {
  OTEL_EXPORTER_OTLP_ENDPOINT: "http://standard.test:4318",
  OTEL_EXPORTER_OTLP_HEADERS: "from=standard",
  OTEL_SERVICE_NAME: "standard"
}

describe("The settings of metrics and traces", () => {
  it.effect("are read", () =>
    Effect.gen(function* () {
      const telemetry = yield* telemetryOf({
        AIBRIDGE_OTLP_ENDPOINT: "https://collector.test/otlp/",
        AIBRIDGE_OTLP_HEADERS: "Authorization=Basic%20YWRh=, x-team = a%2Cb ",
        AIBRIDGE_OTLP_SIGNALS: "metrics",
        AIBRIDGE_SERVICE_NAME: "bridge-eu",
        AIBRIDGE_PROPAGATE_TRACE_CONTEXT: "true",
        AIBRIDGE_METRICS_ACTORS: "true",
        AIBRIDGE_METRICS_MODELS: "10000"
      })

      assert.deepStrictEqual(telemetry, {
        endpoint: "https://collector.test/otlp",
        headers: [
          ["authorization", "Basic YWRh="],
          ["x-team", "a,b"]
        ],
        signals: ["metrics"],
        serviceName: "bridge-eu",
        propagate: true,
        actorLabel: true,
        maximumModels: 10_000
      })
    })
  )

  it.effect("are also known by OpenTelemetry's names", () =>
    Effect.gen(function* () {
      const telemetry = yield* telemetryOf(standard)

      const { endpoint, headers, serviceName } = telemetry
      assert.deepStrictEqual(
        { endpoint, headers, serviceName },
        { endpoint: "http://standard.test:4318", headers: [["from", "standard"]], serviceName: "standard" }
      )
    })
  )

  it.effect.each([
    {
      by: "the gateway's own variables",
      environment: {
        AIBRIDGE_OTLP_ENDPOINT: "http://own.test",
        AIBRIDGE_OTLP_HEADERS: "a=1,b=2",
        AIBRIDGE_SERVICE_NAME: "own"
      }
    },
    {
      by: "a file of secrets",
      environment: {
        CODER_AIBRIDGE_OTLP_ENDPOINT: "http://own.test",
        AIBRIDGE_OTLP_HEADERS_FILE: "/headers",
        AIBRIDGE_SERVICE_NAME: "own"
      }
    },
    {
      by: "the configuration file",
      environment: {},
      file: "{ otlpEndpoint: 'http://own.test', otlpHeaders: ['a=1', 'b=2'], serviceName: own }"
    }
  ])("are taken from $by before those", ({ environment, file }) =>
    Effect.gen(function* () {
      const { endpoint, headers, serviceName } = yield* telemetryOf({ ...standard, ...environment }, file)

      const expected = [
        ["a", "1"],
        ["b", "2"]
      ]
      assert.deepStrictEqual(
        { endpoint, headers, serviceName },
        { endpoint: "http://own.test", headers: expected, serviceName: "own" }
      )
    })
  )

  it.effect("are shown without the headers' values", () =>
    Effect.gen(function* () {
      const masked = EffectiveConfig.mask(
        yield* ServiceConfig.fromEnvironment({
          AIBRIDGE_OTLP_ENDPOINT: "http://127.0.0.1:4318",
          AIBRIDGE_OTLP_HEADERS: "x-key=secret-NEVER-SHOWN-at-all"
        })
      )

      assert.deepInclude(masked, {
        otlpEndpoint: "http://127.0.0.1:4318",
        otlpHeaders: ["x-key=secr...-all"],
        otlpSignals: ["traces", "metrics"],
        serviceName: "aibridge",
        propagateTraceContext: false,
        metricsActors: false,
        metricsModels: 100
      })
      assert.deepInclude(EffectiveConfig.mask(yield* ServiceConfig.fromEnvironment({})), { otlpEndpoint: "none" })
    })
  )

  const wrong = "NEVER-SHOWN"

  it.effect.each([
    { variable: "AIBRIDGE_OTLP_ENDPOINT", text: wrong, says: /not a URL$/ },
    { variable: "AIBRIDGE_OTLP_ENDPOINT", text: `grpc://${wrong}`, says: /must begin with https:\/\/ or http:\/\/$/ },
    { variable: "OTEL_EXPORTER_OTLP_ENDPOINT", text: `http://a:${wrong}@b`, says: /must not hold a user name/ },
    { variable: "AIBRIDGE_OTLP_ENDPOINT", text: `http://${wrong}/v1/traces/`, says: /which are appended$/ },
    {
      variable: "AIBRIDGE_OTLP_HEADERS",
      text: `a=1,${wrong}`,
      says: /entry at index 1 is not of the form name=value$/
    },
    {
      variable: "OTEL_EXPORTER_OTLP_HEADERS",
      text: `${wrong} x=1`,
      says: /entry at index 0 has a name that no header/
    },
    {
      variable: "AIBRIDGE_OTLP_HEADERS",
      text: `a=%${wrong}`,
      says: /index 0 has a value for a that is not percent-enc/
    },
    {
      variable: "AIBRIDGE_OTLP_HEADERS",
      text: `a=%0A${wrong}`,
      says: /index 0 has no value for a, or one with a line/
    },
    { variable: "AIBRIDGE_OTLP_HEADERS", text: "a=", says: /index 0 has no value for a/ },
    { variable: "AIBRIDGE_OTLP_HEADERS", text: `a=${wrong},A=2`, says: /entry at index 1 repeats the header a$/ },
    { variable: "AIBRIDGE_OTLP_HEADERS", text: `Host=${wrong}`, says: /entry at index 0 sets host, which is/ },
    { variable: "AIBRIDGE_OTLP_SIGNALS", text: `traces,${wrong}`, says: /must be traces, metrics or both/ },
    { variable: "AIBRIDGE_OTLP_SIGNALS", text: ",", says: /must be traces, metrics or both/ },
    { variable: "AIBRIDGE_METRICS_MODELS", text: "0", says: /must be a number from 1 to 10000$/ },
    { variable: "AIBRIDGE_METRICS_MODELS", text: "10001", says: /must be a number from 1 to 10000$/ },
    { variable: "AIBRIDGE_METRICS_ACTORS", text: wrong, says: /must be true or false$/ },
    { variable: "AIBRIDGE_PROPAGATE_TRACE_CONTEXT", text: wrong, says: /must be true or false$/ }
  ])("refuse what $variable cannot be ($text), without repeating it", ({ variable, text, says }) =>
    Effect.gen(function* () {
      const { problems } = yield* Effect.flip(ServiceConfig.fromEnvironment({ [variable]: text }))

      assert.lengthOf(problems, 1)
      assert.match(String(problems[0]), says)
      assert.isTrue(problems[0]?.startsWith(`${variable}: `))
      assert.notInclude(String(problems[0]), wrong)
    })
  )
})
