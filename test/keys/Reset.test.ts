import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import * as TestPool from "./TestPool.ts"

describe("KeyPool.reset", () => {
  it.effect("brings a resting key back", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* pool.markTemporary(key, Duration.seconds(60))

      assert.isTrue(yield* pool.reset(key))
      assert.strictEqual(yield* TestPool.tag(pool), "Valid")
    })
  )

  it.effect("brings a permanent key back", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* pool.markPermanent(key)

      assert.isTrue(yield* pool.reset(key))
      assert.strictEqual(yield* TestPool.tag(pool), "Valid")
    })
  )

  it.effect("brings a permanent key back whose older rest still runs", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* pool.markTemporary(key, Duration.seconds(60))
      yield* pool.markPermanent(key)

      assert.isTrue(yield* pool.reset(key))
      assert.strictEqual(yield* TestPool.tag(pool), "Valid")
    })
  )

  it.effect("answers that it changed nothing about a valid key", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()

      assert.isFalse(yield* pool.reset(key))
      yield* pool.markTemporary(key, Duration.seconds(60))
      yield* TestClock.adjust("60 seconds")
      assert.isFalse(yield* pool.reset(key))
    })
  )

  it.effect("answers a change once", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* pool.markPermanent(key)

      yield* pool.reset(key)

      assert.isFalse(yield* pool.reset(key))
    })
  )

  it.effect("is about one key only", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(3)
      yield* Effect.forEach(pool.keys, (key) => pool.markPermanent(key))

      yield* pool.reset(TestPool.keyAt(pool, 1))

      assert.deepStrictEqual(yield* TestPool.tags(pool), ["Permanent", "Valid", "Permanent"])
    })
  )

  it.effect("begins the row of cooldowns anew", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single({ cooldown: Schedule.exponential("1 second") })
      yield* pool.markTemporary(key)
      yield* TestClock.adjust("1 second")
      yield* pool.markTemporary(key)

      yield* pool.reset(key)

      assert.strictEqual(yield* pool.markTemporary(key), 2000)
    })
  )

  it.effect("makes later marks changes again", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* pool.markPermanent(key)

      yield* pool.reset(key)

      assert.isTrue(yield* pool.markPermanent(key))
    })
  )

  it.effect("hands a key out as itself, not as a probe, and begins the recheck's delays anew", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single({ recheck: Schedule.exponential("1 minute") })
      yield* pool.markPermanent(key)
      yield* TestClock.adjust("1 minute")
      yield* pool.markPermanent(yield* pool.walker().next)

      yield* pool.reset(key)
      assert.isFalse((yield* pool.walker().next).isProbe)
      yield* pool.markPermanent(key)

      yield* TestClock.adjust(59_999)
      yield* Effect.flip(pool.walker().next)
      yield* TestClock.adjust(1)
      assert.isTrue((yield* pool.walker().next).isProbe)
    })
  )
})
