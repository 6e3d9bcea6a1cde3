import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import { hint } from "../../src/domain/Credential.ts"
import * as FailurePolicy from "../../src/keys/KeyFailurePolicy.ts"
import * as KeyPool from "../../src/keys/KeyPool.ts"
import * as TestPool from "./TestPool.ts"

describe("KeyPool.make", () => {
  it.effect("hands out its only key, then says that a key is valid right now", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(1)
      const walker = pool.walker()

      const key = yield* walker.next
      const error = yield* Effect.flip(walker.next)

      assert.strictEqual(Redacted.value(key.value), TestPool.secret(0))
      assert.strictEqual(TestPool.exhaustion(error), 0)
      assert.deepStrictEqual(yield* TestPool.tags(pool), ["Valid"])
    })
  )

  it.effect("keeps several keys in the given order, all of them valid", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(3)

      const walk = yield* TestPool.drain(pool.walker())

      assert.deepStrictEqual(walk, { indexes: [0, 1, 2], exhaustion: 0 })
      assert.deepStrictEqual(
        pool.keys.map((key) => Redacted.value(key.value)),
        [TestPool.secret(0), TestPool.secret(1), TestPool.secret(2)]
      )
      assert.deepStrictEqual(yield* TestPool.tags(pool), ["Valid", "Valid", "Valid"])
    })
  )

  it.effect("takes 100 keys", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(100)

      const walk = yield* TestPool.drain(pool.walker())

      assert.lengthOf(pool.keys, 100)
      assert.strictEqual(walk.indexes.at(-1), 99)
    })
  )

  it.effect("gives each key its place, its hint and no probe", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(2)

      for (const [index, key] of pool.keys.entries()) {
        assert.strictEqual(key.index, index)
        assert.strictEqual(key.hint, hint(TestPool.secret(index)))
        assert.isFalse(key.isProbe)
      }
    })
  )

  it.effect("is centralized, carries its provider's name and is strict by default", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(1)

      assert.strictEqual(pool.kind, "centralized")
      assert.strictEqual(pool.provider, "anthropic")
      assert.strictEqual(pool.keyFailurePolicy, FailurePolicy.strict)
    })
  )

  it.effect("takes another failure policy", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(1, { keyFailurePolicy: FailurePolicy.lenient })

      assert.strictEqual(pool.keyFailurePolicy, FailurePolicy.lenient)
    })
  )

  it.effect("shares no state with another pool of the same keys", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(1)
      yield* pool.markPermanent(TestPool.keyAt(pool, 0))

      const fresh = yield* TestPool.make(1)

      assert.deepStrictEqual(yield* TestPool.tags(fresh), ["Valid"])
    })
  )

  it.effect("takes every printable ASCII character in a key", () =>
    Effect.gen(function* () {
      const printable = Array.from({ length: 0x7e - 0x20 }, (_, offset) => String.fromCodePoint(0x21 + offset)).join("")

      const pool = yield* KeyPool.make({ provider: "openai", keys: [Redacted.make(printable)] })

      assert.strictEqual(Redacted.value(TestPool.keyAt(pool, 0).value), printable)
    })
  )

  it.effect("dies on a mark for a place that it does not have", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(1)
      const stranger = TestPool.keyAt(yield* TestPool.make(2), 1)

      const exit = yield* Effect.exit(pool.markPermanent(stranger))

      assert.isTrue(Exit.hasDies(exit))
    })
  )
})
