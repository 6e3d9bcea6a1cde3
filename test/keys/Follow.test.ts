/** A pool that takes the place of another one. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import * as KeyPool from "../../src/keys/KeyPool.ts"
import * as TestPool from "./TestPool.ts"

/** A pool of the keys at these indexes that follows another one. */
const following = Effect.fnUntraced(function* (
  older: KeyPool.KeyPool,
  indexes: ReadonlyArray<number>,
  options: Partial<KeyPool.Options> = {}
) {
  const keys = indexes.map((index) => Redacted.make(TestPool.secret(index)))
  const newer = yield* TestPool.make(0, { keys, ...options })
  yield* KeyPool.follow(newer, older)
  return newer
})

const rows = Schedule.concat(Schedule.duration("5 seconds"), Schedule.duration("20 seconds"))

const restOf = (pool: KeyPool.KeyPool, index: number) =>
  Effect.map(pool.states, (states) => {
    const state = states[index]
    return state?._tag === "Temporary" ? state.until : state?._tag
  })

describe("A pool that follows another one", () => {
  it.effect("has the states of the keys that are in both, wherever they stand", () =>
    Effect.gen(function* () {
      const older = yield* TestPool.make(3)
      yield* older.markTemporary(TestPool.keyAt(older, 0), Duration.seconds(30))
      yield* older.markPermanent(TestPool.keyAt(older, 1), { _tag: "Answered", status: 401 })

      const newer = yield* following(older, [7, 1, 2, 0])

      assert.deepStrictEqual(yield* newer.statuses, [
        { state: { _tag: "Valid" }, why: undefined, recheckAt: undefined },
        { state: { _tag: "Permanent" }, why: { _tag: "Answered", status: 401 }, recheckAt: undefined },
        { state: { _tag: "Valid" }, why: undefined, recheckAt: undefined },
        { state: { _tag: "Temporary", until: 30_000 }, why: undefined, recheckAt: undefined }
      ])
      assert.deepStrictEqual((yield* TestPool.drain(newer.walker())).indexes, [0, 2])
    })
  )

  it.effect("learns what requests under way learn with the older one, and the other way round", () =>
    Effect.gen(function* () {
      const older = yield* TestPool.make(2)
      const underWay = yield* older.walker().next
      const newer = yield* following(older, [1, 0])

      yield* older.markTemporary(underWay, Duration.seconds(30))
      yield* newer.markPermanent(TestPool.keyAt(newer, 0))

      assert.deepStrictEqual(yield* TestPool.tags(newer), ["Permanent", "Temporary"])
      assert.deepStrictEqual(yield* TestPool.tags(older), ["Temporary", "Permanent"])
    })
  )

  it.effect("knows nothing of keys that are no longer there, and does not change them", () =>
    Effect.gen(function* () {
      const older = yield* TestPool.make(1)
      const underWay = yield* older.walker().next
      const newer = yield* following(older, [5])

      yield* older.markPermanent(underWay)

      assert.strictEqual(yield* TestPool.tag(newer), "Valid")
    })
  )

  it.effect("goes on in a row of cooldowns, with its own schedule", () =>
    Effect.gen(function* () {
      const older = yield* TestPool.make(1, { cooldown: Schedule.spaced("1 minute") })
      yield* older.markTemporary(TestPool.keyAt(older, 0))
      yield* TestClock.adjust("1 minute")

      const newer = yield* following(older, [0], { cooldown: rows })
      yield* newer.markTemporary(TestPool.keyAt(newer, 0))

      assert.strictEqual(yield* restOf(newer, 0), 60_000 + 20_000)
    })
  )

  it.effect("begins a new row where a success has ended the one before", () =>
    Effect.gen(function* () {
      const older = yield* TestPool.make(1, { cooldown: rows })
      const key = TestPool.keyAt(older, 0)
      yield* older.markTemporary(key)
      yield* TestClock.adjust("5 seconds")
      older.markValid(key)

      const newer = yield* following(older, [0], { cooldown: rows })
      yield* newer.markTemporary(TestPool.keyAt(newer, 0))

      assert.strictEqual(yield* restOf(newer, 0), 5_000 + 5_000)
    })
  )

  const recheck = Schedule.spaced("5 minutes")

  it.effect.each([
    { behaviour: "keeps when a key is tried again", before: recheck, after: recheck, at: 300_000 },
    { behaviour: "tries no key again if it does not recheck", before: recheck, after: undefined, at: undefined },
    { behaviour: "tries a key again, from now on, if it rechecks", before: undefined, after: recheck, at: 360_000 }
  ])("$behaviour", ({ before, after, at }) =>
    Effect.gen(function* () {
      const older = yield* TestPool.make(1, before && { recheck: before })
      yield* older.markPermanent(TestPool.keyAt(older, 0), { _tag: "Answered", status: 401 })
      yield* TestClock.adjust("1 minute")

      const newer = yield* following(older, [0], after && { recheck: after })

      assert.strictEqual((yield* newer.statuses)[0]?.recheckAt, at)
    })
  )

  it.effect("does not try a key again that an operator has disabled", () =>
    Effect.gen(function* () {
      const older = yield* TestPool.make(1)
      yield* older.disable(TestPool.keyAt(older, 0))

      const newer = yield* following(older, [0], { recheck })

      assert.deepStrictEqual(yield* newer.statuses, [
        { state: { _tag: "Permanent" }, why: { _tag: "Operator" }, recheckAt: undefined }
      ])
    })
  )

  it.effect("judges a probe that was under way", () =>
    Effect.gen(function* () {
      const older = yield* TestPool.make(1, { recheck })
      yield* older.markPermanent(TestPool.keyAt(older, 0))
      yield* TestClock.adjust("5 minutes")
      const probe = yield* older.walker().next
      const newer = yield* following(older, [0], { recheck })

      assert.isTrue(older.markValid(probe))

      assert.strictEqual(yield* TestPool.tag(newer), "Valid")
    })
  )

  it.effect("for another upstream takes over only what an operator has said", () =>
    Effect.gen(function* () {
      const older = yield* TestPool.make(3)
      yield* older.markPermanent(TestPool.keyAt(older, 0), { _tag: "Answered", status: 401 })
      yield* older.disable(TestPool.keyAt(older, 1))
      const newer = yield* TestPool.make(3)
      yield* KeyPool.follow(newer, older, false)
      yield* older.reset(TestPool.keyAt(older, 1))

      assert.deepStrictEqual(yield* TestPool.tags(newer), ["Valid", "Permanent", "Valid"])
    })
  )

  it.effect("takes nothing from a caller's own key, or from itself", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(1)
      yield* KeyPool.follow(pool, KeyPool.byok("anthropic", TestPool.secret(0)))
      yield* KeyPool.follow(pool, pool)

      yield* pool.markPermanent(TestPool.keyAt(pool, 0))

      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
    })
  )
})
