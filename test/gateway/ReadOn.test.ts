/** The policy `drain`: what becomes of an answer whose client has left, when its usage is still wanted. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as ConcurrencyLimit from "../../src/inbound/ConcurrencyLimit.ts"
import * as ClientGone from "../../src/relay/ClientGone.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"

const aborted = Effect.map(Setup.requests, (all) => all.map((request) => request.aborted))

const layer = (script: Parameters<typeof Setup.layer>[0], options: Setup.Options = {}) =>
  Setup.layer(script, { ...options, options: { clientGone: "drain" } })

/** A client that leaves after a while. */
const visit = ({ path, request }: Pick<Calls.Call, "path" | "request">, stay: Duration.Input = "1 second") =>
  Effect.gen(function* () {
    const client = yield* Reader.open(path, request)
    yield* TestClock.adjust(stay)
    yield* client.leave
  })

describe("An answer that is read on", () => {
  it.effect.each(Calls.all)(
    "is the same to a client that stays, on $call",
    ({ path, request, good, text, isBridged }) =>
      Effect.gen(function* () {
        const answer = yield* TestGateway.fetch(path, request)

        assert.deepStrictEqual([answer.status, answer.text], [200, text])
        assert.deepStrictEqual(yield* aborted, [false])
        assert.deepStrictEqual(yield* Setup.reasons, isBridged ? ["complete"] : [])
      }).pipe(Effect.provide(layer([good])))
  )

  it.effect.each(Calls.blockings)("comes after the client of $call has left", ({ path, request, good, fixture }) => {
    const late = Effect.delay(good, "20 seconds")
    return Effect.gen(function* () {
      yield* visit({ path, request })
      assert.deepStrictEqual(yield* Setup.reasons, [])
      yield* TestClock.adjust("19 seconds")

      const [ended] = yield* Setup.ended
      assert.isDefined(ended)
      const { reason, status, attempts, usageQuality } = ended
      const says = fixture.answerText.includes("usage")
      assert.deepStrictEqual(
        { reason, status, attempts, usageQuality },
        { reason: "client_gone", status: undefined, attempts: 1, usageQuality: says ? "final" : "none" }
      )
      assert.deepStrictEqual(yield* aborted, [false])
    }).pipe(Effect.provide(layer([late])))
  })

  it.effect.each(Calls.unchangedBlockings)("goes on where it was when the client of $call left", (call) => {
    const { answerText } = call.fixture
    const half = answerText.length >> 1
    const steps = [answerText.slice(0, half), Duration.seconds(5), answerText.slice(half)]
    return Effect.gen(function* () {
      yield* visit(call)
      yield* TestClock.adjust("5 seconds")

      const says = answerText.includes("usage")
      assert.deepStrictEqual(
        (yield* Setup.ended).map(({ reason, status, usageQuality }) => ({ reason, status, usageQuality })),
        [{ reason: "client_gone", status: 200, usageQuality: says ? "final" : "none" }]
      )
    }).pipe(Effect.provide(layer([ScriptedUpstream.streamed(200, steps, { "content-type": "application/json" })])))
  })

  it.effect.each(Calls.unchangedBridged)("is none if the key of $call is refused: no further one is tried", (call) =>
    Effect.gen(function* () {
      yield* visit(call)
      yield* TestClock.adjust("10 seconds")

      assert.deepStrictEqual(yield* Setup.keysSeen, [0])
      assert.strictEqual((yield* Setup.states(call.vendor))[0], "Temporary")
      assert.deepStrictEqual(yield* Setup.reasons, ["client_gone"])
    }).pipe(Effect.provide(layer([Effect.delay(call.fixture.error(429), "5 seconds"), call.good])))
  )

  it.effect("is aborted when its time is up, and recorded as far as it came", () =>
    Effect.gen(function* () {
      yield* visit(Calls.streaming)
      yield* TestClock.adjust(Duration.subtract(ClientGone.drainTime, Duration.millis(1)))
      assert.deepStrictEqual([yield* aborted, yield* Setup.reasons], [[false], []])

      yield* TestClock.adjust(1)

      assert.deepStrictEqual([yield* aborted, yield* Setup.reasons], [[true], ["client_gone"]])
    }).pipe(Effect.provide(layer([ScriptedUpstream.events([...Calls.streaming.fixture.events.slice(0, 2), "hang"])])))
  )

  it.effect("has a head that never comes waited for no longer", () =>
    Effect.gen(function* () {
      yield* visit(Calls.blocking)
      yield* TestClock.adjust(ClientGone.drainTime)

      assert.deepStrictEqual([yield* aborted, yield* Setup.reasons], [[true], ["client_gone"]])
    }).pipe(Effect.provide(layer([ScriptedUpstream.silence])))
  )

  it.effect("is one of 64 at most: one more is aborted at once, until there is room again", () =>
    Effect.gen(function* () {
      yield* Effect.replicateEffect(visit(Calls.streaming, 0), ClientGone.maximumDrains)
      assert.lengthOf(yield* Setup.reasons, 0)

      yield* visit(Calls.streaming, 0)
      assert.lengthOf(yield* Setup.reasons, 1)
      assert.deepStrictEqual((yield* aborted).at(-1), true)

      yield* TestClock.adjust(ClientGone.drainTime)
      assert.lengthOf(yield* Setup.reasons, ClientGone.maximumDrains + 1)
      yield* visit(Calls.streaming, 0)
      assert.lengthOf(yield* Setup.reasons, ClientGone.maximumDrains + 1)
    }).pipe(Effect.provide(layer(() => ScriptedUpstream.events(["hang"]))))
  )

  it.effect("is not wanted if the client has left with the last event", () =>
    Effect.gen(function* () {
      yield* visit(Calls.streaming)

      assert.deepStrictEqual([yield* aborted, yield* Setup.reasons], [[true], ["complete"]])
    }).pipe(Effect.provide(layer([ScriptedUpstream.events([...Calls.streaming.fixture.events, "hang"])])))
  )

  it.effect("is still one whose client has left when the upstream fails", () =>
    Effect.gen(function* () {
      yield* visit(Calls.streaming)
      yield* TestClock.adjust("5 seconds")

      assert.deepStrictEqual([yield* aborted, yield* Setup.reasons], [[false], ["client_gone"]])
    }).pipe(Effect.provide(layer([ScriptedUpstream.events(["", Duration.seconds(5), Failure.cut("ECONNRESET")])])))
  )

  it.effect("with its failure still counts for the circuit breaker", () =>
    Effect.gen(function* () {
      yield* visit(Calls.streaming)
      yield* TestClock.adjust("5 seconds")
      const { status } = yield* TestGateway.fetch(Calls.streaming.path, Calls.streaming.request)

      assert.strictEqual(status, 503)
    }).pipe(
      Effect.provide(
        layer([ScriptedUpstream.events(["", Duration.seconds(5), Failure.cut("ECONNRESET")])], {
          provider: { circuitBreaker: { failureThreshold: 1, countStreamErrors: true } }
        })
      )
    )
  )

  it.effect("takes no client's room", () =>
    Effect.gen(function* () {
      yield* visit(Calls.streaming)
      const client = yield* Reader.open(Calls.streaming.path, Calls.streaming.request)
      yield* TestClock.adjust("1 second")

      assert.lengthOf(yield* Setup.started, 2)
      yield* client.leave
    }).pipe(Effect.provide(layer(() => ScriptedUpstream.events(["hang"]), { limits: ConcurrencyLimit.layer(1) })))
  )

  it.effect("is aborted and recorded when the gateway is closed, and one that begins then, too", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(
        layer(() => ScriptedUpstream.events(["hang"])),
        scope
      )
      yield* Effect.gen(function* () {
        yield* visit(Calls.streaming)
        const late = yield* Reader.open(Calls.streaming.path, Calls.streaming.request)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual([yield* aborted, yield* Setup.reasons], [[false, false], []])

        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual([yield* aborted, yield* Setup.reasons], [[true, false], ["client_gone"]])

        yield* late.leave
        assert.deepStrictEqual(
          [yield* aborted, yield* Setup.reasons],
          [
            [true, true],
            ["client_gone", "client_gone"]
          ]
        )
      }).pipe(Effect.provide(context))
    })
  )

  it.effect("is none of a passthrough request", () =>
    Effect.gen(function* () {
      yield* visit(Calls.passthrough)

      assert.deepStrictEqual(yield* aborted, [true])
    }).pipe(Effect.provide(layer([ScriptedUpstream.silence])))
  )
})
