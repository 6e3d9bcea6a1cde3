/** The queue before a writer: batches, a writer that fails, a full queue, the end. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type { RecordEvent } from "../../src/domain/RecordEvent.ts"
import * as QueuedRecorder from "../../src/record/QueuedRecorder.ts"
import * as RecordMetrics from "../../src/record/RecordMetrics.ts"
import * as Logs from "../gateway/Logs.ts"
import { attempt, ended, prompt, started } from "./Events.ts"

/** A writer that fails or hangs as it is told, and keeps its batches. */
class Writer {
  state: "works" | "fails" | "dies" | "hangs" = "works"
  readonly tried: Array<number> = []
  readonly batches: Array<ReadonlyArray<RecordEvent>> = []
  readonly write = (batch: ReadonlyArray<RecordEvent>): Effect.Effect<void, string> =>
    Effect.suspend(() => {
      this.tried.push(batch.length)
      switch (this.state) {
        case "fails":
          return Effect.fail("no database")
        case "dies":
          return Effect.die("no connection")
        case "hangs":
          return Effect.uninterruptible(Effect.never)
        case "works":
          this.batches.push(batch)
          return Effect.void
      }
    })
  get written(): ReadonlyArray<RecordEvent> {
    return this.batches.flat()
  }
}

const make = (writer: Writer, options: Partial<QueuedRecorder.Options<string>> = {}) =>
  QueuedRecorder.make({ write: writer.write, describe: () => "no database", ...options })

const prompts = (count: number): ReadonlyArray<RecordEvent> =>
  Array.from({ length: count }, (_, index) => prompt("i1", `${index}`))

const count = <State extends { readonly count: number | bigint }>(metric: Metric.Metric<never, State>) =>
  Effect.map(Metric.value(metric), (state) => Number(state.count))

