import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Duration from "effect/Duration"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as UpstreamError from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import type { Fixture } from "./Fixture.ts"
import * as Setup from "./Setup.ts"

const aborted = Effect.map(Setup.requests, (all) => all.map((request) => request.aborted))

const fork = ({ path, request }: Calls.Call) =>
  Effect.forkChild(TestGateway.fetch(path, request), { startImmediately: true })

const kibibytes = (count: number) => new Uint8Array(count * 1024)

// The good answer stays open, so that only what is done about the refused one ends it.
const open = ({ events }: Fixture) => ScriptedUpstream.events([...events.slice(0, 3), "hang"])

const slow = (fixture: Fixture, ...steps: ReadonlyArray<ScriptedUpstream.Step>) => [
  ScriptedUpstream.streamed(429, steps),
  open(fixture)
]

describe("The body of a refused attempt", () => {
  it.effect.each(Calls.unchanged)("does not delay the next attempt of $call, however slow it is", (call) =>
    Effect.gen(function* () {
      const fiber = yield* fork(call)
      yield* Effect.yieldNow

      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1])
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.streamed(429, ["a", "hang"]), call.good])))
  )

  it.effect.each(Calls.unchangedStreams)("is read for one second, then its request is aborted, on $call", (call) =>
    Effect.gen(function* () {
      yield* fork(call)

      yield* TestClock.adjust(999)
      assert.deepStrictEqual(yield* aborted, [false, false])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* aborted, [true, false])
    }).pipe(Effect.provide(Setup.layer(slow(call.fixture, "a", "hang"))))
  )

  it.effect.each(Calls.unchangedStreams)("is left alone if it ends within the second, on $call", (call) =>
    Effect.gen(function* () {
      yield* fork(call)
      yield* TestClock.adjust("10 seconds")

      assert.deepStrictEqual(yield* aborted, [false, false])
    }).pipe(Effect.provide(Setup.layer(slow(call.fixture, "a", Duration.millis(900), "b"))))
  )

  const lengths = [
    { behaviour: "read to its end at 64 KiB", sizes: [32, 32], isAborted: false },
    { behaviour: "aborted above 64 KiB", sizes: [32, 32, 1], isAborted: true },
    { behaviour: "aborted when one chunk is above 64 KiB", sizes: [65], isAborted: true }
  ]

  it.effect.each(Table.times(Calls.unchangedStreams, lengths))(
    "is $behaviour, on $call",
    ({ sizes, isAborted, ...call }) =>
      Effect.gen(function* () {
        yield* fork(call)
        yield* TestClock.adjust(0)

        assert.deepStrictEqual(yield* aborted, [isAborted, false])
      }).pipe(Effect.provide(Setup.layer(slow(call.fixture, ...sizes.map(kibibytes)))))
  )

  it.effect.each(Calls.unchangedStreams)("is not read on when it has no end, on $call", (call) => {
    let chunks = 0
    const endless = Stream.forever(Stream.fromEffect(Effect.sync(() => (chunks++, kibibytes(1)))))
    const script = [Effect.succeed({ status: 429, headers: {}, whole: undefined, body: endless }), open(call.fixture)]
    return Effect.gen(function* () {
      yield* fork(call)
      yield* TestClock.adjust(0)

      assert.deepStrictEqual(yield* aborted, [true, false])
      assert.strictEqual(chunks, 65)
    }).pipe(Effect.provide(Setup.layer(script)))
  })

  it.effect.each(Calls.unchanged)("may break without harm, on $call", ({ path, request, vendor, good }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(path, request)

      assert.strictEqual(response.status, 200)
      assert.deepStrictEqual(yield* Setup.states(vendor), ["Temporary", "Valid"])
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.streamed(429, ["a", UpstreamError.cut("ECONNRESET")]), good])))
  )

  it.effect.each(Calls.unchanged)("is dropped as soon as $call is over", ({ path, request, good }) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)

      assert.deepStrictEqual(yield* aborted, [true, false])
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.streamed(429, ["a", "hang"]), good])))
  )

  it.effect.each(Calls.unchanged)(
    "is dropped as soon as all keys are exhausted and $call was answered",
    ({ path, request }) =>
      Effect.gen(function* () {
        const response = yield* TestGateway.fetch(path, request)

        assert.strictEqual(response.status, 429)
        assert.deepStrictEqual(yield* aborted, [true, true])
      }).pipe(
        Effect.provide(
          Setup.layer([ScriptedUpstream.streamed(429, ["a", "hang"]), ScriptedUpstream.streamed(429, ["a", "hang"])])
        )
      )
  )
})
