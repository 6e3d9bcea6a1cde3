import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as TestPool from "./TestPool.ts"

describe("Walkers of one pool", () => {
  it.effect("see each other's marks at once", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(3)
      const first = pool.walker()

      yield* pool.markTemporary(yield* first.next, Duration.seconds(60))
      yield* pool.markPermanent(yield* first.next)
      const third = yield* first.next
      const key = yield* pool.walker().next

      assert.strictEqual(third.index, 2)
      assert.strictEqual(key.index, 2)
    })
  )

  it.effect("see a mark that comes while they are under way", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(3)
      const walker = pool.walker()
      yield* walker.next

      yield* pool.markPermanent(TestPool.keyAt(pool, 1))

      assert.strictEqual((yield* walker.next).index, 2)
    })
  )

  it.effect("do not share their positions and always begin at the primary", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(2)
      const first = pool.walker()
      const second = pool.walker()

      const indexes = [
        (yield* first.next).index,
        (yield* second.next).index,
        (yield* first.next).index,
        (yield* second.next).index,
        (yield* pool.walker().next).index
      ]

      assert.deepStrictEqual(indexes, [0, 0, 1, 1, 0])
    })
  )
})

describe("Walker.attempts", () => {
  it.effect("is the number of keys handed out, skipped ones and exhaustion not counted", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(3)
      yield* pool.markPermanent(TestPool.keyAt(pool, 1))
      const walker = pool.walker()

      assert.strictEqual(walker.attempts(), 0)
      yield* walker.next
      assert.strictEqual(walker.attempts(), 1)
      yield* walker.next
      assert.strictEqual(walker.attempts(), 2)
      yield* Effect.flip(walker.next)
      yield* Effect.flip(walker.next)
      assert.strictEqual(walker.attempts(), 2)
    })
  )

  it.effect("counts a probe", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single({ recheck: Schedule.spaced(0) })
      yield* pool.markPermanent(key)
      const walker = pool.walker()

      yield* walker.next

      assert.strictEqual(walker.attempts(), 1)
    })
  )

  it.effect("is 0 when no key could be handed out", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* pool.markPermanent(key)
      const walker = pool.walker()

      yield* Effect.flip(walker.next)

      assert.strictEqual(walker.attempts(), 0)
    })
  )
})
