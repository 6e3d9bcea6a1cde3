import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Banner from "../../src/service/Banner.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"

const curls = Effect.fnUntraced(function* (environment: ServiceConfig.Environment, url = "http://127.0.0.1:8787") {
  const config = yield* ServiceConfig.fromEnvironment(environment)
  const banner = Banner.render({ url, nodeVersion: "v24.0.0", config, simulatedUrl: undefined })
  return banner.split("\n").filter((line) => line.startsWith("curl "))
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
    { listening: "http://0.0.0.0:8787", called: "http://127.0.0.1:8787/" },
    { listening: "http://[::]:8787", called: "http://[::1]:8787/" },
    { listening: "http://192.0.2.1:8787", called: "http://192.0.2.1:8787/" }
  ])("call $called of a gateway that listens on $listening", ({ listening, called }) =>
    Effect.gen(function* () {
      for (const line of yield* curls({ ...provider, ...tokens }, listening)) assert.include(line, ` ${called}`)
    })
  )
})
