import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import * as TestPool from "./TestPool.ts"
import { handedOut, minutely, probeAfter, refused } from "./TestProbe.ts"

describe("A permanent key without recheck", () => {
  it.effect("is not handed out again after a year", () =>
    Effect.gen(function* () {
      const { pool } = yield* refused(undefined)

      yield* TestClock.adjust("365 days")

      assert.strictEqual(TestPool.exhaustion(yield* Effect.flip(pool.walker().next)), "permanent")
    })
  )
})

describe("A permanent key with recheck", () => {
  it.effect("is handed out as a probe after its delay and not one tick before", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* refused(minutely)

      const probe = yield* probeAfter(pool, 60_000)

      assert.deepStrictEqual({ ...probe, isProbe: false }, { ...key })
    })
  )

  it.effect("is still permanent while its probe is under way", () =>
    Effect.gen(function* () {
      const { pool } = yield* refused(minutely)

      yield* probeAfter(pool, 60_000)

      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
    })
  )

  it.effect("is handed out to one of 10 concurrent walkers, and to none until that one is done", () =>
    Effect.gen(function* () {
      const { pool } = yield* refused(minutely, 2)
      yield* TestClock.adjust("1 minute")

      const first = yield* Effect.forEach(Array.from({ length: 10 }), () => pool.walker().next, {
        concurrency: "unbounded"
      })
      yield* TestClock.adjust("1 day")
      const later = yield* pool.walker().next

      assert.deepStrictEqual(first.map((key) => key.index).toSorted(), [0, 1, 1, 1, 1, 1, 1, 1, 1, 1])
      assert.strictEqual(later.index, 1)
    })
  )

  it.effect("leaves the walk to go on with the next key after the probe", () =>
    Effect.gen(function* () {
      const { pool } = yield* refused(minutely, 2)
      yield* TestClock.adjust("1 minute")

      const walk = yield* TestPool.drain(pool.walker())

      assert.deepStrictEqual(walk, { indexes: [0, 1], exhaustion: 0 })
    })
  )

  it.effect("is probed after each of the recheck's delays and never after its last", () =>
    Effect.gen(function* () {
      const { pool } = yield* refused(Schedule.exponential("1 minute").pipe(Schedule.upTo({ times: 3 })))

      for (const millis of [60_000, 120_000, 240_000]) {
        yield* pool.markPermanent(yield* probeAfter(pool, millis))
      }
      yield* TestClock.adjust("365 days")

      assert.isUndefined(yield* handedOut(pool))
    })
  )
})
