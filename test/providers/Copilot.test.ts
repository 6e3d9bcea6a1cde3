import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Copilot from "../../src/providers/Copilot.ts"
import * as Provider from "../../src/providers/Provider.ts"

const bearer = (value: string, secret: string) => ({ header: "authorization", value, secret })

describe("A Copilot provider", () => {
  it.effect("has no version, and no keys even if it is given some", () =>
    Effect.gen(function* () {
      const provider = yield* Copilot.make()
      const business = yield* Copilot.make({
        name: "copilot-business",
        baseUrl: "https://api.business.githubcopilot.com"
      })
      const pooled = yield* Provider.make(Copilot.vendor, { keys: [Redacted.make("some-key")] })

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
