import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as TestPool from "./TestPool.ts"

const seconds = (value: number): number => value * 1000

const walks: ReadonlyArray<TestPool.Walk> = [
  {
    behaviour: "counts what remains of the longer rest after a shorter mark",
    keys: 1,
    marks: [
      [0, seconds(60)],
      [0, seconds(10)]
    ],
    after: seconds(15),
    indexes: [],
    exhaustion: seconds(45)
  },
  {
    behaviour: "hands out a key after the longer of two rests",
    keys: 1,
    marks: [
      [0, seconds(60)],
      [0, seconds(10)]
    ],
    after: seconds(65),
    indexes: [0],
    exhaustion: 0
  },
  {
    behaviour: "names the smallest rest among resting keys",
    keys: 3,
    marks: [
      [0, seconds(60)],
      [1, seconds(10)],
      [2, seconds(30)]
    ],
    indexes: [],
    exhaustion: seconds(10)
  },
  {
    behaviour: "is exhausted for a while when all keys rest",
    keys: 2,
    marks: [
      [0, seconds(60)],
      [1, seconds(60)]
    ],
    indexes: [],
    exhaustion: seconds(60)
  },
  {
    behaviour: "is exhausted for good when all keys are permanent",
    keys: 2,
    marks: [
      [0, "permanent"],
      [1, "permanent"]
    ],
    indexes: [],
    exhaustion: "permanent"
  },
  {
    behaviour: "is exhausted for a while when one key of a mix rests",
    keys: 3,
    marks: [
      [0, "permanent"],
      [1, seconds(60)],
      [2, "permanent"]
    ],
    indexes: [],
    exhaustion: seconds(60)
  }
]

describe("The exhaustion of a walk", () => {
  it.effect.each(walks)("$behaviour", TestPool.check)

  it.effect("counts the soonest recovery anew each time it is asked", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(1)
      yield* TestPool.mark(pool, [0, seconds(10)])
      const walker = pool.walker()

      assert.strictEqual((yield* TestPool.drain(walker)).exhaustion, seconds(10))
      yield* TestClock.adjust(9_999)
      assert.strictEqual((yield* TestPool.drain(walker)).exhaustion, 1)
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* TestPool.drain(walker)).exhaustion, 0)
    })
  )

  it.effect("names the pool's provider when it is exhausted", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(1, { provider: "anthropic-eu" })
      yield* TestPool.mark(pool, [0, "permanent"])

      const error = yield* Effect.flip(pool.walker().next)

      assert.strictEqual(error.provider, "anthropic-eu")
    })
  )
})
