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

describe("A stream that begins with 200 and", () => {
  it.effect.each(rows)("$death is a failure if the provider counts such streams, on $call", (row) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Circuits.statuses(3, row), [200, 200, 503])
      assert.strictEqual((yield* Circuits.metrics(row)).trips, 1)
    }).pipe(
      Circuits.measured,
      Effect.provide(Circuits.layer(() => row.stream(row.fixture), { countStreamErrors: true }))
    )
  )

  it.effect.each(rows)("$death is a success otherwise, on $call", (row) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Circuits.statuses(3, row), [503, 200, 503])
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

  it.effect("is a probe closes the circuit at once: the others do not wait for its end", () => {
    const { fixture, path, request, good } = Calls.streaming
    const [first = ""] = fixture.events
    return Effect.gen(function* () {
      yield* Circuits.statuses(2, Calls.streaming)
      yield* TestClock.adjust("30 seconds")
      const probe = yield* Reader.open(path, request)
      const meanwhile = yield* Circuits.status(Calls.streaming)

      assert.include(probe.text(), first)
      assert.strictEqual(meanwhile, 200)
    }).pipe(
      Effect.provide(
        Circuits.layer([fixture.error(503), fixture.error(503), events([first, "hang"]), good], {
          countStreamErrors: true
        })
      )
    )
  })

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
