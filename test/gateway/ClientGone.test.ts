import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import type { Fixture } from "./Fixture.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"

const aborted = Effect.map(Setup.requests, (all) => all.map((request) => request.aborted))

describe("A client that leaves", () => {
  const moments = [
    { moment: "before the head", script: () => [ScriptedUpstream.silence], after: 0, gone: [true] },
    {
      moment: "before a head that takes its time",
      script: ({ error }: Fixture) => [Effect.delay(error(429), "2 seconds")],
      after: 1_999,
      gone: [true]
    },
    {
      moment: "before the second key's head",
      script: ({ error }: Fixture) => [error(429), ScriptedUpstream.silence],
      after: 1_000,
      gone: [false, true]
    },
    {
      moment: "while a refused answer is read beside the second key's",
      script: () => [ScriptedUpstream.streamed(429, ["a", "hang"]), ScriptedUpstream.silence],
      after: 500,
      gone: [true, true]
    },
    {
      moment: "after the head",
      script: () => [ScriptedUpstream.streamed(200, ["hang"])],
      after: 1_000,
      gone: [true]
    },
    {
      moment: "within the answer",
      script: () => [ScriptedUpstream.streamed(200, ["a", Duration.seconds(1), "b", "hang"])],
      after: 1_500,
      gone: [true]
    }
  ]

  it.effect.each(Table.times(Calls.unchanged, moments))(
    "$moment of $call has its upstream calls aborted at once, and no further key is tried",
    ({ path, request, fixture, after, gone, isBridged, script }) =>
      Effect.gen(function* () {
        const client = yield* Reader.open(path, request)
        yield* TestClock.adjust(after)
        assert.isUndefined(client.fiber.pollUnsafe())

        yield* client.leave

        assert.deepStrictEqual(yield* aborted, gone)
        yield* TestClock.adjust("1 hour")
        assert.lengthOf(yield* Setup.requests, gone.length)
        assert.deepStrictEqual(yield* Setup.reasons, isBridged ? ["client_gone"] : [])
      }).pipe(Effect.provide(Setup.layer(script(fixture), { keys: 3 })))
  )

  const leaving = Effect.withFiber((fiber) => Effect.sync(() => fiber.interruptUnsafe()))
  const leavingAtLogLine = Logger.layer([Logger.make(({ fiber }) => fiber.interruptUnsafe())])

  const betweens = [
    { between: "as the first key is refused", before: leaving, layer: Layer.empty },
    { between: "after the first key was marked", before: Effect.void, layer: leavingAtLogLine }
  ]

  it.effect.each(Table.times(Calls.unchanged, betweens))(
    "$between of $call has no further key tried",
    ({ path, request, fixture, before, layer, isBridged }) =>
      Effect.gen(function* () {
        const client = yield* Reader.open(path, request).pipe(Effect.provide(layer))
        yield* TestClock.adjust("1 hour")

        assert.strictEqual(client.fiber.pollUnsafe()?._tag, "Failure")
        assert.deepStrictEqual(yield* Setup.keysSeen, [0])
        assert.deepStrictEqual(yield* Setup.reasons, isBridged ? ["client_gone"] : [])
      }).pipe(Effect.provide(Setup.layer([Effect.andThen(before, fixture.error(429))])))
  )

  it.effect.each(Calls.unchanged)(
    "in the same moment in which the first key of $call is refused has no further key tried",
    (call) => {
      const refused = Deferred.makeUnsafe<void>()
      return Effect.gen(function* () {
        const client = yield* Reader.open(call.path, call.request)

        Deferred.doneUnsafe(refused, Effect.void)
        yield* client.leave

        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(yield* Setup.keysSeen, [0])
        assert.deepStrictEqual(yield* Setup.reasons, call.isBridged ? ["client_gone"] : [])
      }).pipe(Effect.provide(Setup.layer([Effect.andThen(Deferred.await(refused), call.fixture.error(429))])))
    }
  )

  it.effect.each(Calls.bridged)(
    "with the head but before it reads a body of $call aborts the upstream",
    ({ path, request, fixture }) =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const response = yield* TestGateway.request(path, request).pipe(Scope.provide(scope))

        yield* Scope.close(scope, Exit.void)

        assert.strictEqual(response.status, 200)
        assert.deepStrictEqual(yield* aborted, [true])
        assert.deepStrictEqual(yield* Setup.reasons, ["client_gone"])
      }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.events(fixture.events)])))
  )

  it.effect.each(Calls.streams)("after all of $call has left a complete one", ({ path, request, good }) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const response = yield* TestGateway.request(path, request).pipe(Scope.provide(scope))
      yield* Stream.runDrain(response.stream)

      yield* Scope.close(scope, Exit.void)

      assert.deepStrictEqual(yield* aborted, [false])
      assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
    }).pipe(Effect.provide(Setup.layer([good])))
  )

  it.effect.each(Calls.streams)(
    "with the last event of $call, while the upstream stays, has left a complete one",
    ({ path, request, fixture }) =>
      Effect.gen(function* () {
        const client = yield* Reader.open(path, request)
        yield* TestClock.adjust("1 second")
        assert.strictEqual(client.text(), fixture.streamText)

        yield* client.leave

        assert.deepStrictEqual(yield* aborted, [true])
        assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
      }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.events([...fixture.events, "hang"])])))
  )
})

describe("A client that reads slowly", () => {
  it.effect.each(Calls.all)("slows the upstream down, on $call", ({ path, request, isStreaming }) => {
    let pulled = 0
    const endless = Stream.forever(
      Stream.fromEffect(Effect.sync(() => new TextEncoder().encode(`data: ${pulled++}\n\n`)))
    )
    const type = isStreaming ? "text/event-stream" : "application/json"
    const answer = Effect.succeed({ status: 200, headers: { "content-type": type }, whole: undefined, body: endless })
    return Effect.gen(function* () {
      const response = yield* TestGateway.request(path, request)

      yield* response.stream.pipe(Stream.take(3), Stream.runDrain)
      yield* TestClock.adjust("1 minute")

      assert.isBelow(pulled, 6)
    }).pipe(Effect.scoped, Effect.provide(Setup.layer([answer])))
  })
})
