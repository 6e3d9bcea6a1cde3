import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"
import * as FailurePolicy from "../../src/keys/KeyFailurePolicy.ts"
import * as KeyPool from "../../src/keys/KeyPool.ts"
import * as TestPool from "./TestPool.ts"

const secret = "sk-ant-NEVER-SHOWN-of-the-caller"

const byok = () => {
  const pool = KeyPool.byok("anthropic", secret)
  return { pool, key: TestPool.keyAt(pool, 0) }
}

describe("KeyPool.byok", () => {
  it("is of kind byok, with the provider's name and a policy that marks nothing", () => {
    const { pool } = byok()

    assert.strictEqual(pool.kind, "byok")
    assert.strictEqual(pool.provider, "anthropic")
    assert.strictEqual(pool.keyFailurePolicy, FailurePolicy.none)
  })

  it("has the caller's credential as its only key, which is no probe", () => {
    const { pool, key } = byok()

    assert.lengthOf(pool.keys, 1)
    assert.strictEqual(Redacted.value(key.value), secret)
    assert.strictEqual(key.hint, "sk-a...ller")
    assert.isFalse(key.isProbe)
  })

  it.effect("hands its key out once to each walker", () =>
    Effect.gen(function* () {
      const { pool } = byok()

      assert.deepStrictEqual(yield* TestPool.drain(pool.walker()), { indexes: [0], exhaustion: 0 })
      assert.deepStrictEqual(yield* TestPool.drain(pool.walker()), { indexes: [0], exhaustion: 0 })
    })
  )

  it.effect("counts its key as the only attempt", () =>
    Effect.gen(function* () {
      const { pool } = byok()
      const walker = pool.walker()

      assert.strictEqual(walker.attempts(), 0)
      yield* TestPool.drain(walker)

      assert.strictEqual(walker.attempts(), 1)
    })
  )

  it.effect("does nothing on any mark and calls none a change", () =>
    Effect.gen(function* () {
      const { pool, key } = byok()

      assert.isUndefined(yield* pool.markTemporary(key, Duration.seconds(60)))
      assert.isFalse(yield* pool.markPermanent(key))
      assert.isFalse(pool.markValid(key))
      yield* pool.releaseProbe(key)
      assert.isFalse(yield* pool.reset(key))

      assert.deepStrictEqual(yield* TestPool.tags(pool), ["Valid"])
      assert.strictEqual((yield* pool.walker().next).index, 0)
    })
  )

  it.effect("never shows the caller's credential", () =>
    Effect.gen(function* () {
      const { pool, key } = byok()
      const walker = pool.walker()
      yield* walker.next
      const error = yield* Effect.flip(walker.next)

      for (const value of [pool, key, walker, error]) {
        for (const text of [String(value), JSON.stringify(value), inspect(value, { depth: 10 })]) {
          assert.notInclude(text, "NEVER-SHOWN")
        }
      }
    })
  )
})
