import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Drain from "../../src/inbound/Drain.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import * as Circuits from "./Circuits.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

const message = "the gateway is shutting down, try again"
const aborted = Effect.map(Setup.requests, (all) => all.map((request) => request.aborted))

describe("A gateway that stops", () => {
  it.effect.each(Calls.everyones)("takes nothing new, such as $call", ({ path, request, fixture }) => {
    const drain = Drain.make()
    return Effect.gen(function* () {
      drain.begin()
      const { status, headers, text } = yield* TestGateway.fetch(path, request)

      assert.deepStrictEqual([status, text], [503, fixture.errorText(503, message)])
      assert.deepStrictEqual([headers["retry-after"], headers["connection"]], ["1", "close"])
      assert.deepStrictEqual(yield* Setup.traces, Setup.nothing)
    }).pipe(Effect.provide(Setup.layer([], { drain })))
  })

  it.effect("is not asked whether it is alive any more", () => {
    const drain = Drain.make()
    return Effect.gen(function* () {
      const before = yield* TestGateway.fetch("/anthropic")
      drain.begin()
      const after = yield* TestGateway.fetch("/anthropic")

      assert.deepStrictEqual([before.status, after.status], [200, 503])
    }).pipe(Effect.provide(Setup.layer([], { drain })))
  })

  it.effect.each(Calls.all)("lets $call go on that is under way", (call) => {
    const drain = Drain.make()
    return Effect.gen(function* () {
      const answer = yield* Effect.forkChild(TestGateway.fetch(call.path, call.request), { startImmediately: true })
      yield* TestClock.adjust(0)
      drain.begin()
      yield* TestClock.adjust("1 minute")

      const { status, text } = yield* Fiber.join(answer)
      assert.deepStrictEqual([status, text], [200, call.text])
    }).pipe(Effect.provide(Setup.layer([Effect.delay(call.good, "5 seconds")], { drain })))
  })

  it.effect.each(Calls.unchangedStreams)(
    "ends $call with an error event when time is up",
    ({ path, request, fixture }) => {
      const drain = Drain.make()
      const [first = "", second = ""] = fixture.events
      return Effect.gen(function* () {
        const client = yield* Reader.open(path, request)
        yield* TestClock.adjust("3 seconds")
        drain.begin()
        drain.timeUp()
        yield* TestClock.adjust(0)

        assert.strictEqual(client.text(), first + fixture.errorEvent(message))
        assert.strictEqual(yield* Fiber.join(client.fiber), 200)
        assert.deepStrictEqual(yield* aborted, [true])
        assert.deepStrictEqual(yield* Setup.reasons, ["shutdown"])
      }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.events([first, second.slice(0, 9), "hang"])], { drain })))
    }
  )

  it.effect.each([...Calls.everyones, ...Calls.of(Vendors.bedrock)])(
    "says to try again to $call that has no answer when time is up",
    ({ path, request, fixture, vendor, isBridged }) => {
      const drain = Drain.make()
      const own = { "x-aibridge-token": "any", authorization: "Bearer of-the-caller" }
      const sent = { ...request, headers: { ...request.headers, ...(!vendor.hasPool && own) } }
      return Effect.gen(function* () {
        const answer = yield* Effect.forkChild(TestGateway.fetch(path, sent), { startImmediately: true })
        yield* TestClock.adjust("3 seconds")
        drain.timeUp()
        const { status, headers, text } = yield* Fiber.join(answer)

        assert.deepStrictEqual([status, text], [503, fixture.errorText(503, message)])
        assert.deepStrictEqual([headers["retry-after"], headers["connection"]], ["1", "close"])
        assert.deepStrictEqual(yield* aborted, [true])
        assert.deepStrictEqual(yield* Setup.reasons, isBridged ? ["shutdown"] : [])
        assert.notInclude(yield* Setup.states(vendor), "Permanent")
      }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.silence], { drain })))
    }
  )

  it.effect.each(Calls.all.filter((call) => !call.isStreaming))(
    "cuts the answer to $call that is not complete when time is up",
    ({ path, request, isBridged }) => {
      const drain = Drain.make()
      const begun = ScriptedUpstream.streamed(200, [`{"begun":`, "hang"], { "content-type": "application/json" })
      return Effect.gen(function* () {
        const client = yield* Reader.open(path, request)
        yield* TestClock.adjust("3 seconds")
        drain.timeUp()
        const exit = yield* Fiber.await(client.fiber)

        assert.deepStrictEqual([client.text(), exit._tag], [`{"begun":`, "Failure"])
        assert.deepStrictEqual(yield* aborted, [true])
        assert.deepStrictEqual(yield* Setup.reasons, isBridged ? ["shutdown"] : [])
      }).pipe(Effect.provide(Setup.layer([begun], { drain })))
    }
  )

  it.effect("sends nothing upstream any more for a request whose body comes when time is up", () => {
    const drain = Drain.make()
    // The request was taken before.
    const late = { ...drain, isDraining: () => false }
    return Effect.gen(function* () {
      drain.timeUp()
      const { status } = yield* TestGateway.fetch(Calls.blocking.path, Calls.blocking.request)

      assert.strictEqual(status, 503)
      assert.deepStrictEqual(yield* Setup.reasons, ["shutdown"])
      assert.deepStrictEqual(yield* aborted, [true])
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.silence], { drain: late })))
  })

  it.effect("ends a stream that its client does not read", () => {
    const drain = Drain.make()
    const { path, request, fixture } = Calls.streaming
    const [first = "", second = ""] = fixture.events
    return Effect.gen(function* () {
      const response = yield* TestGateway.request(path, request)
      drain.timeUp()
      const text = yield* Stream.mkString(Stream.decodeText(response.stream))

      assert.strictEqual(text, fixture.errorEvent(message))
    }).pipe(Effect.scoped, Effect.provide(Setup.layer([ScriptedUpstream.events([first, second, "hang"])], { drain })))
  })

  it.effect("ends a stream between two reads of its client", () => {
    const drain = Drain.make()
    const { path, request, fixture } = Calls.streaming
    const [first = ""] = fixture.events
    return Effect.gen(function* () {
      const { stream } = yield* TestGateway.request(path, request)
      const chunks = Stream.tap(stream, ({ length }) => Effect.sync(() => length > 0 && drain.timeUp()))

      const text = yield* Stream.mkString(Stream.decodeText(chunks))

      assert.strictEqual(text, first + fixture.errorEvent(message))
    }).pipe(Effect.scoped, Effect.provide(Setup.layer([ScriptedUpstream.events([first, "hang"])], { drain })))
  })

  it.effect("knows of no stream that is over, however it ended", () => {
    let known = 0
    const onTimeUp = () => {
      known++
      return () => void known--
    }
    const drain = { isDraining: () => false, onTimeUp }
    const { path, request, good, fixture } = Calls.streaming
    const script = [good, ScriptedUpstream.events([fixture.events[0] ?? "", "hang"])]
    return Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)
      const afterEnd = known
      const client = yield* Reader.open(path, request)
      const meanwhile = known
      yield* client.leave

      assert.deepStrictEqual([afterEnd, meanwhile, known], [0, 1, 0])
    }).pipe(Effect.provide(Setup.layer(script, { drain })))
  })

  it.effect("leaves alone what has come to its end", () => {
    const drain = Drain.make()
    const { path, request, fixture, good } = Calls.streaming
    return Effect.gen(function* () {
      const { text } = yield* TestGateway.fetch(path, request)
      drain.timeUp()
      yield* TestClock.adjust(Duration.seconds(1))

      assert.strictEqual(text, fixture.streamText)
      assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
    }).pipe(Effect.provide(Setup.layer([good], { drain })))
  })

  it.effect("does not blame the upstream", () => {
    const drain = Drain.make()
    const { path, request, fixture } = Calls.streaming
    const script = [ScriptedUpstream.events([fixture.events[0] ?? "", "hang"])]
    return Effect.gen(function* () {
      yield* Reader.open(path, request)
      drain.timeUp()
      yield* TestClock.adjust(0)

      assert.deepStrictEqual(yield* Setup.reasons, ["shutdown"])
      assert.strictEqual((yield* Circuits.metrics(Calls.streaming)).trips, 0)
    }).pipe(
      Circuits.measured,
      Effect.provide(Circuits.layer(script, { failureThreshold: 1, countStreamErrors: true }, { drain }))
    )
  })
})

describe("What must stop when time is up", () => {
  it("is stopped, unless it was over before", () => {
    const drain = Drain.make()
    const stopped: Array<string> = []
    drain.onTimeUp(() => void stopped.push("a"))
    drain.onTimeUp(() => void stopped.push("b"))()
    drain.begin()
    const atBegin = [...stopped]
    drain.timeUp()
    drain.onTimeUp(() => void stopped.push("late"))

    assert.deepStrictEqual([atBegin, stopped, drain.isDraining()], [[], ["a", "late"], true])
  })
})
