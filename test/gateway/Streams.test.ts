import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import * as TestClock from "effect/testing/TestClock"
import type { UpstreamError } from "../../src/domain/UpstreamError.ts"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../relay/Table.ts"
import * as Fixture from "./Fixture.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"

const fetch = TestGateway.fetch(Setup.messages, Setup.streaming)

const endings: ReadonlyArray<{
  readonly ending: string
  readonly steps: ReadonlyArray<UpstreamError>
  readonly event: string
}> = [
  { ending: "is cut", steps: [Failure.cut("ECONNRESET")], event: Fixture.cutEvent },
  { ending: "times out", steps: [Failure.timedOut()], event: Fixture.errorEvent("upstream timed out") },
  { ending: "ends without its last event", steps: [], event: Fixture.cutEvent }
]

const places = Fixture.events.flatMap((_, count) => [
  { place: `after ${count} events`, count, half: "" },
  { place: `within event ${count + 1}`, count, half: (Fixture.events[count] ?? "").slice(0, -3) }
])

// A half last event that names itself may count as the last one where the upstream ends in good order.
const rows = Table.times(endings, places).filter(
  ({ half, steps }) => steps.length > 0 || !half.startsWith("event: message_stop")
)

describe("A stream that breaks off", () => {
  it.effect.each(rows)(
    "gives the complete events and one error event when it $ending $place, and is nothing about the key",
    ({ count, half, steps, event }) =>
      Effect.gen(function* () {
        const { status, text } = yield* fetch

        assert.strictEqual(status, 200)
        assert.strictEqual(text, Fixture.events.slice(0, count).join("") + event)
        assert.deepStrictEqual(yield* Setup.keysSeen, [0])
        assert.deepStrictEqual(yield* Setup.states, ["Valid", "Valid"])
        assert.deepStrictEqual(
          (yield* Setup.ended).map(({ reason, attempts }) => [reason, attempts]),
          [["upstream_cut", 1]]
        )
      }).pipe(
        Effect.provide(
          Setup.layer([
            ScriptedUpstream.events([...Fixture.events.slice(0, count), ...(half === "" ? [] : [half]), ...steps])
          ])
        )
      )
  )
})

describe("An error event of the upstream", () => {
  const event = `event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n`

  it.effect.each([...endings, { ending: "says no more", steps: [] }])(
    "is relayed byte for byte and is the last one when the stream $ending",
    ({ steps }) =>
      Effect.gen(function* () {
        const { text } = yield* fetch

        assert.strictEqual(text, Fixture.events.slice(0, 3).join("") + event)
        assert.deepStrictEqual(yield* Setup.states, ["Valid", "Valid"])
        assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
      }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.events([...Fixture.events.slice(0, 3), event, ...steps])])))
  )

  it.effect("that is the first one moves on to no other key", () =>
    Effect.gen(function* () {
      const { status, text } = yield* fetch

      assert.deepStrictEqual({ status, text }, { status: 200, text: event })
      assert.deepStrictEqual(yield* Setup.keysSeen, [0])
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.events([event])])))
  )
})

describe("An event", () => {
  it.effect("reaches the client when it comes, not when the stream ends", () =>
    Effect.gen(function* () {
      const { chunks } = yield* Reader.open(Setup.messages, Setup.streaming)

      yield* TestClock.adjust("1 minute")

      const byTime = Map.groupBy(chunks, (chunk) => chunk.at)
      assert.deepStrictEqual(
        Array.from(byTime, ([at, all]) => [at, all.map((chunk) => chunk.text).join("")]),
        Fixture.events.map((event, index) => [index * 1_500, event])
      )
    }).pipe(
      Effect.provide(
        Setup.layer([
          ScriptedUpstream.events(
            Fixture.events.flatMap((event) => [event.slice(0, 30), event.slice(30), Duration.millis(1_500)])
          )
        ])
      )
    )
  )

  it.effect("that comes in the first answer's bytes together with the head is not lost", () =>
    Effect.gen(function* () {
      const { text } = yield* fetch

      assert.strictEqual(text, Fixture.streamText)
      assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
    }).pipe(
      Effect.provide(
        Setup.layer([ScriptedUpstream.text(200, Fixture.streamText, { "content-type": "text/event-stream" })])
      )
    )
  )
})

