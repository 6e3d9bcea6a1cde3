import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Anthropic from "../../src/providers/Anthropic.ts"
import * as Providers from "../../src/providers/Providers.ts"

const built = (...providers: ReadonlyArray<ReturnType<typeof Anthropic.make>>) =>
  Effect.scoped(Effect.provide(Providers.Providers, Layer.fresh(Providers.layer(providers))))

describe("The providers of a gateway", () => {
  it.effect("are those that were given, in order", () =>
    Effect.gen(function* () {
      const { all } = yield* built(Anthropic.make({ name: "b" }), Anthropic.make({ name: "a" }))

      assert.deepStrictEqual(
        all().map((provider) => provider.name),
        ["b", "a"]
      )
    })
  )

  it.effect("may be none", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* built()).all(), [])
    })
  )

  it.effect("may have the same base URL", () =>
    Effect.gen(function* () {
      const baseUrl = "https://api.test"

      assert.lengthOf((yield* built(Anthropic.make({ name: "a", baseUrl }), Anthropic.make({ baseUrl }))).all(), 2)
    })
  )

  it.effect("must not have the same name", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(built(Anthropic.make(), Anthropic.make({ name: "a" }), Anthropic.make()))

      assert.strictEqual(error.message, `provider "anthropic": name: another provider has it`)
    })
  )

  it.effect("fail with what is wrong with one of them", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(built(Anthropic.make(), Anthropic.make({ name: "B" })))

      assert.strictEqual(error._tag, "InvalidProvider")
      assert.match(error.message, /"B": name/)
    })
  )
})
