/** Providers that are replaced while the gateway runs. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type * as Provider from "../../src/providers/Provider.ts"
import * as Providers from "../../src/providers/Providers.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as CircuitBreakers from "../../src/upstream/CircuitBreakers.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

const { anthropic } = Vendors

/** Replaces everything by the vendor with the keys at these indexes. */
const replace = (indexes: ReadonlyArray<number>, vendor = anthropic, options: Provider.Options = {}) =>
  Effect.gen(function* () {
    const providers = yield* Providers.Providers
    const keys = indexes.map((index) => Redacted.make(Setup.key(index, vendor)))
    yield* providers.replace([yield* vendor.make({ ...options, keys })])
  })

const fetch = ({ path, request }: Pick<Calls.Call, "path" | "request">) => TestGateway.fetch(path, request)

describe("Providers that are replaced", () => {
  it.effect.each(Calls.all)("serve the next $call with their keys", (call) =>
    Effect.gen(function* () {
      yield* fetch(call)
      yield* replace([2, 3], call.vendor)

      const answer = yield* fetch(call)

      assert.strictEqual(answer.text, call.text)
      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 2])
    }).pipe(Effect.provide(Setup.layer([call.good, call.good])))
  )

  it.effect.each(Calls.all)("keep what is known of a key they had before, such as that $call was limited", (call) =>
    Effect.gen(function* () {
      yield* fetch(call)
      yield* replace([5, 0, 1], call.vendor)
      yield* fetch(call)
      yield* replace([0], call.vendor)

      const answer = yield* fetch(call)

      assert.deepStrictEqual([answer.status, answer.headers["retry-after"]], [429, "30"])
      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, 5])
    }).pipe(Effect.provide(Setup.layer([call.fixture.error(429, "30"), call.good, call.good])))
  )

  it.effect("let a stream end that has begun with the ones before", () => {
    const { path, request, fixture, good } = Calls.streaming
    return Effect.gen(function* () {
      const scope = yield* Scope.make()
      const answer = yield* Scope.provide(TestGateway.request(path, request), scope)
      yield* replace([3], Vendors.openai)

      const text = yield* answer.text
      yield* Scope.close(scope, Exit.void)

      assert.strictEqual(text, fixture.events.join(""))
      assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
      assert.strictEqual((yield* TestGateway.fetch(path, request)).status, 404)
    }).pipe(Effect.provide(Setup.layer([good])))
  })

  it.effect("tell of a key that was under way with the ones before", () =>
    Effect.gen(function* () {
      const [before] = (yield* Providers.Providers).all()
      const pool = before?.keyFailover.pool
      const underWay = yield* Effect.fromNullishOr(pool).pipe(Effect.flatMap(({ walker }) => walker().next))
      yield* replace([0, 1])

      yield* pool?.markPermanent(underWay) ?? Effect.void

      assert.deepStrictEqual(yield* Setup.states(), ["Permanent", "Valid"])
    }).pipe(Effect.provide(Setup.layer([], { vendors: [anthropic] })))
  )

  it.effect("stay as they are if two of the new ones have the same name", () =>
    Effect.gen(function* () {
      const providers = yield* Providers.Providers
      const before = providers.all()

      const error = yield* Effect.flip(
        Effect.flatMap(Effect.all([anthropic.make({}), anthropic.make({})]), providers.replace)
      )

      assert.strictEqual(error.message, `provider "anthropic": name: another provider has it`)
      assert.strictEqual(providers.all(), before)
    }).pipe(Effect.provide(Setup.layer([])))
  )

  it.effect("bring their own limits to circuits that are there already", () => {
    const call = Calls.blocking
    const failure = call.fixture.error(503)
    const breakers = CircuitBreakers.layer()
    return Effect.gen(function* () {
      yield* replace([0], anthropic, { circuitBreaker: { failureThreshold: 5 } })
      yield* fetch(call)
      yield* replace([0], anthropic, { circuitBreaker: { failureThreshold: 2, timeout: "7 seconds" } })
      yield* fetch(call)

      const answer = yield* fetch(call)

      assert.deepStrictEqual([answer.status, answer.headers["retry-after"]], [503, "7"])
      const { circuits } = yield* CircuitBreakers.CircuitBreakers
      const { model } = call.fixture
      assert.deepStrictEqual(yield* circuits, [
        { provider: "anthropic", endpoint: "/v1/messages", model, state: "open", opensUntil: 7_000 }
      ])
    }).pipe(
      Effect.provide(Layer.provideMerge(Setup.layer([failure, failure], { circuitBreakers: breakers }), breakers))
    )
  })
})