describe("A stream of events", () => {
  const bytes = Uint8Array.from([0x1f, 0x8b, 0x08, 0x00, 0xff, 0x0a, 0x0a, 0x0d, 0x00])
  const headers = { "content-encoding": "gzip", "content-length": "9" }

  it.effect("that is compressed passes untouched, without a ping", () =>
    Effect.gen(function* () {
      const response = yield* TestGateway.request(Setup.messages, Setup.streaming)
      const { text } = yield* Reader.open(Setup.messages, Setup.streaming)
      yield* TestClock.adjust("1 minute")

      assert.deepInclude(response.headers, headers)
      assert.strictEqual(text(), new TextDecoder().decode(bytes))
      assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
    }).pipe(
      Effect.provide(
        Setup.layer(() => ScriptedUpstream.events([bytes.slice(0, 4), Duration.seconds(30), bytes.slice(4)], headers))
      )
    )
  )

  it.effect("that is compressed and cut breaks, as there is no way to say so in it", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(fetch)

      assert.isTrue(Exit.isFailure(exit))
      assert.deepStrictEqual(yield* Setup.reasons, ["upstream_cut"])
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.events([bytes, Failure.cut("ECONNRESET")], headers)])))
  )

  it.effect("that is an error by its status passes as it is, whatever it holds", () =>
    Effect.gen(function* () {
      const { status, text } = yield* fetch

      assert.strictEqual(status, 400)
      assert.strictEqual(text, Fixture.errorText("invalid_request_error", "too long"))
      assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
    }).pipe(
      Effect.provide(
        Setup.layer([
          ScriptedUpstream.streamed(400, [Fixture.errorText("invalid_request_error", "too long")], {
            "content-type": "text/event-stream"
          })
        ])
      )
    )
  )

  it.effect("that says it is not encoded is read like any other", () =>
    Effect.gen(function* () {
      const { text } = yield* fetch

      assert.strictEqual(text, (Fixture.events[0] ?? "") + Fixture.cutEvent)
    }).pipe(
      Effect.provide(
        Setup.layer([ScriptedUpstream.events(Fixture.events.slice(0, 1), { "content-encoding": "identity" })])
      )
    )
  )

  it.effect.each([
    "text/event-stream",
    "Text/Event-Stream",
    "text/event-stream; charset=utf-8",
    "text/event-stream;charset=UTF-8"
  ])("is one by its media type %s", (type) =>
    Effect.gen(function* () {
      const { text, headers: answered } = yield* fetch

      assert.strictEqual(answered["content-type"], type)
      assert.strictEqual(text, (Fixture.events[0] ?? "") + Fixture.cutEvent)
    }).pipe(
      Effect.provide(Setup.layer([ScriptedUpstream.events(Fixture.events.slice(0, 1), { "content-type": type })]))
    )
  )
})

describe("A whole answer", () => {
  const layer = Setup.layer([
    ScriptedUpstream.streamed(200, [`{"id":`, Failure.cut("ECONNRESET")], { "content-type": "application/json" })
  ])

  it.effect.each([
    { path: Setup.messages, request: Setup.blocking, reasons: ["upstream_cut"] },
    { path: Setup.models, request: {}, reasons: [] }
  ])("that is cut breaks the client's connection on $path", ({ path, request, reasons }) =>
    Effect.gen(function* () {
      const { chunks, fiber } = yield* Reader.open(path, request)
      yield* TestClock.adjust(0)

      assert.strictEqual(fiber.pollUnsafe()?._tag, "Failure")
      assert.deepStrictEqual(
        chunks.map((chunk) => chunk.text),
        [`{"id":`]
      )
      assert.deepStrictEqual(yield* Setup.reasons, reasons)
      assert.deepStrictEqual(yield* Setup.keysSeen, [0])
      assert.deepStrictEqual(yield* Setup.states, ["Valid", "Valid"])
    }).pipe(Effect.provide(layer))
  )
})
