import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as KeyState from "../../src/keys/KeyState.ts"
import * as TestPool from "./TestPool.ts"

describe("KeyState.derive", () => {
  it.each([
    { behaviour: "a key that never rested is valid", permanent: false, cooldownUntil: 0, now: 0, tag: "Valid" },
    {
      behaviour: "a key rests one tick before its deadline",
      permanent: false,
      cooldownUntil: 100,
      now: 99,
      tag: "Temporary"
    },
    { behaviour: "a key is valid at its deadline", permanent: false, cooldownUntil: 100, now: 100, tag: "Valid" },
    { behaviour: "a key is valid after its deadline", permanent: false, cooldownUntil: 100, now: 101, tag: "Valid" },
    { behaviour: "a refused key is permanent", permanent: true, cooldownUntil: 0, now: 0, tag: "Permanent" },
    {
      behaviour: "permanent wins over a running cooldown",
      permanent: true,
      cooldownUntil: 100,
      now: 99,
      tag: "Permanent"
    },
    { behaviour: "permanent outlives a cooldown", permanent: true, cooldownUntil: 100, now: 101, tag: "Permanent" }
  ])("$behaviour", ({ permanent, cooldownUntil, now, tag }) => {
    assert.strictEqual(KeyState.derive({ permanent, cooldownUntil }, now)._tag, tag)
  })

  it("says until when a key rests", () => {
    assert.deepStrictEqual(KeyState.derive({ permanent: false, cooldownUntil: 100 }, 1), {
      _tag: "Temporary",
      until: 100
    })
  })
})

describe("The state of a pool's key", () => {
  it.effect("is valid when fresh", () =>
    Effect.gen(function* () {
      const { pool } = yield* TestPool.single()

      assert.deepStrictEqual(yield* pool.states, [KeyState.valid])
    })
  )

  it.effect("is temporary during a cooldown", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()

      yield* pool.markTemporary(key, Duration.seconds(60))

      assert.deepStrictEqual(yield* pool.states, [KeyState.temporary(60_000)])
    })
  )

  it.effect("is valid again exactly when its cooldown ends", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()

      yield* pool.markTemporary(key, Duration.seconds(30))

      yield* TestClock.adjust(29_999)
      assert.strictEqual(yield* TestPool.tag(pool), "Temporary")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* TestPool.tag(pool), "Valid")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* TestPool.tag(pool), "Valid")
    })
  )

  it.effect("is permanent once marked so, a year later too", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()

      yield* pool.markPermanent(key)

      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
      yield* TestClock.adjust("365 days")
      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
    })
  )

  it.effect("is permanent even during a cooldown", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()

      yield* pool.markTemporary(key, Duration.seconds(60))
      yield* pool.markPermanent(key)

      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
    })
  )

  it.effect("is listed in the order of the keys", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(3)

      yield* pool.markPermanent(TestPool.keyAt(pool, 1))
      yield* pool.markTemporary(TestPool.keyAt(pool, 2))

      assert.deepStrictEqual(yield* TestPool.tags(pool), ["Valid", "Permanent", "Temporary"])
    })
  )
})
