import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import * as Circuits from "./Circuits.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"

const message = "the request took longer than the gateway lets one take"
const aborted = Effect.map(Setup.requests, (all) => all.map((request) => request.aborted))
const options = { totalTimeout: Duration.minutes(10) }
const almost = "599.999 seconds"
const tick = "1 millis"

describe("A request that takes longer than it may", () => {
  it.effect.each(Calls.all)("is a 504 if $call has no answer, and no key is marked", (call) =>
    Effect.gen(function* () {
      const answer = yield* Effect.forkChild(TestGateway.fetch(call.path, call.request), { startImmediately: true })
      yield* TestClock.adjust(almost)
      assert.isUndefined(answer.pollUnsafe())
      yield* TestClock.adjust(tick)
      const { status, text } = yield* Fiber.join(answer)

      assert.deepStrictEqual([status, text], [504, call.fixture.errorText(504, message)])
      assert.deepStrictEqual(yield* aborted, [true])
      assert.deepStrictEqual(yield* Setup.states(call.vendor), ["Valid", "Valid"])
      assert.deepStrictEqual(yield* Setup.reasons, call.isBridged ? ["timeout"] : [])
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.silence], { options })))
  )

  it.effect.each(Calls.unchangedStreams)(
    "is an error event in $call, after its last complete event",
    ({ path, request, fixture }) => {
      const [first = "", second = ""] = fixture.events
      // Never silent for long.
      const steps = [first, ...Array.from({ length: 30 }, () => [Duration.seconds(25), ": x\n\n"]).flat()]
      return Effect.gen(function* () {
        const client = yield* Reader.open(path, request)
        yield* TestClock.adjust(almost)
        assert.isUndefined(client.fiber.pollUnsafe())
        yield* TestClock.adjust(tick)

        assert.strictEqual(yield* Fiber.join(client.fiber), 200)
        assert.isTrue(client.text().startsWith(first))
        assert.isTrue(client.text().endsWith(`\n\n${fixture.errorEvent(message)}`))
        assert.deepStrictEqual(yield* aborted, [true])
        assert.deepStrictEqual(yield* Setup.reasons, ["timeout"])
      }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.events([...steps, second])], { options })))
    }
  )

  it.effect.each(Calls.all.filter((call) => !call.isStreaming))(
    "is a cut connection in the answer to $call",
    ({ path, request }) => {
      const begun = ScriptedUpstream.streamed(200, [`{"begun":`, "hang"], { "content-type": "application/json" })
      return Effect.gen(function* () {
        const client = yield* Reader.open(path, request)
        yield* TestClock.adjust(almost)
        assert.isUndefined(client.fiber.pollUnsafe())
        yield* TestClock.adjust(tick)

        assert.deepStrictEqual([client.text(), (yield* Fiber.await(client.fiber))._tag], [`{"begun":`, "Failure"])
        assert.deepStrictEqual(yield* aborted, [true])
      }).pipe(Effect.provide(Setup.layer([begun], { options })))
    }
  )

  it.effect("has had all its attempts in that time", () => {
    const { path, request, fixture } = Calls.blocking
    const limited = Effect.delay(fixture.error(429, "3600"), "4 minutes")
    return Effect.gen(function* () {
      const answer = yield* Effect.forkChild(TestGateway.fetch(path, request), { startImmediately: true })
      yield* TestClock.adjust(almost)
      assert.isUndefined(answer.pollUnsafe())
      yield* TestClock.adjust(tick)

      assert.strictEqual((yield* Fiber.join(answer)).status, 504)
      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, 2])
      assert.deepStrictEqual(yield* Setup.states(), ["Temporary", "Temporary", "Valid"])
    }).pipe(Effect.provide(Setup.layer([limited, limited, ScriptedUpstream.silence], { options, keys: 3 })))
  })

  it.effect("does not blame the upstream", () => {
    const script = [ScriptedUpstream.events([Calls.streaming.fixture.events[0] ?? "", "hang"])]
    return Effect.gen(function* () {
      yield* Reader.open(Calls.streaming.path, Calls.streaming.request)
      yield* TestClock.adjust("10 minutes")

      assert.deepStrictEqual(yield* Setup.reasons, ["timeout"])
      assert.strictEqual((yield* Circuits.metrics(Calls.streaming)).trips, 0)
    }).pipe(
      Circuits.measured,
      Effect.provide(Circuits.layer(script, { failureThreshold: 1, countStreamErrors: true }, { options }))
    )
  })

  it.effect.each([
    { whose: "by default", setup: {}, limit: 3_600_000 },
    { whose: "of its provider", setup: { options, provider: { totalTimeout: "5 seconds" } }, limit: 5_000 },
    { whose: "of its provider, be it longer", setup: { options, provider: { totalTimeout: "2 hours" } }, limit: 7.2e6 }
  ] as const)("is ended by the limit $whose", ({ setup, limit }) =>
    Effect.gen(function* () {
      const { path, request } = Calls.blocking
      const answer = yield* Effect.forkChild(TestGateway.fetch(path, request), { startImmediately: true })
      yield* TestClock.adjust(limit - 1)
      assert.isUndefined(answer.pollUnsafe())
      yield* TestClock.adjust(1)

      assert.strictEqual((yield* Fiber.join(answer)).status, 504)
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.silence], setup)))
  )

  it.effect("is not ended where there is no limit", () =>
    Effect.gen(function* () {
      const { path, request } = Calls.blocking
      const answer = yield* Effect.forkChild(TestGateway.fetch(path, request), { startImmediately: true })
      yield* TestClock.adjust("1000 days")

      assert.isUndefined(answer.pollUnsafe())
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.silence], { options: { totalTimeout: Duration.infinity } })))
  )
})

describe("The limits of one provider", () => {
  const provider = { upstreamTimeout: "30 seconds", idleTimeout: Duration.infinity } as const

  it.effect.each(Calls.all)("go upstream with $call", ({ path, request, good }) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)

      assert.deepStrictEqual(
        (yield* Setup.requests).map(({ timeouts }) => timeouts),
        [{ headers: 30_000, idle: 0 }]
      )
    }).pipe(Effect.provide(Setup.layer([good], { provider })))
  )
})
