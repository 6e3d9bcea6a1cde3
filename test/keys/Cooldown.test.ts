import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import type { Key } from "../../src/keys/Key.ts"
import type { KeyPool } from "../../src/keys/KeyPool.ts"
import * as TestPool from "./TestPool.ts"

interface Marked {
  readonly pool: KeyPool
  readonly key: Key
}

/** How long the key still rests, in milliseconds. */
const rest = Effect.fnUntraced(function* ({ pool, key }: Marked) {
  const walk = yield* TestPool.drain(pool.walker())
  return walk.indexes.includes(key.index) || walk.exhaustion === "permanent" ? 0 : walk.exhaustion
})

/** Marks the key that many times, each time as soon as its rest is over, and answers the rests. */
const rests = Effect.fnUntraced(function* (marked: Marked, count: number) {
  const measured: Array<number> = []
  for (let turn = 0; turn < count; turn++) {
    yield* marked.pool.markTemporary(marked.key)
    const millis = yield* rest(marked)
    yield* TestClock.adjust(millis - 1)
    assert.strictEqual(yield* TestPool.tag(marked.pool), "Temporary")
    yield* TestClock.adjust(1)
    assert.strictEqual(yield* TestPool.tag(marked.pool), "Valid")
    measured.push(millis)
  }
  return measured
})

const doubling = Schedule.exponential("1 second")

describe("The cooldown schedule", () => {
  it.effect("is 60 seconds each time by default", () =>
    Effect.gen(function* () {
      const marked = yield* TestPool.single()

      assert.deepStrictEqual(yield* rests(marked, 3), [60_000, 60_000, 60_000])
    })
  )

  it.effect("gives the n-th rate limit in a row its n-th delay", () =>
    Effect.gen(function* () {
      const marked = yield* TestPool.single({ cooldown: doubling })

      assert.deepStrictEqual(yield* rests(marked, 5), [1000, 2000, 4000, 8000, 16_000])
    })
  )

  it.effect("goes on with its last delay after its end", () =>
    Effect.gen(function* () {
      const marked = yield* TestPool.single({ cooldown: doubling.pipe(Schedule.upTo({ times: 3 })) })

      assert.deepStrictEqual(yield* rests(marked, 5), [1000, 2000, 4000, 4000, 4000])
    })
  )

  it.effect("begins anew after a success, also when it had ended", () =>
    Effect.gen(function* () {
      const marked = yield* TestPool.single({ cooldown: doubling.pipe(Schedule.upTo({ times: 2 })) })
      yield* rests(marked, 4)

      assert.isFalse(marked.pool.markValid(marked.key))

      assert.deepStrictEqual(yield* rests(marked, 3), [1000, 2000, 2000])
    })
  )

  it.effect("is one row for each key", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(2, { cooldown: doubling })
      yield* pool.markTemporary(TestPool.keyAt(pool, 0))
      yield* TestClock.adjust("1 second")
      yield* pool.markTemporary(TestPool.keyAt(pool, 0))

      yield* pool.markTemporary(TestPool.keyAt(pool, 1))

      assert.deepStrictEqual(yield* pool.states, [
        { _tag: "Temporary", until: 3000 },
        { _tag: "Temporary", until: 2000 }
      ])
    })
  )

  it.effect("gives way to 60 seconds if it has no usable delays", () =>
    Effect.gen(function* () {
      const marked = yield* TestPool.single({ cooldown: Schedule.forever })

      assert.deepStrictEqual(yield* rests(marked, 2), [60_000, 60_000])
    })
  )
})

describe("Marks of a key that rests already", () => {
  it.effect("move the row on once for 200 concurrent marks", () =>
    Effect.gen(function* () {
      const marked = yield* TestPool.single({ cooldown: doubling })

      const answers = yield* Effect.forEach(Array.from({ length: 200 }), () => marked.pool.markTemporary(marked.key), {
        concurrency: "unbounded"
      })

      assert.deepStrictEqual(
        answers.filter((answer) => answer !== undefined),
        [1000]
      )
      assert.strictEqual(yield* rest(marked), 1000)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* rests(marked, 1), [2000])
    })
  )

  it.effect("move the row on once even if the schedule lets other fibers run in between", () =>
    Effect.gen(function* () {
      const marked = yield* TestPool.single({ cooldown: doubling.pipe(Schedule.tap(() => Effect.yieldNow)) })

      const answers = yield* Effect.forEach(Array.from({ length: 200 }), () => marked.pool.markTemporary(marked.key), {
        concurrency: "unbounded"
      })

      assert.deepStrictEqual(
        answers.filter((answer) => answer !== undefined),
        [1000]
      )
      assert.strictEqual(yield* rest(marked), 1000)
    })
  )

  it.effect("repeat the present delay from the moment of the mark", () =>
    Effect.gen(function* () {
      const marked = yield* TestPool.single({ cooldown: doubling })
      yield* rests(marked, 2)
      yield* marked.pool.markTemporary(marked.key)

      yield* TestClock.adjust("3 seconds")
      yield* marked.pool.markTemporary(marked.key)

      assert.strictEqual(yield* rest(marked), 4000)
    })
  )
})

describe("A cooldown that upstream names", () => {
  it.effect.each([
    { than: "shorter", seconds: 5 },
    { than: "longer", seconds: 600 }
  ])("wins over the schedule when it is $than", ({ seconds }) =>
    Effect.gen(function* () {
      const marked = yield* TestPool.single()

      yield* marked.pool.markTemporary(marked.key, Duration.seconds(seconds))

      assert.strictEqual(yield* rest(marked), seconds * 1000)
    })
  )

  it.effect("takes no delay from the row", () =>
    Effect.gen(function* () {
      const marked = yield* TestPool.single({ cooldown: doubling })
      yield* rests(marked, 1)

      yield* marked.pool.markTemporary(marked.key, Duration.seconds(30))
      yield* TestClock.adjust("30 seconds")

      assert.deepStrictEqual(yield* rests(marked, 1), [2000])
    })
  )

  it.effect("is not lengthened by a mark without one beyond the schedule's delay", () =>
    Effect.gen(function* () {
      const marked = yield* TestPool.single({ cooldown: Schedule.spaced("10 seconds") })
      yield* marked.pool.markTemporary(marked.key, Duration.seconds(5))

      yield* marked.pool.markTemporary(marked.key)

      assert.strictEqual(yield* rest(marked), 10_000)
    })
  )

  it.effect("is not lengthened by a delay of a row that a success has ended", () =>
    Effect.gen(function* () {
      const marked = yield* TestPool.single({ cooldown: doubling })
      yield* rests(marked, 6)
      marked.pool.markValid(marked.key)
      yield* marked.pool.markTemporary(marked.key, Duration.millis(500))

      yield* marked.pool.markTemporary(marked.key)

      assert.strictEqual(yield* rest(marked), 1000)
    })
  )
})
