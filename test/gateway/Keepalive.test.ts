import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as Calls from "./Calls.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"

const { path, request, fixture } = Calls.streaming
const ping = fixture.ping ?? ""

const open = Reader.open(path, request)

const layer = (steps: ReadonlyArray<ScriptedUpstream.Step>, options: Setup.Options = {}) =>
  Setup.layer([ScriptedUpstream.events(steps)], options)

const [first = "", second = "", ...others] = fixture.events

const pingsAt = (chunks: ReadonlyArray<Reader.Chunk>) =>
  chunks.filter((chunk) => chunk.text === ping).map((chunk) => chunk.at)

describe("A ping", () => {
  it.effect("comes after 10 s of silence, not before, and again after every further 10 s", () =>
    Effect.gen(function* () {
      const { chunks, text } = yield* open

      yield* TestClock.adjust(9_999)
      assert.strictEqual(text(), first)
      yield* TestClock.adjust(1)
      assert.strictEqual(text(), first + ping)
      yield* TestClock.adjust(9_999)
      assert.deepStrictEqual(pingsAt(chunks), [10_000])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(pingsAt(chunks), [10_000, 20_000])
      yield* TestClock.adjust("25 seconds")
      assert.deepStrictEqual(pingsAt(chunks), [10_000, 20_000, 30_000, 40_000])
    }).pipe(Effect.provide(layer([first, "hang"])))
  )

  it.effect("comes to a client that has got nothing but the head", () =>
    Effect.gen(function* () {
      const { chunks } = yield* open
      yield* TestClock.adjust("10 seconds")

      assert.deepStrictEqual(pingsAt(chunks), [10_000])
    }).pipe(Effect.provide(layer(["hang"])))
  )

  it.effect("does not come after the last event, however long the upstream stays", () =>
    Effect.gen(function* () {
      const { text } = yield* open
      yield* TestClock.adjust("1 minute")

      assert.strictEqual(text(), fixture.streamText)
    }).pipe(Effect.provide(layer([...fixture.events, "hang"])))
  )

  it.effect("does not come while events keep coming every 9 s", () =>
    Effect.gen(function* () {
      const { fiber, text } = yield* open
      yield* TestClock.adjust("10 minutes")

      assert.isDefined(fiber.pollUnsafe())
      assert.strictEqual(text(), fixture.streamText)
    }).pipe(Effect.provide(layer(fixture.events.flatMap((event) => [event, Duration.seconds(9)]))))
  )

  it.effect("counts its 10 s from the last event", () =>
    Effect.gen(function* () {
      const { chunks } = yield* open
      yield* TestClock.adjust("1 minute")

      assert.deepStrictEqual(pingsAt(chunks), [17_500, 27_500, 44_000, 54_000])
    }).pipe(
      Effect.provide(
        layer([first, Duration.millis(7_500), second, Duration.millis(26_500), others.slice(0, -1).join(""), "hang"])
      )
    )
  )

  it.effect("leaves the event after it as it is", () =>
    Effect.gen(function* () {
      const { text } = yield* open
      yield* TestClock.adjust("1 minute")

      assert.strictEqual(text(), first + ping + second + others.join(""))
    }).pipe(Effect.provide(layer([first, Duration.seconds(15), second, ...others])))
  )

  it.effect("comes before an event of which only a part is here, and leaves it in one piece", () =>
    Effect.gen(function* () {
      const { text } = yield* open
      yield* TestClock.adjust("1 minute")

      assert.strictEqual(text(), first + ping + ping + second + others.join(""))
    }).pipe(
      Effect.provide(
        layer([
          first,
          second.slice(0, 10),
          Duration.seconds(12),
          second.slice(10, 30),
          Duration.seconds(12),
          second.slice(30),
          ...others
        ])
      )
    )
  )

  it.effect("does not come within an event that has passed in part", () =>
    Effect.gen(function* () {
      const { chunks, text } = yield* open

      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(pingsAt(chunks), [])
      yield* TestClock.adjust("1 second")
      assert.isTrue(text().endsWith("x\n\n"))
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(pingsAt(chunks), [70_000])
    }).pipe(
      Effect.provide(layer([first, `event: large\ndata: ${"x".repeat(70_000)}`, Duration.seconds(60), "x\n\n", "hang"]))
    )
  )

  it.effect("comes after another silence if that is set", () =>
    Effect.gen(function* () {
      const { chunks } = yield* open
      yield* TestClock.adjust("5 seconds")

      assert.deepStrictEqual(pingsAt(chunks), [2_000, 4_000])
    }).pipe(Effect.provide(layer([first, "hang"], { options: { keepaliveInterval: Duration.seconds(2) } })))
  )

  it.effect("never comes in a whole answer", () =>
    Effect.gen(function* () {
      const { text } = yield* Reader.open(path, Calls.blocking.request)
      yield* TestClock.adjust("1 minute")

      assert.strictEqual(text(), fixture.answerText)
    }).pipe(
      Effect.provide(
        Setup.layer([
          ScriptedUpstream.streamed(
            200,
            [fixture.answerText.slice(0, 9), Duration.seconds(30), fixture.answerText.slice(9)],
            { "content-type": "application/json" }
          )
        ])
      )
    )
  )

  it.effect("never comes before the head", () =>
    Effect.gen(function* () {
      const { chunks, text } = yield* open

      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(chunks, [])
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(text(), fixture.streamText)
    }).pipe(Effect.provide(Setup.layer([Effect.delay(fixture.stream200, "60 seconds")])))
  )
})
