import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Circuits from "./Circuits.ts"
import * as Messages from "./Messages.ts"
import type { Fixture } from "./Fixture.ts"
import * as Reader from "./Reader.ts"

const { events } = ScriptedUpstream

/** Streams that begin with 200 and die. */
const deaths = [
  {
    death: "is cut",
    stream: ({ events: [first = ""] }: Fixture) => events([first, Failure.cut("ECONNRESET")])
  },
  { death: "lacks its last event", stream: ({ events: [first = ""] }: Fixture) => events([first]) },
  {
    death: "ends with an error event",
    stream: ({ events: [first = ""], upstreamErrorEvent }: Fixture) => events([first, upstreamErrorEvent])
  }
]

const rows = Table.times(Calls.streams, deaths)

const cutAtOnce = {
  death: "is cut before its first event",
  stream: () => ScriptedUpstream.failure(Failure.cut("ECONNRESET"))
}

/** Error events that are about the request or the key. */
const others = [
  ...["rate_limit_error", "invalid_request_error", "authentication_error"].map((type) => ({
    call: Calls.streaming,
    type,
    event: `event: error\ndata: ${Messages.errorText(type, "why")}\n\n`
  })),
  ...Calls.unchangedStreams
    .filter(({ vendor }) => vendor.name === "openai")
    .flatMap((call) =>
      ["rate_limit_exceeded", "invalid_prompt"].map((type) => ({
        call,
        type,
        event: call.fixture.upstreamErrorEvent.replace("server_error", type)
      }))
    )
]

const probed = (stream: ScriptedUpstream.Answer) => {
  const { fixture, good } = Calls.streaming
  return Circuits.layer([fixture.error(503), fixture.error(503), stream, good], { countStreamErrors: true })
}
const [begin = ""] = Calls.streaming.fixture.events
const states = Effect.map(Circuits.metrics(Calls.streaming), ({ state }) => state)

describe("A stream that begins with 200 and", () => {
  it.effect.each([...rows, ...Table.times(Calls.streams, [cutAtOnce])])(
    "$death is a failure if the provider counts such streams, on $call",
    (row) =>
      Effect.gen(function* () {
        assert.strictEqual((yield* Circuits.statuses(3, row))[2], 503)
        assert.strictEqual((yield* Circuits.metrics(row)).trips, 1)
      }).pipe(
        Circuits.measured,
        Effect.provide(Circuits.layer(() => row.stream(row.fixture), { countStreamErrors: true }))
      )
  )

  it.effect.each(rows)("$death is a success otherwise, on $call", (row) =>
    Effect.gen(function* () {
      yield* Circuits.statuses(3, row)
      assert.strictEqual((yield* Circuits.metrics(row)).trips, 0)
    }).pipe(
      Circuits.measured,
      Effect.provide(Circuits.layer((_, index) => (index === 1 ? row.stream(row.fixture) : row.fixture.error(503))))
    )
  )

  it.effect.each(Calls.streams)("comes to its end is a success, known at its end, on $call", (call) => {
    const { fixture, good } = call
    const [first = "", ...rest] = fixture.events
    const slow = events([first, Duration.seconds(1), ...rest])
    return Effect.gen(function* () {
      yield* Circuits.status(call)
      yield* Reader.open(call.path, call.request)
      const { trips } = yield* Circuits.metrics(call)
      yield* TestClock.adjust("1 second")
      yield* Circuits.status(call)
      const last = yield* Circuits.status(call)

      assert.strictEqual(trips, 0)
      assert.strictEqual(last, 200)
    }).pipe(
      Circuits.measured,
      Effect.provide(Circuits.layer([fixture.error(503), slow, fixture.error(503), good], { countStreamErrors: true }))
    )
  })

  it.effect.each(others)("ends with $type is about the request or the key, on $call.call", ({ call, event }) =>
    Effect.gen(function* () {
      yield* Circuits.statuses(3, call)

      assert.deepStrictEqual(yield* Circuits.metrics(call), { trips: 0, state: 0, rejects: 0 })
    }).pipe(
      Circuits.measured,
      Effect.provide(Circuits.layer(() => events([call.fixture.events[0] ?? "", event]), { countStreamErrors: true }))
    )
  )

  it.effect("is left by its client says nothing", () => {
    const { fixture, path, request } = Calls.streaming
    const [first = ""] = fixture.events
    return Effect.gen(function* () {
      yield* Circuits.status(Calls.streaming)
      const client = yield* Reader.open(path, request)
      yield* client.leave
      yield* Circuits.status(Calls.streaming)

      assert.deepStrictEqual(yield* Circuits.metrics(Calls.streaming), { trips: 1, state: 1, rejects: 0 })
    }).pipe(
      Circuits.measured,
      Effect.provide(
        Circuits.layer([fixture.error(503), events([first, "hang"]), fixture.error(503)], { countStreamErrors: true })
      )
    )
  })

  it.effect.each([
    { end: "dies", stream: events([begin, Duration.seconds(1), Failure.cut("ECONNRESET")]), state: 1 },
    {
      end: "comes to its end",
      stream: events([begin, Duration.seconds(1), ...Calls.streaming.fixture.events]),
      state: 0
    }
  ])("is a probe is judged when it $end", ({ stream, state }) =>
    Effect.gen(function* () {
      yield* Circuits.statuses(2, Calls.streaming)
      yield* TestClock.adjust("30 seconds")
      yield* Reader.open(Calls.streaming.path, Calls.streaming.request)
      const before = yield* states
      yield* TestClock.adjust("1 second")

      assert.deepStrictEqual([before, yield* states], [0.5, state])
    }).pipe(Circuits.measured, Effect.provide(probed(stream)))
  )

  it.effect("is a probe closes the circuit if it still goes well after the timeout", () =>
    Effect.gen(function* () {
      yield* Circuits.statuses(2, Calls.streaming)
      yield* TestClock.adjust("30 seconds")
      yield* Reader.open(Calls.streaming.path, Calls.streaming.request)
      yield* TestClock.adjust("29.999 seconds")
      const before = yield* states
      yield* TestClock.adjust("1 millis")

      assert.deepStrictEqual([before, yield* states], [0.5, 0])
    }).pipe(Circuits.measured, Effect.provide(probed(events([begin, "hang"]))))
  )

  it.effect("is a probe whose client leaves says nothing", () =>
    Effect.gen(function* () {
      yield* Circuits.statuses(2, Calls.streaming)
      yield* TestClock.adjust("30 seconds")
      const client = yield* Reader.open(Calls.streaming.path, Calls.streaming.request)
      yield* client.leave

      assert.strictEqual(yield* states, 0.5)
      assert.strictEqual(yield* Circuits.status(Calls.streaming), 200)
    }).pipe(Circuits.measured, Effect.provide(probed(events([begin, "hang"]))))
  )

  it.effect("says 503 is a failure, and only one", () => {
    const { fixture, path, request } = Calls.streaming
    const dying = ScriptedUpstream.streamed(503, ["data: x\n\n", Failure.cut("ECONNRESET")], {
      "content-type": "text/event-stream"
    })
    return Effect.gen(function* () {
      yield* Effect.ignore(TestGateway.fetch(path, request))
      const { trips } = yield* Circuits.metrics(Calls.streaming)
      yield* Circuits.status(Calls.streaming)

      assert.strictEqual(trips, 0)
      assert.strictEqual((yield* Circuits.metrics(Calls.streaming)).trips, 1)
    }).pipe(Circuits.measured, Effect.provide(Circuits.layer([dying, fixture.error(503)], { countStreamErrors: true })))
  })
})
