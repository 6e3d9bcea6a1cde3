import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as KeyPoolError from "../../src/keys/KeyPoolError.ts"
import * as Copilot from "../../src/providers/Copilot.ts"
import * as OpenAi from "../../src/providers/OpenAi.ts"
import type { RequestHeaders } from "../../src/domain/HeaderRecord.ts"
import * as Provider from "../../src/providers/Provider.ts"

const keys = ["first-key-NEVER-SHOWN", "second-key-NEVER-SHOWN"].map((key) => Redacted.make(key))

const bearer = (value: string, secret: string) => ({ header: "authorization", value, secret })

describe("An OpenAI provider", () => {
  it.effect("has its version in its mount point and in its base URL", () =>
    Effect.gen(function* () {
      const provider = yield* OpenAi.make()
      const custom = yield* OpenAi.make({ name: "openai-custom", baseUrl: "https://vendor.test/api/v3/" })

      assert.deepInclude(provider, {
        type: "openai",
        name: "openai",
        routePrefix: "/openai/v1",
        baseUrl: { origin: "https://api.openai.com", path: "/v1" }
      })
      assert.deepInclude(custom, {
        type: "openai",
        name: "openai-custom",
        routePrefix: "/openai-custom/v1",
        baseUrl: { origin: "https://vendor.test", path: "/api/v3" }
      })
    })
  )

  it.effect("bridges chat completions and responses, and forwards nothing but the known routes", () =>
    Effect.gen(function* () {
      const provider = yield* OpenAi.make()

      assert.deepStrictEqual(
        provider.bridgedRoutes.map(({ path, dialect }) => [path, dialect.name]),
        [
          ["/chat/completions", "openai-chat"],
          ["/responses", "openai-responses"]
        ]
      )
      assert.deepStrictEqual(provider.passthroughRoutes, [
        "/conversations",
        "/conversations/",
        "/models",
        "/models/",
        "/responses/"
      ])
    })
  )

  it.effect.each<{ readonly headers: RequestHeaders; readonly own: ReturnType<typeof bearer> | undefined }>([
    { headers: {}, own: undefined },
    { headers: { "content-type": "application/json" }, own: undefined },
    { headers: { "x-api-key": "own" }, own: undefined },
    { headers: { authorization: " " }, own: undefined },
    { headers: { authorization: "Bearer own" }, own: bearer("Bearer own", "own") },
    { headers: { authorization: "Bearer own", "x-api-key": "other" }, own: bearer("Bearer own", "own") },
    { headers: { authorization: "Basic b3du" }, own: bearer("Basic b3du", "Basic b3du") }
  ])("finds a caller's own credential in $headers", ({ headers, own }) =>
    Effect.gen(function* () {
      const { isByok, byokCredential } = (yield* OpenAi.make()).keyFailover

      assert.deepStrictEqual(byokCredential(headers), own)
      assert.strictEqual(isByok(headers), own !== undefined)
    })
  )

  it.effect("puts a key into Authorization and leaves the rest", () =>
    Effect.gen(function* () {
      const { injectAuthKey } = (yield* OpenAi.make()).keyFailover

      assert.deepStrictEqual(injectAuthKey({ authorization: "Bearer stale", "x-api-key": "x" }, Redacted.make("k")), {
        authorization: "Bearer k",
        "x-api-key": "x"
      })
    })
  )

  it.effect("says in OpenAI's shape that no key is left", () =>
    Effect.gen(function* () {
      const { buildKeyPoolResponse } = (yield* OpenAi.make()).keyFailover

      const transient = buildKeyPoolResponse(KeyPoolError.transient("openai", Duration.seconds(5)))
      const permanent = buildKeyPoolResponse(KeyPoolError.permanent("openai"))

      assert.deepStrictEqual(
        { ...transient, body: JSON.parse(transient.body) },
        {
          status: 429,
          headers: { "retry-after": "5" },
          body: {
            error: {
              message: "all configured keys are rate-limited (retry after 5s)",
              type: "rate_limit_error",
              param: null,
              code: "rate_limit_exceeded"
            }
          }
        }
      )
      assert.deepStrictEqual(
        { ...permanent, body: JSON.parse(permanent.body) },
        {
          status: 502,
          headers: { "x-should-retry": "false" },
          body: {
            error: {
              message: "all configured keys failed authentication",
              type: "api_error",
              param: null,
              code: "server_error"
            }
          }
        }
      )
    })
  )
})

describe("A Copilot provider", () => {
  it.effect("has no version, and no keys even if it is given some", () =>
    Effect.gen(function* () {
      const provider = yield* Copilot.make()
      const business = yield* Copilot.make({
        name: "copilot-business",
        baseUrl: "https://api.business.githubcopilot.com"
      })
      const pooled = yield* Provider.make(Copilot.vendor, { keys })

      assert.deepInclude(provider, {
        type: "copilot",
        name: "copilot",
        routePrefix: "/copilot",
        baseUrl: { origin: "https://api.individual.githubcopilot.com", path: "" }
      })
      assert.deepInclude(business, {
        type: "copilot",
        routePrefix: "/copilot-business",
        baseUrl: { origin: "https://api.business.githubcopilot.com", path: "" }
      })
      assert.isUndefined(pooled.keyFailover.pool)
    })
  )

  it.effect("bridges what OpenAI does, and forwards nothing but the known routes", () =>
    Effect.gen(function* () {
      const provider = yield* Copilot.make()

      assert.deepStrictEqual(
        provider.bridgedRoutes.map(({ path }) => path),
        ["/chat/completions", "/responses"]
      )
      assert.deepStrictEqual(provider.passthroughRoutes, ["/models", "/models/", "/agents/", "/mcp/", "/.well-known/"])
    })
  )

  it.effect.each<{ readonly authorization: string; readonly own: ReturnType<typeof bearer> | undefined }>([
    { authorization: "Bearer gho_1", own: bearer("Bearer gho_1", "gho_1") },
    { authorization: "bearer  gho_1", own: bearer("bearer  gho_1", "gho_1") },
    { authorization: "gho_1", own: undefined },
    { authorization: "Bearer", own: undefined },
    { authorization: "Bearer a b", own: undefined },
    { authorization: "Basic gho_1", own: undefined },
    { authorization: "", own: undefined }
  ])("takes nothing but a bearer token for a credential: '$authorization'", ({ authorization, own }) =>
    Effect.gen(function* () {
      const { isByok, byokCredential } = (yield* Copilot.make()).keyFailover

      assert.deepStrictEqual(byokCredential({ authorization, "x-api-key": "x" }), own)
      assert.strictEqual(isByok({ authorization }), own !== undefined)
    })
  )
})
