import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import * as TestPool from "./TestPool.ts"

const answered = (status: number) => ({ _tag: "Answered", status }) as const

describe("KeyPool.disable", () => {
  it.effect("sets a key aside, and answers a change once", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()

      assert.isTrue(yield* pool.disable(key))
      assert.isFalse(yield* pool.disable(key))
      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
    })
  )

  it.effect("is a change to a key that upstream has refused", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* pool.markPermanent(key, answered(401))

      assert.isTrue(yield* pool.disable(key))
    })
  )

  it.effect("keeps a key from being tried again by itself", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single({ recheck: Schedule.spaced("5 minutes") })
      yield* pool.markPermanent(key, answered(401))
      yield* pool.disable(key)
      yield* TestClock.adjust("1 hour")

      assert.deepStrictEqual((yield* TestPool.drain(pool.walker())).indexes, [])
    })
  )

  it.effect("is not undone by a request that was under way, or by a probe", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single({ recheck: Schedule.spaced("5 minutes") })
      yield* pool.markPermanent(key, answered(401))
      yield* TestClock.adjust("5 minutes")
      const probe = yield* pool.walker().next
      yield* pool.disable(key)

      pool.markValid(key)
      pool.markValid(probe)
      yield* pool.markTemporary(probe)
      yield* pool.markPermanent(probe, answered(401))
      yield* TestClock.adjust("1 hour")

      assert.deepStrictEqual(yield* pool.statuses, [
        { state: { _tag: "Permanent" }, why: { _tag: "Operator" }, recheckAt: undefined }
      ])
      assert.deepStrictEqual((yield* TestPool.drain(pool.walker())).indexes, [])
    })
  )

  it.effect("holds, though a refusal that came before is still looking for the time of its recheck", () =>
    Effect.gen(function* () {
      const slow = Schedule.spaced("5 minutes").pipe(Schedule.tap(() => Effect.yieldNow))
      const { pool, key } = yield* TestPool.single({ recheck: slow })
      const marking = yield* Effect.forkChild(pool.markPermanent(key, answered(401)), { startImmediately: true })
      yield* pool.disable(key)
      yield* Fiber.join(marking)

      assert.deepStrictEqual(yield* pool.statuses, [
        { state: { _tag: "Permanent" }, why: { _tag: "Operator" }, recheckAt: undefined }
      ])
    })
  )

  it.effect("is undone by a reset", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* pool.disable(key)

      assert.isTrue(yield* pool.reset(key))
      assert.strictEqual(yield* TestPool.tag(pool), "Valid")
    })
  )
})

describe("KeyPool.statuses", () => {
  it.effect("say who has said that a key is not valid, and when it is tried again", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(4, { recheck: Schedule.spaced("5 minutes") })
      yield* pool.markTemporary(TestPool.keyAt(pool, 1), undefined, answered(429))
      yield* pool.markPermanent(TestPool.keyAt(pool, 2), answered(403))
      yield* pool.disable(TestPool.keyAt(pool, 3))

      assert.deepStrictEqual(yield* pool.statuses, [
        { state: { _tag: "Valid" }, why: undefined, recheckAt: undefined },
        { state: { _tag: "Temporary", until: 60_000 }, why: answered(429), recheckAt: undefined },
        { state: { _tag: "Permanent" }, why: answered(403), recheckAt: 300_000 },
        { state: { _tag: "Permanent" }, why: { _tag: "Operator" }, recheckAt: undefined }
      ])
    })
  )

  it.effect("say nothing more of a key that is back", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      const valid = [{ state: { _tag: "Valid" }, why: undefined, recheckAt: undefined }]
      yield* pool.markTemporary(key, undefined, answered(429))
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual<unknown>(yield* pool.statuses, valid)

      yield* pool.markPermanent(key, answered(401))
      yield* pool.reset(key)
      assert.deepStrictEqual<unknown>(yield* pool.statuses, valid)
    })
  )
})
