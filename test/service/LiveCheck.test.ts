import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as LiveCheck from "../../src/service/LiveCheck.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"

const { json, failure } = ScriptedUpstream

const environment = {
  AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
  AIBRIDGE_PROVIDER_0_KEYS: ["a", "b", "c", "d"].map((name) => `sk-${name}-never-shown-000000`).join(","),
  AIBRIDGE_PROVIDER_0_BASE_URL: "https://api.test/base",
  AIBRIDGE_PROVIDER_1_TYPE: "openai",
  AIBRIDGE_PROVIDER_1_KEYS: "sk-e-never-shown-000000",
  AIBRIDGE_PROVIDER_2_TYPE: "copilot",
  AIBRIDGE_PROVIDER_3_TYPE: "anthropic",
  AIBRIDGE_PROVIDER_3_NAME: "aws",
  AIBRIDGE_PROVIDER_3_BEDROCK_REGION: "eu-west-1",
  AIBRIDGE_PROVIDER_3_BEDROCK_MODEL: "big",
  AIBRIDGE_PROVIDER_3_BEDROCK_SMALL_FAST_MODEL: "small"
}

const script = [json(200, {}), json(429, {}), json(401, {}), failure(Failure.unreachable("ENOTFOUND")), json(403, {})]

describe("The live check", () => {
  it.effect("asks each key once for the list of models, and says what it has answered", () =>
    Effect.gen(function* () {
      const answers = yield* LiveCheck.ask(yield* ServiceConfig.fromEnvironment(environment))

      const key = "sk-a...0000"
      assert.deepStrictEqual(
        answers.map(({ provider, outcome, detail }) => [provider, outcome, detail]),
        [
          ["anthropic", "works", "200"],
          ["anthropic", "limited", "429"],
          ["anthropic", "refused", "401"],
          ["anthropic", "failed", "upstream unreachable (ENOTFOUND)"],
          ["openai", "refused", "403"],
          ["aws", "not asked", "there is no list of models to ask for"]
        ]
      )
      assert.deepInclude(answers[0], { key })
      assert.notInclude(JSON.stringify(answers), "never-shown")

      const upstream = yield* ScriptedUpstream.ScriptedUpstream
      const requests = yield* upstream.requests
      assert.deepStrictEqual(
        requests.map(({ method, origin, path }) => `${method} ${origin}${path}`),
        [
          ...Array.from({ length: 4 }, () => "GET https://api.test/base/v1/models"),
          "GET https://api.openai.com/v1/models"
        ]
      )
      assert.deepStrictEqual(
        requests.map(({ headers }) => headers["x-api-key"] ?? headers["authorization"]),
        ["sk-a", "sk-b", "sk-c", "sk-d", "Bearer sk-e"].map((begin) => `${begin}-never-shown-000000`)
      )
    }).pipe(Effect.provide(ScriptedUpstream.layer(script)))
  )
})
