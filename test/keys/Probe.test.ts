import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import * as TestPool from "./TestPool.ts"
import { minutely, probeAfter, refused } from "./TestProbe.ts"

describe("A probe that succeeds", () => {
  it.effect("makes the key valid, no probe any more, and is a change once", () =>
    Effect.gen(function* () {
      const { pool } = yield* refused(minutely)
      const probe = yield* probeAfter(pool, 60_000)

      assert.isTrue(pool.markValid(probe))
      assert.isFalse(pool.markValid(probe))

      assert.strictEqual(yield* TestPool.tag(pool), "Valid")
      assert.isFalse((yield* pool.walker().next).isProbe)
    })
  )

  it.effect("begins the recheck's delays anew", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* refused(Schedule.exponential("1 minute"))
      yield* pool.markPermanent(yield* probeAfter(pool, 60_000))
      pool.markValid(yield* probeAfter(pool, 120_000))

      assert.isTrue(yield* pool.markPermanent(key))

      yield* probeAfter(pool, 60_000)
    })
  )

  it.effect("makes the key valid even if a rest from before its refusal still runs", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single({ recheck: minutely })
      yield* pool.markTemporary(key, Duration.hours(1))
      yield* pool.markPermanent(key)

      pool.markValid(yield* probeAfter(pool, 60_000))

      assert.strictEqual(yield* TestPool.tag(pool), "Valid")
    })
  )
})

describe("A probe that is refused", () => {
  it.effect("keeps the key out until the next delay, and is no change", () =>
    Effect.gen(function* () {
      const { pool } = yield* refused(minutely)
      const probe = yield* probeAfter(pool, 60_000)
      yield* TestClock.adjust("10 seconds")

      assert.isFalse(yield* pool.markPermanent(probe))

      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
      yield* probeAfter(pool, 60_000)
    })
  )
})

describe("A probe that says nothing about the key", () => {
  it.effect("keeps the key out until the next delay", () =>
    Effect.gen(function* () {
      const { pool } = yield* refused(minutely)
      const probe = yield* probeAfter(pool, 60_000)
      yield* TestClock.adjust("10 seconds")

      yield* pool.releaseProbe(probe)

      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
      yield* probeAfter(pool, 60_000)
    })
  )

  it.effect("does not set a key aside that an operator brought back meanwhile", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* refused(minutely)
      const probe = yield* probeAfter(pool, 60_000)
      yield* pool.reset(key)

      yield* pool.releaseProbe(probe)

      assert.strictEqual(yield* TestPool.tag(pool), "Valid")
    })
  )
})

describe("A probe that meets a rate limit", () => {
  it.effect("makes the key one that rests and comes back by itself", () =>
    Effect.gen(function* () {
      const { pool } = yield* refused(minutely)
      const probe = yield* probeAfter(pool, 60_000)

      const deadline = yield* pool.markTemporary(probe, Duration.seconds(30))

      assert.strictEqual(deadline, 90_000)
      yield* TestClock.adjust(29_999)
      assert.strictEqual(yield* TestPool.tag(pool), "Temporary")
      yield* TestClock.adjust(1)
      assert.isFalse((yield* pool.walker().next).isProbe)
    })
  )

  it.effect("lets the key rest for the schedule's first delay when none is named", () =>
    Effect.gen(function* () {
      const { pool } = yield* refused(minutely)
      const probe = yield* probeAfter(pool, 60_000)

      assert.strictEqual(yield* pool.markTemporary(probe), 120_000)
    })
  )
})

describe("A request from before the refusal", () => {
  it.effect("does not revive the key by its late success", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* refused(minutely)
      yield* probeAfter(pool, 60_000)

      assert.isFalse(pool.markValid(key))
      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
    })
  )

  it.effect("does not revive the key by its late rate limit", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* refused(minutely)

      assert.isUndefined(yield* pool.markTemporary(key))
      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
    })
  )

  it.effect("does not put off the next probe by its late refusal", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* refused(minutely)
      yield* TestClock.adjust("30 seconds")

      assert.isFalse(yield* pool.markPermanent(key))
      yield* pool.releaseProbe(key)

      yield* probeAfter(pool, 30_000)
    })
  )
})
