import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Banner from "../../src/service/Banner.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"
import * as TestService from "./TestService.ts"

const curls = Effect.fnUntraced(function* (environment: ServiceConfig.Environment, url = "http://127.0.0.1:8787") {
  const config = yield* ServiceConfig.fromEnvironment(environment)
  const banner = Banner.render({
    url,
    adminUrl: "http://127.0.0.1:8788",
    nodeVersion: "v24.0.0",
    config,
    simulatedUrl: undefined
  })
  const lines = banner.split("\n").filter((line) => line.startsWith("curl "))
  assert.lengthOf(lines, 2)
  return lines
})

const provider = { AIBRIDGE_PROVIDER_0_TYPE: "anthropic", AIBRIDGE_PROVIDER_0_NAME: "main" }
const keys = { AIBRIDGE_PROVIDER_0_KEYS: "sk-never-shown" }
const tokens = { AIBRIDGE_TOKENS: "ada=token-never-shown" }

describe("The lines to paste", () => {
  it.effect.each([
    { what: "an open gateway", environment: { ...provider, ...keys }, has: [], lacks: ["x-api-key", "Bearer"] },
    { what: "tokens", environment: { ...provider, ...keys, ...tokens }, has: ["authorization: Bearer <"], lacks: [] },
    { what: "no keys", environment: provider, has: ["x-api-key: <"], lacks: ["Bearer", "x-aibridge-token"] },
    {
      what: "Bedrock",
      environment: {
        ...provider,
        AIBRIDGE_PROVIDER_0_BEDROCK_REGION: "us-east-1",
        AIBRIDGE_PROVIDER_0_BEDROCK_MODEL: "big",
        AIBRIDGE_PROVIDER_0_BEDROCK_SMALL_FAST_MODEL: "small"
      },
      has: [],
      lacks: ["x-api-key", "Bearer"]
    },
    {
      what: "no keys, and tokens",
      environment: { ...provider, ...tokens },
      has: ["x-api-key: <", "x-aibridge-token: <"],
      lacks: ["Bearer"]
    }
  ])("name the headers that are needed with $what, and no secret", ({ environment, has, lacks }) =>
    Effect.gen(function* () {
      for (const line of yield* curls(environment)) {
        assert.include(line, "http://127.0.0.1:8787/main/v1/messages")
        for (const part of has) assert.include(line, part)
        for (const part of [...lacks, "never-shown"]) assert.notInclude(line, part)
      }
    })
  )

  it.effect.each([
    {
      what: "openai",
      environment: { AIBRIDGE_PROVIDER_0_TYPE: "openai", ...keys },
      has: ["http://127.0.0.1:8787/openai/v1/chat/completions -H"],
      lacks: ["Bearer", "x-aibridge-token"]
    },
    {
      what: "openai by another name, with tokens",
      environment: {
        AIBRIDGE_PROVIDER_0_TYPE: "openai",
        AIBRIDGE_PROVIDER_0_NAME: "main",
        ...keys,
        ...tokens
      },
      has: ["http://127.0.0.1:8787/main/v1/chat/completions -H", "-H 'authorization: Bearer <gateway token>'"],
      lacks: ["x-aibridge-token"]
    },
    {
      what: "openai without keys, with tokens",
      environment: { AIBRIDGE_PROVIDER_0_TYPE: "openai", ...tokens },
      has: ["-H 'authorization: Bearer <your provider key>'", "-H 'x-aibridge-token: <gateway token>'"],
      lacks: []
    },
    {
      what: "copilot",
      environment: { AIBRIDGE_PROVIDER_0_TYPE: "copilot" },
      has: ["http://127.0.0.1:8787/copilot/chat/completions -H", "-H 'authorization: Bearer <your provider key>'"],
      lacks: ["x-aibridge-token"]
    },
    {
      what: "copilot by another name, with tokens",
      environment: { AIBRIDGE_PROVIDER_0_TYPE: "copilot", AIBRIDGE_PROVIDER_0_NAME: "main", ...tokens },
      has: [
        "http://127.0.0.1:8787/main/chat/completions -H",
        "-H 'authorization: Bearer <your provider key>'",
        "-H 'x-aibridge-token: <gateway token>'"
      ],
      lacks: []
    }
  ])("ask $what in its own dialect", ({ environment, has, lacks }) =>
    Effect.gen(function* () {
      const lines = yield* curls(environment)
      assert.deepStrictEqual(
        lines.map((line) => / -d '([^']*)'$/.exec(line)?.[1]),
        [
          `{"model":"gpt-5-mini","messages":[{"role":"user","content":"Hello"}]}`,
          `{"model":"gpt-5-mini","stream":true,"messages":[{"role":"user","content":"Hello"}]}`
        ]
      )
      for (const line of lines) {
        for (const part of has) assert.include(line, part)
        for (const part of [...lacks, "anthropic", "x-api-key", "max_tokens", "never-shown"]) {
          assert.notInclude(line, part)
        }
      }
    })
  )

  it.effect("tell Anthropic their version, as its API wants it", () =>
    Effect.gen(function* () {
      for (const line of yield* curls({ ...provider, ...keys })) {
        assert.include(line, "-H 'anthropic-version: 2023-06-01'")
        assert.include(line, `"max_tokens":`)
      }
    })
  )

  it.effect.each([
    { listening: "http://0.0.0.0:8787", called: "http://127.0.0.1:8787/" },
    { listening: "http://[::]:8787", called: "http://[::1]:8787/" },
    { listening: "http://192.0.2.1:8787", called: "http://192.0.2.1:8787/" }
  ])("call $called of a gateway that listens on $listening", ({ listening, called }) =>
    Effect.gen(function* () {
      for (const line of yield* curls({ ...provider, ...tokens }, listening)) assert.include(line, ` ${called}`)
    })
  )
})

describe("The banner with nothing configured", () => {
  it.live("names all mounts, who simulates them, and which of them take any credential", () =>
    Effect.gen(function* () {
      const { url, banner } = yield* TestService.start({})

      const lines = banner.split("\n")
      assert.deepStrictEqual(lines.slice(2, 6), [
        `  provider  anthropic (anthropic) at ${url}/anthropic, 3 key(s)`,
        `  provider  openai (openai) at ${url}/openai/v1, 3 key(s)`,
        `  provider  copilot (copilot) at ${url}/copilot, no keys: callers bring their own`,
        `  provider  bedrock (anthropic on Bedrock) at ${url}/bedrock, 3 credential(s)`
      ])
      assert.match(String(lines[6]), /^ +All SIMULATED by http:\/\/127\.0\.0\.1:\d+: no account is used, /)
      assert.include(banner, "Where there are no keys any Bearer will do.")
      assert.notMatch(banner, /sk-simulated|AKIA|secret/)
    })
  )
})
