import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Duration from "effect/Duration"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as UpstreamError from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Fixture from "./Fixture.ts"
import * as Setup from "./Setup.ts"

const aborted = Effect.map(Setup.requests, (all) => all.map((request) => request.aborted))

const fork = Effect.forkChild(TestGateway.fetch(Setup.messages, Setup.streaming), { startImmediately: true })

const kibibytes = (count: number) => new Uint8Array(count * 1024)

// The good answer stays open, so that only what is done about the refused one ends it.
const open = ScriptedUpstream.events([...Fixture.events.slice(0, 3), "hang"])

const slow = (...steps: ReadonlyArray<ScriptedUpstream.Step>) => [ScriptedUpstream.streamed(429, steps), open]

describe("The body of a refused attempt", () => {
  it.effect("does not delay the next attempt, however slow it is", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(TestGateway.fetch(Setup.models), { startImmediately: true })
      yield* Effect.yieldNow

      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1])
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.streamed(429, ["a", "hang"]), Fixture.models200])))
  )

  it.effect("is read for one second, then its request is aborted", () =>
    Effect.gen(function* () {
      yield* fork

      yield* TestClock.adjust(999)
      assert.deepStrictEqual(yield* aborted, [false, false])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* aborted, [true, false])
    }).pipe(Effect.provide(Setup.layer(slow("a", "hang"))))
  )

  it.effect("is left alone if it ends within the second", () =>
    Effect.gen(function* () {
      yield* fork
      yield* TestClock.adjust("10 seconds")

      assert.deepStrictEqual(yield* aborted, [false, false])
    }).pipe(Effect.provide(Setup.layer(slow("a", Duration.millis(900), "b"))))
  )

  it.effect.each([
    { behaviour: "read to its end at 64 KiB", sizes: [32, 32], isAborted: false },
    { behaviour: "aborted above 64 KiB", sizes: [32, 32, 1], isAborted: true },
    { behaviour: "aborted when one chunk is above 64 KiB", sizes: [65], isAborted: true }
  ])("is $behaviour", ({ sizes, isAborted }) =>
    Effect.gen(function* () {
      yield* fork
      yield* TestClock.adjust(0)

      assert.deepStrictEqual(yield* aborted, [isAborted, false])
    }).pipe(Effect.provide(Setup.layer(slow(...sizes.map(kibibytes)))))
  )

  it.effect("is not read on when it has no end", () => {
    let chunks = 0
    const endless = Stream.forever(Stream.fromEffect(Effect.sync(() => (chunks++, kibibytes(1)))))
    const script = [Effect.succeed({ status: 429, headers: {}, whole: undefined, body: endless }), open]
    return Effect.gen(function* () {
      yield* fork
      yield* TestClock.adjust(0)

      assert.deepStrictEqual(yield* aborted, [true, false])
      assert.strictEqual(chunks, 65)
    }).pipe(Effect.provide(Setup.layer(script)))
  })

  it.effect("may break without harm", () =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(Setup.models)

      assert.strictEqual(response.status, 200)
      assert.deepStrictEqual(yield* Setup.states, ["Temporary", "Valid"])
    }).pipe(
      Effect.provide(
        Setup.layer([ScriptedUpstream.streamed(429, ["a", UpstreamError.cut("ECONNRESET")]), Fixture.models200])
      )
    )
  )

  it.effect("is dropped as soon as the request is over", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(Setup.models)

      assert.deepStrictEqual(yield* aborted, [true, false])
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.streamed(429, ["a", "hang"]), Fixture.models200])))
  )

  it.effect("is dropped as soon as all keys are exhausted and the answer was sent", () =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(Setup.models)

      assert.strictEqual(response.status, 429)
      assert.deepStrictEqual(yield* aborted, [true, true])
    }).pipe(
      Effect.provide(
        Setup.layer([ScriptedUpstream.streamed(429, ["a", "hang"]), ScriptedUpstream.streamed(429, ["a", "hang"])])
      )
    )
  )
})
