import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as OpenAi from "../../src/providers/OpenAi.ts"
import type { RequestHeaders } from "../../src/domain/HeaderRecord.ts"

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
})
