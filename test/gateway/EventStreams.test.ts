import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Duration from "effect/Duration"
import * as Exit from "effect/Exit"
import * as TestClock from "effect/testing/TestClock"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"

describe("A stream of events", () => {
  const bytes = Uint8Array.from([0x1f, 0x8b, 0x08, 0x00, 0xff, 0x0a, 0x0a, 0x0d, 0x00])
  const headers = { "content-encoding": "gzip", "content-length": "9" }

  it.effect.each(Calls.streams)("that is compressed passes untouched, without a ping, on $call", ({ path, request }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.request(path, request)
      const { text } = yield* Reader.open(path, request)
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

  it.effect.each(Calls.streams)(
    "that is compressed and cut breaks, as there is no way to say so in it, on $call",
    ({ path, request }) =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(TestGateway.fetch(path, request))

        assert.isTrue(Exit.isFailure(exit))
        assert.deepStrictEqual(yield* Setup.reasons, ["upstream_cut"])
      }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.events([bytes, Failure.cut("ECONNRESET")], headers)])))
  )

  it.effect.each(Calls.streams)(
    "that is an error by its status passes as it is, whatever it holds, on $call",
    ({ path, request, fixture }) =>
      Effect.gen(function* () {
        const { status, text } = yield* TestGateway.fetch(path, request)

        assert.strictEqual(status, 400)
        assert.strictEqual(text, fixture.errorText(400, "too long"))
        assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
      }).pipe(
        Effect.provide(
          Setup.layer([
            ScriptedUpstream.streamed(400, [fixture.errorText(400, "too long")], {
              "content-type": "text/event-stream"
            })
          ])
        )
      )
  )

  it.effect.each(Calls.streams)(
    "that says it is not encoded is read like any other, on $call",
    ({ path, request, fixture }) =>
      Effect.gen(function* () {
        const { text } = yield* TestGateway.fetch(path, request)

        assert.strictEqual(text, (fixture.events[0] ?? "") + fixture.cutEvent)
      }).pipe(
        Effect.provide(
          Setup.layer([ScriptedUpstream.events(fixture.events.slice(0, 1), { "content-encoding": "identity" })])
        )
      )
  )

  const types = [
    { type: "text/event-stream" },
    { type: "Text/Event-Stream" },
    { type: "text/event-stream; charset=utf-8" },
    { type: "text/event-stream;charset=UTF-8" }
  ]

  it.effect.each(Table.times(Calls.streams, types))(
    "is one by its media type $type, on $call",
    ({ path, request, fixture, type }) =>
      Effect.gen(function* () {
        const { text, headers: answered } = yield* TestGateway.fetch(path, request)

        assert.strictEqual(answered["content-type"], type)
        assert.strictEqual(text, (fixture.events[0] ?? "") + fixture.cutEvent)
      }).pipe(
        Effect.provide(Setup.layer([ScriptedUpstream.events(fixture.events.slice(0, 1), { "content-type": type })]))
      )
  )
})

describe("A whole answer", () => {
  const layer = Setup.layer([
    ScriptedUpstream.streamed(200, [`{"id":`, Failure.cut("ECONNRESET")], { "content-type": "application/json" })
  ])

  it.effect.each(Calls.wholes)(
    "that is cut breaks the client's connection, on $call",
    ({ path, request, vendor, isBridged }) =>
      Effect.gen(function* () {
        const { chunks, fiber } = yield* Reader.open(path, request)
        yield* TestClock.adjust(0)

        assert.strictEqual(fiber.pollUnsafe()?._tag, "Failure")
        assert.deepStrictEqual(
          chunks.map((chunk) => chunk.text),
          [`{"id":`]
        )
        assert.deepStrictEqual(yield* Setup.reasons, isBridged ? ["upstream_cut"] : [])
        assert.deepStrictEqual(yield* Setup.keysSeen, [0])
        assert.deepStrictEqual(yield* Setup.states(vendor), ["Valid", "Valid"])
      }).pipe(Effect.provide(layer))
  )
})
