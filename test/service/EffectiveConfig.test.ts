import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as EffectiveConfig from "../../src/service/EffectiveConfig.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"

const environment = {
  AIBRIDGE_TOKENS: "ada=token-never-shown-000001,bob=b",
  AIBRIDGE_CIRCUIT_BREAKER_ENABLED: "true",
  HTTPS_PROXY: "http://user:never-shown@proxy.test:3128",
  AIBRIDGE_PROVIDER_0_TYPE: "openai",
  AIBRIDGE_PROVIDER_0_KEYS: "sk-first-never-shown-0001,sk-second-never-shown-0002",
  AIBRIDGE_PROVIDER_0_RECHECK: "5m",
  AIBRIDGE_UPSTREAM_TIMEOUT: "3m",
  AIBRIDGE_PROVIDER_0_UPSTREAM_TIMEOUT: "31s",
  AIBRIDGE_PROVIDER_0_IDLE_TIMEOUT: "32s",
  AIBRIDGE_PROVIDER_0_TOTAL_TIMEOUT: "33s",
  AIBRIDGE_PROVIDER_0_CIRCUIT_BREAKER_TIMEOUT: "1m",
  AIBRIDGE_RATE_LIMIT: "60",
  AIBRIDGE_DUMP_DIR: "/dumps",
  AIBRIDGE_PROVIDER_1_DUMP_DIR: "own",
  AIBRIDGE_PROVIDER_0_ALLOW_BYOK: "false",
  AIBRIDGE_PROVIDER_1_TYPE: "copilot",
  AIBRIDGE_PROVIDER_1_CIRCUIT_BREAKER_ENABLED: "false",
  AIBRIDGE_PROVIDER_2_TYPE: "anthropic",
  AIBRIDGE_PROVIDER_2_NAME: "aws",
  AIBRIDGE_PROVIDER_2_BEDROCK_REGION: "eu-west-1",
  AIBRIDGE_PROVIDER_2_BEDROCK_MODEL: "big",
  AIBRIDGE_PROVIDER_2_BEDROCK_SMALL_FAST_MODEL: "small",
  AIBRIDGE_PROVIDER_2_BEDROCK_ACCESS_KEY: "AKIAIOSFODNN7EXAMPLE",
  AIBRIDGE_PROVIDER_2_BEDROCK_ACCESS_KEY_SECRET: "secret-never-shown",
  AIBRIDGE_PROVIDER_3_TYPE: "anthropic",
  AIBRIDGE_PROVIDER_3_BEDROCK_REGION: "eu-west-1",
  AIBRIDGE_PROVIDER_3_BEDROCK_MODEL: "big",
  AIBRIDGE_PROVIDER_3_BEDROCK_SMALL_FAST_MODEL: "small"
}

const effective = Effect.map(ServiceConfig.fromEnvironment(environment), EffectiveConfig.mask)

describe("The effective configuration", () => {
  it.effect("is what holds, with its defaults, and shows no secret", () =>
    Effect.gen(function* () {
      const text = EffectiveConfig.render(yield* effective).join("\n")

      for (const line of [
        "host: 127.0.0.1",
        "tokens: ada=toke...0001, bob=...",
        "maxConcurrency: any",
        "rateLimit: 60",
        "dumpDir: /dumps",
        "  dumpDir: /dumps/openai",
        "  dumpDir: own/copilot",
        "  dumpDir: /dumps/aws",
        "  allowByok: true",
        "  allowByok: false",
        "shutdownTimeout: 30s",
        "httpsProxy: http://...@proxy.test:3128",
        "providers[0]",
        "  mountedAt: /openai/v1",
        "  baseUrl: https://api.openai.com/v1",
        "  keys: sk-f...0001, sk-s...0002",
        "  recheck: 5m",
        "    timeout: 1m",
        "upstreamTimeout: 3m",
        "idleTimeout: 10m",
        "totalTimeout: 1h",
        "  upstreamTimeout: 31s",
        "  idleTimeout: 32s",
        "  totalTimeout: 33s",
        "  upstreamTimeout: 3m",
        "  idleTimeout: 10m",
        "  totalTimeout: 1h",
        "    statuses: 503, 529",
        "  keys: the caller's own",
        "  circuitBreaker: off",
        "    region: eu-west-1",
        "    credentials: AKIA...MPLE",
        "    credentials: the default chain's"
      ]) {
        assert.include(text.split("\n"), line)
      }
      assert.notInclude(text + JSON.stringify(yield* effective), "never-shown")
    })
  )

  it.effect("says what a token may be used for", () =>
    Effect.gen(function* () {
      const text = `
maxConcurrency: 50
tokens:
  - { name: ada, token: token-never-shown-000001, expires: 2027-01-31, providers: [eu, us], models: [claude-*] }
`
      const config = ServiceConfig.load({ environment: {}, file: "a.yaml", readFile: () => Result.succeed(text) })

      const masked = EffectiveConfig.mask(yield* config)
      assert.deepInclude(masked, {
        tokens: ["ada=toke...0001 (until 2027-01-31T00:00:00.000Z; providers eu us; models claude-*)"],
        maxConcurrency: 50,
        rateLimit: "off",
        dumpDir: "off"
      })
    })
  )

  it.effect("is data that JSON can say", () =>
    Effect.gen(function* () {
      const masked = yield* effective

      assert.deepStrictEqual(JSON.parse(JSON.stringify(masked)), masked)
    })
  )
})
