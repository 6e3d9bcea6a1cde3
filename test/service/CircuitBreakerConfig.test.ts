import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Environment } from "../../src/service/ServiceConfig.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"

const providers: Environment = { AIBRIDGE_PROVIDER_0_TYPE: "anthropic", AIBRIDGE_PROVIDER_1_TYPE: "openai" }
const on: Environment = { ...providers, AIBRIDGE_CIRCUIT_BREAKER_ENABLED: "true" }

/** The breakers of the two providers. */
const breakers = (environment: Environment) =>
  Effect.map(ServiceConfig.fromEnvironment(environment), (config) =>
    config.providers.map(({ circuitBreaker }) => circuitBreaker)
  )

describe("Circuit breakers", () => {
  it.effect.each([
    { what: "nothing is set", environment: providers },
    { what: "they are off", environment: { ...providers, AIBRIDGE_CIRCUIT_BREAKER_ENABLED: "false" } },
    { what: "only other options are set", environment: { ...providers, AIBRIDGE_CIRCUIT_BREAKER_TIMEOUT: "5s" } }
  ])("are off if $what", ({ environment }) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* breakers(environment), [undefined, undefined])
    })
  )

  it.effect("are on for every provider if they are enabled", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* breakers(on), [{}, {}])
    })
  )

  it.effect("have options for all providers", () =>
    Effect.gen(function* () {
      const options = {
        failureThreshold: 3,
        interval: Duration.millis(500),
        timeout: Duration.seconds(90),
        statuses: [500, 503],
        countStreamErrors: true
      }

      const all = yield* breakers({
        ...on,
        AIBRIDGE_CIRCUIT_BREAKER_FAILURE_THRESHOLD: "3",
        AIBRIDGE_CIRCUIT_BREAKER_INTERVAL: "500ms",
        AIBRIDGE_CIRCUIT_BREAKER_TIMEOUT: "1m30s",
        AIBRIDGE_CIRCUIT_BREAKER_STATUSES: "500, 503",
        AIBRIDGE_CIRCUIT_BREAKER_COUNT_STREAM_ERRORS: "true"
      })

      assert.deepStrictEqual(all, [options, options])
    })
  )

  it.effect("have options of one provider, which win", () =>
    Effect.gen(function* () {
      const all = yield* breakers({
        ...on,
        AIBRIDGE_CIRCUIT_BREAKER_FAILURE_THRESHOLD: "3",
        AIBRIDGE_PROVIDER_0_CIRCUIT_BREAKER_ENABLED: "false",
        AIBRIDGE_PROVIDER_1_CIRCUIT_BREAKER_FAILURE_THRESHOLD: "7",
        AIBRIDGE_PROVIDER_1_CIRCUIT_BREAKER_INTERVAL: "0s"
      })

      assert.deepStrictEqual(all, [undefined, { failureThreshold: 7, interval: Duration.zero }])
    })
  )

  it.effect("can be on for one provider alone", () =>
    Effect.gen(function* () {
      const environment = { ...providers, AIBRIDGE_PROVIDER_1_CIRCUIT_BREAKER_ENABLED: "true" }

      assert.deepStrictEqual(yield* breakers(environment), [undefined, {}])
    })
  )

  it.effect.each([
    {
      what: "off for all",
      values: { AIBRIDGE_CIRCUIT_BREAKER_TIMEOUT: "5s" },
      name: "AIBRIDGE_CIRCUIT_BREAKER_TIMEOUT"
    },
    {
      what: "off for one",
      values: { AIBRIDGE_PROVIDER_1_CIRCUIT_BREAKER_TIMEOUT: "5s" },
      name: "AIBRIDGE_PROVIDER_1_CIRCUIT_BREAKER_TIMEOUT"
    }
  ])("that are $what although options are set are warned about", ({ values, name }) =>
    Effect.gen(function* () {
      const { warnings } = yield* ServiceConfig.fromEnvironment({ ...providers, ...values })

      const enabled = name.replace("TIMEOUT", "ENABLED")
      assert.deepStrictEqual(warnings, [`${name} has no effect unless ${enabled} is true`])
    })
  )

  it.effect("that are off on purpose are not", () =>
    Effect.gen(function* () {
      const { warnings } = yield* ServiceConfig.fromEnvironment({
        ...on,
        AIBRIDGE_CIRCUIT_BREAKER_TIMEOUT: "5s",
        AIBRIDGE_PROVIDER_0_CIRCUIT_BREAKER_TIMEOUT: "6s",
        AIBRIDGE_PROVIDER_1_CIRCUIT_BREAKER_ENABLED: "false"
      })

      assert.deepStrictEqual(warnings, [])
    })
  )

  it.effect.each(["AIBRIDGE_CIRCUIT_BREAKER_MAX_REQUESTS", "AIBRIDGE_PROVIDER_0_CIRCUIT_BREAKER_MAX_REQUESTS"])(
    "have no %s, and a warning says so",
    (name) =>
      Effect.gen(function* () {
        const { warnings } = yield* ServiceConfig.fromEnvironment({ ...on, [name]: "3" })

        assert.deepStrictEqual(warnings, [
          `ignoring ${name}: a half-open circuit lets one probe through at a time, and its success closes it`
        ])
      })
  )

  it.effect.each([
    { option: "ENABLED", text: "yes", problem: "must be true or false" },
    { option: "FAILURE_THRESHOLD", text: "0", problem: "must be a number from 1 to 4294967295" },
    { option: "FAILURE_THRESHOLD", text: "4294967296", problem: "must be a number from 1 to 4294967295" },
    { option: "FAILURE_THRESHOLD", text: "1.5", problem: "must be a number from 1 to 4294967295" },
    { option: "INTERVAL", text: "10", problem: "must be a number (at most 99999) with a unit: 30s, 5m, 2h or 1d" },
    { option: "TIMEOUT", text: "0s", problem: "must be a positive number (at most 99999) with a unit" },
    { option: "STATUSES", text: "503,429", problem: "status 429 is about a key" },
    { option: "STATUSES", text: "503,", problem: "statuses must be whole numbers from 400 to 599" },
    { option: "STATUSES", text: "5xx", problem: "statuses must be whole numbers from 400 to 599" },
    { option: "COUNT_STREAM_ERRORS", text: "1", problem: "must be true or false" }
  ])("cannot have $option=$text", ({ option, text, problem }) =>
    Effect.gen(function* () {
      for (const prefix of ["AIBRIDGE", "AIBRIDGE_PROVIDER_1"]) {
        const name = `${prefix}_CIRCUIT_BREAKER_${option}`
        const { problems } = yield* Effect.flip(ServiceConfig.fromEnvironment({ ...providers, [name]: text }))

        assert.lengthOf(problems, 1)
        assert.include(problems[0], `${name}: ${problem}`)
      }
    })
  )
})
