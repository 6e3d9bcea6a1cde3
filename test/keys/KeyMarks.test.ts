import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as TestPool from "./TestPool.ts"

describe("KeyPool.markTemporary", () => {
  it.effect("puts a valid key to rest and answers its deadline", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 hour")
      const { pool, key } = yield* TestPool.single()

      const deadline = yield* pool.markTemporary(key, Duration.seconds(60))

      assert.strictEqual(deadline, 3_660_000)
      assert.deepStrictEqual(yield* pool.states, [{ _tag: "Temporary", until: 3_660_000 }])
    })
  )

  it.effect("extends a rest by a longer one without calling it a change", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* pool.markTemporary(key, Duration.seconds(10))

      const deadline = yield* pool.markTemporary(key, Duration.seconds(60))

      assert.isUndefined(deadline)
      assert.deepStrictEqual(yield* pool.states, [{ _tag: "Temporary", until: 60_000 }])
    })
  )

  it.effect("keeps the longer rest when a shorter one comes", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* pool.markTemporary(key, Duration.seconds(60))

      const deadline = yield* pool.markTemporary(key, Duration.seconds(10))

      assert.isUndefined(deadline)
      assert.deepStrictEqual(yield* pool.states, [{ _tag: "Temporary", until: 60_000 }])
    })
  )

  it.effect("is a change again once the rest is over", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* pool.markTemporary(key, Duration.seconds(10))

      yield* TestClock.adjust("10 seconds")

      assert.strictEqual(yield* pool.markTemporary(key, Duration.seconds(5)), 15_000)
    })
  )

  it.effect("leaves a permanent key permanent", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* pool.markPermanent(key)

      const deadline = yield* pool.markTemporary(key, Duration.seconds(60))

      assert.isUndefined(deadline)
      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
    })
  )

  it.effect("rests the marked key only", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(3)

      yield* pool.markTemporary(TestPool.keyAt(pool, 1))

      assert.deepStrictEqual(yield* TestPool.tags(pool), ["Valid", "Temporary", "Valid"])
    })
  )

  it.effect("lets the longer rest win among 10 parallel marks, of which one is the change", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()

      const answers = yield* Effect.forEach(
        Array.from({ length: 10 }, (_, index) => Duration.seconds(index % 2 === 0 ? 60 : 10)),
        (cooldown) => pool.markTemporary(key, cooldown),
        { concurrency: "unbounded" }
      )

      assert.lengthOf(
        answers.filter((answer) => answer !== undefined),
        1
      )
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual(yield* TestPool.tag(pool), "Temporary")
      yield* TestClock.adjust(9_999)
      assert.strictEqual(yield* TestPool.tag(pool), "Temporary")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* TestPool.tag(pool), "Valid")
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* TestPool.tag(pool), "Valid")
    })
  )
})

describe("KeyPool.markPermanent", () => {
  it.effect("sets a valid key aside", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()

      assert.isTrue(yield* pool.markPermanent(key))
      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
    })
  )

  it.effect("sets a resting key aside", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* pool.markTemporary(key, Duration.seconds(60))

      assert.isTrue(yield* pool.markPermanent(key))
      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
    })
  )

  it.effect("is no change for a permanent key", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* pool.markPermanent(key)

      assert.isFalse(yield* pool.markPermanent(key))
      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
    })
  )

  it.effect("is one change among 10 parallel marks", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()

      const answers = yield* Effect.forEach(Array.from({ length: 10 }), () => pool.markPermanent(key), {
        concurrency: "unbounded"
      })

      assert.lengthOf(
        answers.filter((changed) => changed),
        1
      )
    })
  )
})

describe("KeyPool.markValid", () => {
  it.effect("does not cut a running rest short", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* pool.markTemporary(key, Duration.seconds(60))

      assert.isFalse(pool.markValid(key))
      assert.strictEqual(yield* TestPool.tag(pool), "Temporary")
    })
  )
})
