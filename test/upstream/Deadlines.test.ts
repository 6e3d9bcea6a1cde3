import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Deadlines from "../../src/upstream/Deadlines.ts"

const limit = Duration.seconds(60)

/** A clock that counts how many fibers sleep, and how often one has gone to sleep. */
const countingSleeps = <A, E, R>(
  test: (counts: { readonly sleeping: number; readonly naps: number }) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const clock = yield* Clock.Clock
    const counts = { sleeping: 0, naps: 0 }
    const counting: Clock.Clock = Object.assign(Object.create(clock), {
      sleep: (duration: Duration.Duration) =>
        Effect.suspend(() => {
          counts.sleeping++
          counts.naps++
          return Effect.ensuring(
            clock.sleep(duration),
            Effect.sync(() => counts.sleeping--)
          )
        })
    })
    return yield* Effect.provideService(test(counts), Clock.Clock, counting)
  })

/** Begins something that writes its name down when its time is over; what ends it before. */
const begin = Effect.fnUntraced(function* (deadlines: Deadlines.Deadlines, over: Array<string>, name: string) {
  const scope = yield* Scope.make()
  const deadline = yield* Scope.provide(deadlines.begin, scope)
  deadline.onOver(() => void over.push(name))
  return { deadline, end: Scope.close(scope, Exit.void) }
})

describe("Deadlines", () => {
  it.effect("let one thing go on until one tick before its limit, and end it at it", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make(limit)
      const over: Array<string> = []
      yield* TestClock.adjust("7 seconds")
      yield* begin(deadlines, over, "a")

      yield* TestClock.adjust("59.999 seconds")
      assert.deepStrictEqual([over, deadlines.size()], [[], 1])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual([over, deadlines.size()], [["a"], 0])
    })
  )

  it.effect("end each of many things at its own time, and all that began together together", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make(limit)
      const over: Array<string> = []
      for (const name of ["a", "b", "c"]) {
        yield* begin(deadlines, over, `${name}1`)
        yield* begin(deadlines, over, `${name}2`)
        yield* TestClock.adjust("1 seconds")
      }

      yield* TestClock.adjust("56.999 seconds")
      assert.deepStrictEqual(over, [])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(over, ["a1", "a2"])
      yield* TestClock.adjust("999 millis")
      assert.deepStrictEqual(over, ["a1", "a2"])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(over, ["a1", "a2", "b1", "b2"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(over, ["a1", "a2", "b1", "b2", "c1", "c2"])
    })
  )

  it.effect("end nothing a tick early because another thing is over", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make(limit)
      const over: Array<string> = []
      yield* begin(deadlines, over, "a")
      yield* TestClock.adjust("1 millis")
      yield* begin(deadlines, over, "b")

      yield* TestClock.adjust("59.999 seconds")
      assert.deepStrictEqual(over, ["a"])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(over, ["a", "b"])
    })
  )

  it.effect("do not hold what has ended by itself, nor end it", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make(limit)
      const over: Array<string> = []
      const first = yield* begin(deadlines, over, "first")
      yield* begin(deadlines, over, "second")

      yield* first.end
      assert.strictEqual(deadlines.size(), 1)
      yield* TestClock.adjust("60 seconds")

      assert.deepStrictEqual([over, deadlines.size()], [["second"], 0])
    })
  )

  it.effect("begin again after nothing was under way", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make(limit)
      const over: Array<string> = []
      const first = yield* begin(deadlines, over, "first")
      yield* first.end
      yield* TestClock.adjust("1 hour")

      yield* begin(deadlines, over, "second")
      yield* TestClock.adjust("59.999 seconds")
      assert.deepStrictEqual(over, [])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(over, ["second"])
    })
  )

  it.effect("stop at once what is registered when the time is over, and only what is registered", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make(limit)
      const over: Array<string> = []
      const { deadline } = yield* begin(deadlines, over, "the first attempt")
      const left = yield* begin(deadlines, over, "what was left")
      left.deadline.onOver(() => void over.push("what was left again"))()
      const second = deadline.onOver(() => void over.push("the second"))
      deadline.onOver(() => void over.push("the third"))
      second()
      yield* TestClock.adjust("60 seconds")
      deadline.onOver(() => void over.push("the fourth"))

      assert.deepStrictEqual(over, ["the third", "the fourth"])
    })
  )

  it.effect("are watched by one fiber, which sleeps only while something is under way", () =>
    countingSleeps((counts) =>
      Effect.gen(function* () {
        const deadlines = yield* Deadlines.make(limit)
        const over: Array<string> = []
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(counts, { sleeping: 0, naps: 0 })

        for (let index = 0; index < 100; index++) yield* (yield* begin(deadlines, over, "done")).end
        yield* Effect.forEach(Array.from({ length: 100 }), () => begin(deadlines, over, "x"))
        yield* TestClock.adjust("30 seconds")
        assert.deepStrictEqual(counts, { sleeping: 1, naps: 1 })

        yield* TestClock.adjust("30 seconds")
        assert.lengthOf(over, 100)
        assert.deepStrictEqual(counts, { sleeping: 0, naps: 1 })
      })
    )
  )

  it.effect("watch nothing once their scope is closed", () =>
    countingSleeps((counts) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const deadlines = yield* Scope.provide(Deadlines.make(limit), scope)
        const over: Array<string> = []
        yield* begin(deadlines, over, "a")
        yield* TestClock.adjust("1 second")
        assert.strictEqual(counts.sleeping, 1)

        yield* Scope.close(scope, Exit.void)
        yield* TestClock.adjust("60 seconds")

        assert.deepStrictEqual([counts.sleeping, over], [0, []])
      })
    )
  )

  it.effect("of an infinite limit keep nothing", () =>
    Effect.gen(function* () {
      const deadlines = yield* Deadlines.make(Duration.infinity)
      const over: Array<string> = []
      yield* begin(deadlines, over, "a")
      yield* TestClock.adjust("1000 days")

      assert.deepStrictEqual([over, deadlines.size()], [[], 0])
    })
  )
})
