import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Duration from "effect/Duration"
import * as TestClock from "effect/testing/TestClock"
import type { UpstreamError } from "../../src/domain/UpstreamError.ts"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import type { Fixture } from "./Fixture.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"

const endings: ReadonlyArray<{
  readonly ending: string
  readonly steps: ReadonlyArray<UpstreamError>
  readonly message: string
}> = [
  { ending: "is cut", steps: [Failure.cut("ECONNRESET")], message: "upstream closed the stream early" },
  { ending: "times out", steps: [Failure.timedOut()], message: "upstream timed out" },
  { ending: "ends without its last event", steps: [], message: "upstream closed the stream early" }
]

const places = ({ events }: Fixture) =>
  events.flatMap((event, count) => [
    { place: `after ${count} events`, count, half: "" },
    { place: `within event ${count + 1}`, count, half: event.slice(0, -3) }
  ])

// A half last event that names itself may count as the last one where the upstream ends in good order.
const namesItselfLast = ({ events }: Fixture, count: number, half: string) =>
  count === events.length - 1 && half.startsWith("event:")

const rows = Calls.streams
  .flatMap((call) => Table.times([call], Table.times(endings, places(call.fixture))))
  .filter(({ fixture, count, half, steps }) => steps.length > 0 || !namesItselfLast(fixture, count, half))

describe("A stream that breaks off", () => {
  it.effect.each(rows)(
    "gives the complete events and one error event when $call $ending $place, and is nothing about the key",
    ({ path, request, vendor, fixture, count, half, steps, message }) =>
      Effect.gen(function* () {
        const { status, text } = yield* TestGateway.fetch(path, request)

        assert.strictEqual(status, 200)
        assert.strictEqual(text, fixture.events.slice(0, count).join("") + fixture.errorEvent(message))
        assert.deepStrictEqual(yield* Setup.keysSeen, [0])
        assert.deepStrictEqual(yield* Setup.states(vendor), ["Valid", "Valid"])
        assert.deepStrictEqual(
          (yield* Setup.ended).map(({ reason, attempts }) => [reason, attempts]),
          [["upstream_cut", 1]]
        )
      }).pipe(
        Effect.provide(
          Setup.layer([
            ScriptedUpstream.events([...fixture.events.slice(0, count), ...(half === "" ? [] : [half]), ...steps])
          ])
        )
      )
  )
})

describe("An error event of the upstream", () => {
  const afterwards = [...endings, { ending: "says no more", steps: [] }]

  it.effect.each(Table.times(Calls.streams, afterwards))(
    "is relayed byte for byte and is the last one when $call $ending",
    ({ path, request, vendor, fixture, steps }) =>
      Effect.gen(function* () {
        const { text } = yield* TestGateway.fetch(path, request)

        assert.strictEqual(text, fixture.events.slice(0, 3).join("") + fixture.upstreamErrorEvent)
        assert.deepStrictEqual(yield* Setup.states(vendor), ["Valid", "Valid"])
        assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
      }).pipe(
        Effect.provide(
          Setup.layer([ScriptedUpstream.events([...fixture.events.slice(0, 3), fixture.upstreamErrorEvent, ...steps])])
        )
      )
  )

  it.effect.each(Calls.streams)(
    "that is the first one moves on to no other key, on $call",
    ({ path, request, fixture }) =>
      Effect.gen(function* () {
        const { status, text } = yield* TestGateway.fetch(path, request)

        assert.deepStrictEqual({ status, text }, { status: 200, text: fixture.upstreamErrorEvent })
        assert.deepStrictEqual(yield* Setup.keysSeen, [0])
      }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.events([fixture.upstreamErrorEvent])])))
  )
})

describe("An event", () => {
  it.effect.each(Calls.streams)(
    "reaches the client when it comes, not when the stream ends, on $call",
    ({ path, request, fixture }) =>
      Effect.gen(function* () {
        const { chunks } = yield* Reader.open(path, request)

        yield* TestClock.adjust("1 minute")

        const byTime = Map.groupBy(chunks, (chunk) => chunk.at)
        assert.deepStrictEqual(
          Array.from(byTime, ([at, all]) => [at, all.map((chunk) => chunk.text).join("")]),
          fixture.events.map((event, index) => [index * 1_500, event])
        )
      }).pipe(
        Effect.provide(
          Setup.layer([
            ScriptedUpstream.events(
              fixture.events.flatMap((event) => [event.slice(0, 30), event.slice(30), Duration.millis(1_500)])
            )
          ])
        )
      )
  )

  it.effect.each(Calls.streams)(
    "that comes in the first answer's bytes together with the head is not lost, on $call",
    ({ path, request, fixture }) =>
      Effect.gen(function* () {
        const { text } = yield* TestGateway.fetch(path, request)

        assert.strictEqual(text, fixture.streamText)
        assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
      }).pipe(
        Effect.provide(
          Setup.layer([ScriptedUpstream.text(200, fixture.streamText, { "content-type": "text/event-stream" })])
        )
      )
  )
})
