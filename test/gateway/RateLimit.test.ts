import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as ConcurrencyLimit from "../../src/inbound/ConcurrencyLimit.ts"
import * as RateLimit from "../../src/inbound/RateLimit.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Layer from "effect/Layer"
import * as Calls from "./Calls.ts"
import * as Circuits from "./Circuits.ts"
import * as Credentials from "./Credentials.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"

const message = "you have sent as many requests as the gateway takes in a minute, try again later"

const layer = (limit: number, script: Parameters<typeof Setup.layer>[0], options: Setup.Options = {}) =>
  Setup.layer(script, { limits: RateLimit.layerMemory(limit), ...options })

const tokens = { alice: Credentials.alice, bob: Credentials.bob }

const statusFor = (token: string, { path, request }: Pick<Calls.Call, "path" | "request"> = Calls.passthrough) =>
  Circuits.status({ path, request: { ...request, headers: { "x-api-key": token } } })

describe("A gateway that takes so many requests a minute from each caller", () => {
  it.effect.each(Calls.all)("refuses one more, such as $call, and it is not the provider's 429", (call) =>
    Effect.gen(function* () {
      const taken = yield* Circuits.statuses(2, call)
      const refused = yield* TestGateway.fetch(call.path, call.request)
      yield* TestClock.adjust("29.999 seconds")
      const early = yield* TestGateway.fetch(call.path, call.request)
      yield* TestClock.adjust("1 millis")
      const next = yield* Circuits.statuses(2, call)

      assert.deepStrictEqual([refused.status, refused.text], [429, call.fixture.errorText(429, message)])
      assert.deepInclude(
        { ...refused.headers },
        { "retry-after": "30", "x-aibridge-error": "rate_limited", "content-type": "application/json" }
      )
      assert.strictEqual(early.headers["retry-after"], "1")
      assert.deepStrictEqual([...taken, ...next], [200, 200, 200, 429])
      assert.lengthOf(yield* Setup.requests, 3)
      assert.lengthOf(yield* Setup.started, call.isBridged ? 3 : 0)
      assert.notInclude(yield* Setup.states(call.vendor), "Temporary")
    }).pipe(Effect.provide(layer(2, () => call.good)))
  )

  it.effect.each([1, 7, 60, 100_000])("takes %s at once, and that many more when a minute is over", (limit) =>
    Effect.gen(function* () {
      const { take } = yield* RateLimit.make(limit)
      const taken = Effect.gen(function* () {
        let count = 0
        while ((yield* Effect.exit(take({ id: "alice", metadata: {} })))._tag === "Success") count++
        return count
      })

      const first = yield* taken
      yield* TestClock.adjust("1 minute")
      const second = yield* taken
      yield* TestClock.adjust("10 minutes")

      assert.deepStrictEqual([first, second, yield* taken], [limit, limit, limit])
    })
  )

  it.effect("counts each caller alone, over all providers", () =>
    Effect.gen(function* () {
      const alice = [yield* statusFor(Credentials.alice), yield* statusFor(Credentials.alice, Calls.blocking)]
      const bob = [yield* statusFor(Credentials.bob), yield* statusFor(Credentials.bob)]

      assert.deepStrictEqual(
        [alice, bob],
        [
          [200, 429],
          [200, 429]
        ]
      )
    }).pipe(Effect.provide(layer(1, () => Calls.passthrough.good, { tokens })))
  )

  it.effect("counts no request of somebody whom it does not know, and none that has no route", () =>
    Effect.gen(function* () {
      const others = [
        yield* statusFor("wrong"),
        yield* statusFor(Credentials.alice, { path: "/anthropic/nowhere", request: {} }),
        yield* statusFor(Credentials.alice, { path: Calls.blocking.path, request: {} })
      ]

      assert.deepStrictEqual(others, [401, 404, 405])
      assert.strictEqual(yield* statusFor(Credentials.alice), 200)
    }).pipe(Effect.provide(layer(1, () => Calls.passthrough.good, { tokens })))
  )

  it.effect("is limited before the body is read", () =>
    Effect.gen(function* () {
      const { path } = Calls.blocking
      const bad = { path, request: { body: "no JSON" } }

      assert.deepStrictEqual(yield* Circuits.statuses(2, bad), [400, 429])
    }).pipe(Effect.provide(layer(1, [])))
  )

  it.effect("opens no circuit by its refusals", () =>
    Effect.gen(function* () {
      const statuses = yield* Circuits.statuses(3, Calls.blocking)
      yield* TestClock.adjust("1 minute")

      assert.deepStrictEqual([...statuses, yield* Circuits.status(Calls.blocking)], [200, 429, 429, 200])
    }).pipe(
      Effect.provide(
        Circuits.layer(() => Calls.blocking.good, { failureThreshold: 1 }, { limits: RateLimit.layerMemory(1) })
      )
    )
  )

  it.effect("does not count what there was no room for at once", () =>
    Effect.gen(function* () {
      const client = yield* Reader.open(Calls.passthrough.path, {})
      const full = yield* TestGateway.fetch(Calls.passthrough.path)
      yield* client.leave
      const next = yield* Circuits.statuses(2, Calls.passthrough)

      assert.strictEqual(full.headers["x-aibridge-error"], "concurrency_limited")
      assert.deepStrictEqual(next, [200, 429])
    }).pipe(
      Effect.provide(
        layer(2, [ScriptedUpstream.silence, Calls.passthrough.good], {
          limits: Layer.merge(RateLimit.layerMemory(2), ConcurrencyLimit.layer(1))
        })
      )
    )
  )

  it.effect("is none unless there is one", () =>
    Effect.gen(function* () {
      assert.notInclude(yield* Circuits.statuses(500, Calls.passthrough), 429)
    }).pipe(Effect.provide(Setup.layer(() => Calls.passthrough.good)))
  )
})
