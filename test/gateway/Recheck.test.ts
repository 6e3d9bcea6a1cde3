import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import * as UpstreamError from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import * as Messages from "./Messages.ts"
import * as Setup from "./Setup.ts"

/** A gateway whose first key is refused at the first request and may be tried again every minute. */
const layer = (...script: ReadonlyArray<ScriptedUpstream.Answer>) =>
  Setup.layer([Messages.fixture.error(401), Messages.fixture.models200, ...script], {
    provider: { recheck: Schedule.spaced("1 minute") }
  })

const fetch = TestGateway.fetch(Calls.passthrough.path)

/** The refusal, then the minute but for its last millisecond: no probe yet. */
const refused = Effect.andThen(fetch, TestClock.adjust(59_999))

describe("A refused key with recheck", () => {
  it.effect.each(Calls.all)("is back when $call after its delay succeeds with it", ({ path, request, vendor, good }) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)
      yield* TestClock.adjust(59_999)
      yield* TestGateway.fetch(path, request)
      yield* TestClock.adjust(1)

      yield* TestGateway.fetch(path, request)
      yield* TestGateway.fetch(path, request)

      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, 1, 0, 0])
      assert.deepStrictEqual(yield* Setup.states(vendor), ["Valid", "Valid"])
    }).pipe(Effect.provide(layer(good, good, good)))
  )

  it.effect("stays out when it is refused again, and the client gets the next key's answer", () =>
    Effect.gen(function* () {
      yield* refused
      yield* TestClock.adjust(1)

      const response = yield* fetch
      yield* TestClock.adjust(59_999)
      yield* fetch

      assert.strictEqual(response.status, 200)
      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, 0, 1, 1])
      assert.deepStrictEqual(yield* Setup.states(), ["Permanent", "Valid"])
    }).pipe(Effect.provide(layer(Messages.fixture.error(403), Messages.fixture.models200, Messages.fixture.models200)))
  )

  it.effect("is tried by one request at a time", () =>
    Effect.gen(function* () {
      yield* refused
      yield* TestClock.adjust(1)

      const probing = yield* Effect.forkChild(fetch, { startImmediately: true })
      yield* fetch
      yield* fetch
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(probing)

      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, 0, 1, 1])
      assert.deepStrictEqual(yield* Setup.states(), ["Valid", "Valid"])
    }).pipe(
      Effect.provide(
        layer(
          Effect.delay(Messages.fixture.models200, "1 second"),
          Messages.fixture.models200,
          Messages.fixture.models200
        )
      )
    )
  )

  it.effect.each([
    { behaviour: "whose client leaves", answer: ScriptedUpstream.silence },
    { behaviour: "that finds no upstream", answer: ScriptedUpstream.failure(UpstreamError.unreachable("ECONNRESET")) },
    { behaviour: "that meets an overloaded upstream", answer: Messages.fixture.error(529) }
  ])("is tried again a minute after a probing request $behaviour", ({ answer }) =>
    Effect.gen(function* () {
      yield* refused
      yield* TestClock.adjust(1)

      const probing = yield* Effect.forkChild(fetch, { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.interrupt(probing)
      assert.deepStrictEqual(yield* Setup.states(), ["Permanent", "Valid"])
      yield* TestClock.adjust(answer === ScriptedUpstream.silence ? 59_999 : 49_999)
      yield* fetch
      yield* TestClock.adjust(1)
      yield* fetch

      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, 0, 1, 0])
      assert.deepStrictEqual(yield* Setup.states(), ["Valid", "Valid"])
    }).pipe(Effect.provide(layer(answer, Messages.fixture.models200, Messages.fixture.models200)))
  )
})