describe("QueuedRecorder", () => {
  it.effect("writes after 200 ms what has come until then", () =>
    Effect.gen(function* () {
      const writer = new Writer()
      const { record, keeps } = yield* make(writer)
      const events = [started("i1"), ended("i1")]

      yield* Effect.forEach(events, record)
      yield* TestClock.adjust("199 millis")
      const before = [...writer.written]
      yield* TestClock.adjust("1 millis")

      assert.isTrue(keeps)
      assert.deepStrictEqual(before, [])
      assert.deepStrictEqual(writer.batches, [events])
    })
  )

  it.effect("writes 2,000 events at once, without waiting for the time", () =>
    Effect.gen(function* () {
      const writer = new Writer()
      const { record } = yield* make(writer)
      const events = prompts(4500)

      yield* Effect.forEach(events, record)
      yield* TestClock.adjust(0)
      const atOnce = writer.batches.map((batch) => batch.length)
      yield* TestClock.adjust("200 millis")

      assert.deepStrictEqual(atOnce, [2000, 2000])
      assert.deepStrictEqual(writer.written, events)
    })
  )

  it.effect("with room for less than a batch writes when it is half full", () =>
    Effect.gen(function* () {
      const writer = new Writer()
      const { record } = yield* make(writer, { capacity: 100 })
      const events = prompts(50)

      yield* Effect.forEach(events.slice(0, 49), record)
      yield* TestClock.adjust(0)
      const before = writer.written.length
      yield* Effect.forEach(events.slice(49), record)
      yield* TestClock.adjust(0)

      assert.strictEqual(before, 0)
      assert.deepStrictEqual(writer.written, events)
    })
  )

  it.effect("keeps events while the writer fails, tries again after 1, 2, 4 ... 30 seconds, and says so twice", () =>
    Effect.gen(function* () {
      const writer = new Writer()
      writer.state = "fails"
      const lines: Array<Logs.Line> = []
      const failuresBefore = yield* count(RecordMetrics.failures)

      yield* Effect.gen(function* () {
        const { record } = yield* make(writer)
        yield* record(started("i1"))
        yield* TestClock.adjust("200 millis")
        const tries = [writer.tried.length]
        for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
          yield* TestClock.adjust(`${seconds * 1000 + 199} millis`)
          tries.push(writer.tried.length)
          yield* TestClock.adjust("1 millis")
          tries.push(writer.tried.length)
        }
        assert.deepStrictEqual(tries, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8])
        writer.state = "dies"
        yield* TestClock.adjust("31 seconds")
        assert.isTrue(yield* record(ended("i1")))
        writer.state = "works"
        yield* TestClock.adjust("31 seconds")
      }).pipe(Effect.provide(Logs.into(lines)))

      assert.deepStrictEqual(writer.batches, [[started("i1"), ended("i1")]])
      assert.deepStrictEqual(
        lines.map(({ level, message }) => [level, message]),
        [
          ["WARN", "records cannot be written: they are kept until they can"],
          ["INFO", "records are written again"]
        ]
      )
      assert.deepStrictEqual(lines[0]?.annotations, { reason: "no database", queued: 1 })
      assert.strictEqual((yield* count(RecordMetrics.failures)) - failuresBefore, 9)
      assert.strictEqual((yield* Metric.value(RecordMetrics.queued)).value, 0)
    })
  )

  it.effect("answers false when the queue is full, and counts and logs what it drops", () =>
    Effect.gen(function* () {
      const writer = new Writer()
      writer.state = "fails"
      const lines: Array<Logs.Line> = []
      const droppedBefore = yield* count(RecordMetrics.dropped)

      yield* Effect.gen(function* () {
        const { record } = yield* make(writer, { capacity: 3 })
        const taken = yield* Effect.forEach([started("i1"), ...prompts(4)], record)
        yield* TestClock.adjust("200 millis")
        assert.deepStrictEqual(taken, [true, true, true, false, false])
        assert.strictEqual((yield* Metric.value(RecordMetrics.queued)).value, 3)
        writer.state = "works"
        yield* TestClock.adjust("2 seconds")
        assert.isTrue(yield* record(attempt("i1")))
      }).pipe(Effect.provide(Logs.into(lines)))

      assert.strictEqual((yield* count(RecordMetrics.dropped)) - droppedBefore, 2)
      assert.deepInclude(
        lines.map(({ message, annotations }) => ({ message, dropped: annotations["dropped"] })),
        { message: "records were dropped: the queue is full", dropped: 2 }
      )
    })
  )

  it.effect("drops others for the end of an interception: what belongs to one, then a start", () =>
    Effect.gen(function* () {
      const writer = new Writer()
      writer.state = "fails"
      const { record } = yield* make(writer, { capacity: 3 })

      yield* Effect.forEach([started("i1"), prompt("i1", "x"), started("i2")], record)
      const taken = yield* Effect.forEach([ended("i1"), ended("i2"), ended("i3"), ended("i4")], record)
      writer.state = "works"
      yield* TestClock.adjust("200 millis")

      assert.deepStrictEqual(taken, [true, true, true, false])
      assert.deepStrictEqual(writer.written, [ended("i1"), ended("i2"), ended("i3")])
    })
  )

  it.effect("holds no more text than it may", () =>
    Effect.gen(function* () {
      const { record } = yield* make(new Writer(), { textCapacity: 10 })

      const taken = yield* Effect.forEach(
        [prompt("i1", "12345678"), prompt("i1", "123"), prompt("i1", "12"), started("i2")],
        record
      )
      yield* TestClock.adjust("200 millis")

      assert.deepStrictEqual(taken, [true, false, true, true])
      assert.isTrue(yield* record(prompt("i1", "1234567890")))
    })
  )

  it.effect("writes what is left when it ends, and takes no more", () =>
    Effect.gen(function* () {
      const writer = new Writer()
      const scope = yield* Scope.make()
      const { record } = yield* Scope.provide(make(writer), scope)
      const events = prompts(250)

      yield* Effect.forEach(events, record)
      yield* Scope.close(scope, Exit.void)

      assert.deepStrictEqual(writer.written, events)
      assert.isFalse(yield* record(started("late")))
    })
  )

  it.effect.each(["fails", "hangs"] as const)(
    "ends after 5 seconds if the writer $0, and says what was lost",
    (state) =>
      Effect.gen(function* () {
        const writer = new Writer()
        writer.state = state
        const lines: Array<Logs.Line> = []
        const droppedBefore = yield* count(RecordMetrics.dropped)

        yield* Effect.gen(function* () {
          const scope = yield* Scope.make()
          const { record } = yield* Scope.provide(make(writer), scope)
          yield* Effect.forEach(prompts(7), record)
          yield* TestClock.adjust("200 millis")
          const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
          yield* TestClock.adjust("4999 millis")
          assert.isUndefined(closing.pollUnsafe())
          yield* TestClock.adjust("1 millis")
          assert.isDefined(closing.pollUnsafe())
        }).pipe(Effect.provide(Logs.into(lines)))

        assert.deepInclude(lines.at(-1), { level: "ERROR", annotations: { lost: 7 } })
        assert.strictEqual((yield* count(RecordMetrics.dropped)) - droppedBefore, 7)
      })
  )
})
