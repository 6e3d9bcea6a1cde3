import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as TestPool from "./TestPool.ts"

const seconds = (value: number): number => value * 1000

const walks: ReadonlyArray<TestPool.Walk> = [
  { behaviour: "hands out all valid keys in order", keys: 3, marks: [], indexes: [0, 1, 2], exhaustion: 0 },
  { behaviour: "skips a resting key", keys: 3, marks: [[0, seconds(60)]], indexes: [1, 2], exhaustion: 0 },
  {
    behaviour: "skips a resting key in the middle",
    keys: 3,
    marks: [[1, seconds(60)]],
    indexes: [0, 2],
    exhaustion: 0
  },
  {
    behaviour: "skips permanent keys",
    keys: 3,
    marks: [
      [0, "permanent"],
      [1, "permanent"]
    ],
    indexes: [2],
    exhaustion: 0
  },
  {
    behaviour: "skips a key one tick before its rest ends",
    keys: 2,
    marks: [[0, seconds(30)]],
    after: 29_999,
    indexes: [1],
    exhaustion: 0
  },
  {
    behaviour: "hands out a key at the instant its rest ends",
    keys: 2,
    marks: [[0, seconds(30)]],
    after: 30_000,
    indexes: [0, 1],
    exhaustion: 0
  },
  {
    behaviour: "hands out a key whose rest is over",
    keys: 2,
    marks: [[0, seconds(30)]],
    after: seconds(35),
    indexes: [0, 1],
    exhaustion: 0
  },
  {
    behaviour: "skips a key during the default rest",
    keys: 2,
    marks: [[0, "default"]],
    after: seconds(50),
    indexes: [1],
    exhaustion: 0
  },
  {
    behaviour: "hands out a key after the default rest",
    keys: 2,
    marks: [[0, "default"]],
    after: seconds(65),
    indexes: [0, 1],
    exhaustion: 0
  },
  {
    behaviour: "skips a key during the default rest that a negative one stands for",
    keys: 2,
    marks: [[0, seconds(-10)]],
    after: 59_999,
    indexes: [1],
    exhaustion: 0
  },
  {
    behaviour: "hands out a key after the default rest that a negative one stands for",
    keys: 2,
    marks: [[0, seconds(-10)]],
    after: seconds(65),
    indexes: [0, 1],
    exhaustion: 0
  },
  {
    behaviour: "skips a key during the default rest that a zero one stands for",
    keys: 2,
    marks: [[0, 0]],
    after: 59_999,
    indexes: [1],
    exhaustion: 0
  }
]

describe("Walker.next", () => {
  it.effect.each(walks)("$behaviour", TestPool.check)

  it.effect("never goes back to a key whose rest ends during the walk, but says that it is valid now", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(2)
      yield* TestPool.mark(pool, [0, seconds(10)])
      const walker = pool.walker()

      const key = yield* walker.next
      yield* TestPool.mark(pool, [1, seconds(60)])
      yield* TestClock.adjust("10 seconds")
      const walk = yield* TestPool.drain(walker)

      assert.strictEqual(key.index, 1)
      assert.deepStrictEqual(walk, { indexes: [], exhaustion: 0 })
    })
  )

  it.effect("changes no key's state", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(3)
      yield* TestPool.mark(pool, [0, "permanent"])
      yield* TestPool.mark(pool, [1, seconds(60)])
      const before = yield* pool.states

      yield* TestPool.drain(pool.walker())

      assert.deepStrictEqual(yield* pool.states, before)
    })
  )
})
