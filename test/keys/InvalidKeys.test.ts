import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"
import * as KeyPool from "../../src/keys/KeyPool.ts"
import * as TestPool from "./TestPool.ts"

const refused = (keys: ReadonlyArray<string>) =>
  Effect.flip(KeyPool.make({ provider: "openai", keys: keys.map((key) => Redacted.make(key)) }))

const good = ["sk-good-a", "sk-good-b"]

describe("InvalidKeys", () => {
  it.effect("refuses a pool without keys", () =>
    Effect.gen(function* () {
      const error = yield* refused([])

      assert.strictEqual(error._tag, "InvalidKeys")
      assert.strictEqual(error.provider, "openai")
      assert.strictEqual(error.reason._tag, "NoKeys")
      assert.strictEqual(error.message, "no keys provided")
    })
  )

  it.effect("refuses 101 keys", () =>
    Effect.gen(function* () {
      const error = yield* refused(Array.from({ length: 101 }, (_, index) => TestPool.secret(index)))

      assert.deepStrictEqual({ ...error.reason }, { _tag: "TooManyKeys", count: 101 })
      assert.strictEqual(error.message, "too many keys (101), maximum is 100")
    })
  )

  it.effect("refuses a key that comes twice and names the second place", () =>
    Effect.gen(function* () {
      const error = yield* refused(["sk-same-secret", "sk-other", "sk-same-secret"])

      assert.deepStrictEqual({ ...error.reason }, { _tag: "DuplicateKey", index: 2 })
      assert.strictEqual(error.message, "duplicate key at index 2")
    })
  )

  it.effect.each([
    { flaw: "nothing in it", key: "" },
    { flaw: "only a space", key: " " },
    { flaw: "a space inside", key: "SECRET key" },
    { flaw: "a leading space", key: " SECRET" },
    { flaw: "a trailing space", key: "SECRET " },
    { flaw: "a line feed inside", key: "SECRET\nkey" },
    { flaw: "a trailing line feed", key: "SECRET\n" },
    { flaw: "a trailing carriage return", key: "SECRET\r" },
    { flaw: "a tab", key: "SECRET\tkey" },
    { flaw: "a null character", key: "SECRET\0" },
    { flaw: "a delete character", key: "SECRET\x7f" },
    { flaw: "a letter outside ASCII", key: "SECRETé" },
    { flaw: "a no-break space", key: "SECRET\u00a0key" },
    { flaw: "an emoji", key: "SECRET🌍" }
  ])("refuses a key with $flaw and names its place", ({ key }) =>
    Effect.gen(function* () {
      const error = yield* refused([...good, key])

      assert.deepStrictEqual({ ...error.reason }, { _tag: "MalformedKey", index: 2 })
      assert.include(error.message, "key at index 2")
    })
  )

  it.effect.each([
    { behaviour: "malformed", keys: [...good, "SECRET\nkey"] },
    { behaviour: "duplicate", keys: ["SECRET-key", "SECRET-key"] },
    { behaviour: "one of too many", keys: Array.from({ length: 101 }, (_, index) => `SECRET-key-${index}`) }
  ])("never shows a $behaviour key or its neighbours", ({ keys }) =>
    Effect.gen(function* () {
      const error = yield* refused(keys)

      const shown = [error.message, String(error), JSON.stringify(error), inspect(error, { depth: 10 }), error.stack]
      for (const text of shown) {
        assert.notInclude(text, "SECRET")
        assert.notInclude(text, "sk-good")
      }
    })
  )
})
