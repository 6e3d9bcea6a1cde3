import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as UpstreamError from "../../src/domain/UpstreamError.ts"
import * as ConcurrencyLimit from "../../src/inbound/ConcurrencyLimit.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import * as Circuits from "./Circuits.ts"
import * as Credentials from "./Credentials.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"

const message = "the gateway has as many requests under way as it takes at once, try again"

const layer = (maximum: number, script: Parameters<typeof Setup.layer>[0], options: Setup.Options = {}) =>
  Setup.layer(script, { ...options, limits: ConcurrencyLimit.layer(maximum) })

/** A request in a fiber of its own. */
const begin = ({ path, request }: Calls.Call) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(TestGateway.fetch(path, request), { startImmediately: true })
    yield* TestClock.adjust(0)
    return fiber
  })

describe("A gateway that takes so many requests at once", () => {
  it.effect.each(Calls.all)("refuses one more, such as $call, and it is not the provider's 429", (call) =>
    Effect.gen(function* () {
      const first = yield* begin(call)
      const second = yield* begin(call)
      const refused = yield* TestGateway.fetch(call.path, call.request)
      yield* TestClock.adjust("5 seconds")
      const answers = [yield* Fiber.join(first), yield* Fiber.join(second)]
      const next = yield* begin(call)
      yield* TestClock.adjust("5 seconds")

      assert.deepStrictEqual([refused.status, refused.text], [429, call.fixture.errorText(429, message)])
      assert.deepInclude(
        { ...refused.headers },
        { "retry-after": "1", "x-aibridge-error": "concurrency_limited", "content-type": "application/json" }
      )
      assert.deepStrictEqual(
        [...answers, yield* Fiber.join(next)].map(({ status }) => status),
        [200, 200, 200]
      )
      assert.lengthOf(yield* Setup.requests, 3)
      assert.lengthOf(yield* Setup.started, call.isBridged ? 3 : 0)
      assert.notInclude(yield* Setup.states(call.vendor), "Temporary")
    }).pipe(Effect.provide(layer(2, () => Effect.delay(call.good, "5 seconds"))))
  )

  it.effect("counts all providers and callers together", () =>
    Effect.gen(function* () {
      const [first, ...others] = Calls.unchanged
      assert.isDefined(first)
      yield* begin(first)

      for (const call of others) assert.strictEqual(yield* Circuits.status(call), 429)
    }).pipe(Effect.provide(layer(1, [ScriptedUpstream.silence])))
  )

  it.effect("takes a stream for under way until its end was sent", () =>
    Effect.gen(function* () {
      const { path, request, fixture } = Calls.streaming
      const [first = "", ...rest] = fixture.events
      assert.isNotEmpty(rest)
      const client = yield* Reader.open(path, request)
      yield* TestClock.adjust("9.999 seconds")
      const meanwhile = yield* Circuits.status(Calls.passthrough)
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(client.fiber)
      const afterwards = yield* Circuits.status(Calls.passthrough)

      assert.include(client.text(), first)
      assert.deepStrictEqual([meanwhile, afterwards], [429, 200])
    }).pipe(
      Effect.provide(
        layer(1, [
          ScriptedUpstream.events([
            Calls.streaming.fixture.events[0] ?? "",
            Duration.seconds(10),
            ...Calls.streaming.fixture.events.slice(1)
          ]),
          Calls.passthrough.good
        ])
      )
    )
  )

  it.effect("takes an answer for under way until its client has read it, whenever upstream was done", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      yield* Scope.provide(TestGateway.request(Calls.passthrough.path), scope)
      const meanwhile = yield* Circuits.status(Calls.passthrough)
      yield* Scope.close(scope, Exit.void)
      const afterwards = yield* Circuits.status(Calls.passthrough)

      assert.deepStrictEqual([meanwhile, afterwards], [429, 200])
    }).pipe(Effect.provide(layer(1, () => Calls.passthrough.good)))
  )

  it.effect.each(Calls.unchanged)("has room again when a client leaves within $call", (call) =>
    Effect.gen(function* () {
      const client = yield* Reader.open(call.path, call.request)
      yield* TestClock.adjust("1 second")
      const meanwhile = yield* Circuits.status(call)
      yield* client.leave
      const afterwards = yield* Circuits.status(call)

      assert.deepStrictEqual([meanwhile, afterwards], [429, 200])
    }).pipe(Effect.provide(layer(1, [ScriptedUpstream.silence, call.good])))
  )

  it.effect("has room again after requests that failed, however they did", () =>
    Effect.gen(function* () {
      const { path, request, fixture } = Calls.blocking
      const statuses = [
        yield* Circuits.status({ path, request: { body: "no JSON" } }),
        yield* Circuits.status({ path, request }),
        yield* Circuits.status({ path, request }),
        yield* Circuits.status({ path, request })
      ]

      assert.deepStrictEqual(statuses, [400, 502, 500, 200])
      assert.isNotEmpty(fixture.answerText)
    }).pipe(
      Effect.provide(
        layer(1, [
          ScriptedUpstream.failure(UpstreamError.unreachable("ECONNREFUSED")),
          Calls.blocking.fixture.error(500),
          Calls.blocking.good
        ])
      )
    )
  )

  it.effect("says first what is wrong with route, method and credential, and only then counts", () =>
    Effect.gen(function* () {
      const { path, request } = Calls.blocking
      const authorized = { headers: { "x-api-key": Credentials.alice } }
      yield* Reader.open(path, { ...request, ...authorized })
      const statuses = yield* Effect.forEach(
        [
          TestGateway.fetch("/anthropic/nowhere", authorized),
          TestGateway.fetch(path, authorized),
          TestGateway.fetch("/anthropic"),
          TestGateway.fetch(path, request),
          TestGateway.fetch(path, { body: "no JSON", ...authorized }),
          TestGateway.fetch(path, { body: "x".repeat(2000), ...authorized })
        ],
        Effect.map(({ status }) => status)
      )

      assert.deepStrictEqual(statuses, [404, 405, 200, 401, 429, 429])
    }).pipe(
      Effect.provide(
        layer(1, [ScriptedUpstream.silence], {
          tokens: { alice: Credentials.alice },
          options: { maximumBodyBytes: 1000 }
        })
      )
    )
  )

  it.effect("opens no circuit by its refusals", () =>
    Effect.gen(function* () {
      const client = yield* Reader.open(Calls.blocking.path, Calls.blocking.request)
      const refused = yield* Circuits.statuses(3, Calls.blocking)
      yield* client.leave
      const next = yield* Circuits.status(Calls.blocking)

      assert.deepStrictEqual([...refused, next], [429, 429, 429, 200])
    }).pipe(
      Effect.provide(
        Circuits.layer(
          [ScriptedUpstream.silence, Calls.blocking.good],
          { failureThreshold: 1 },
          { limits: ConcurrencyLimit.layer(1) }
        )
      )
    )
  )

  it.effect("is none unless there is one", () =>
    Effect.gen(function* () {
      yield* Effect.forEach(Array.from({ length: 200 }), () => begin(Calls.passthrough))

      assert.lengthOf(yield* Setup.requests, 200)
    }).pipe(Effect.provide(Setup.layer(() => ScriptedUpstream.silence)))
  )
})
