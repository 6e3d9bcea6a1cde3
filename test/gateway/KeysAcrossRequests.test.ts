import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Messages from "./Messages.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

const { fixture } = Messages
const models = Calls.passthrough.path

describe("A later request", () => {
  const seconds = Vendors.pooled.flatMap((vendor) =>
    Table.times(
      Calls.of(vendor),
      Calls.of(vendor).map((second) => ({ second, later: second.call }))
    )
  )

  it.effect.each(Table.times(seconds, [{ status: 429 }, { status: 401 }, { status: 403 }]))(
    "like $later after $call uses only the key that served it when the first got $status",
    ({ second, status, ...first }) =>
      Effect.gen(function* () {
        yield* TestGateway.fetch(first.path, first.request)

        const { status: answered, text } = yield* TestGateway.fetch(second.path, second.request)

        assert.deepStrictEqual({ answered, text }, { answered: 200, text: second.text })
        assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, 1])
        const state = status === 429 ? "Temporary" : "Permanent"
        assert.deepStrictEqual(yield* Setup.states(first.vendor), [state, "Valid"])
      }).pipe(Effect.provide(Setup.layer([first.fixture.error(status, "60"), first.good, second.good])))
  )

  it.effect.each(Vendors.pooled)("on all other routes of $name shares the states of the keys", (vendor) => {
    const routes = Calls.of(vendor).toSorted((one, other) => Number(other.isBridged) - Number(one.isBridged))
    return Effect.gen(function* () {
      for (const { path, request } of routes) yield* TestGateway.fetch(path, request)

      assert.deepStrictEqual(yield* Setup.keysSeen, [0, ...routes.map(() => 1)])
      assert.deepStrictEqual(yield* Setup.states(vendor), ["Temporary", "Valid"])
    }).pipe(Effect.provide(Setup.layer([vendor.fixture.error(429, "60"), ...routes.map(({ good }) => good)])))
  })

  it.effect.each(Vendors.pooled)("to any other vendor than $name knows nothing of its keys", (vendor) => {
    const others = Calls.all.filter((call) => call.vendor !== vendor)
    return Effect.gen(function* () {
      yield* TestGateway.fetch(vendor.prefix + vendor.models)

      for (const { path, request } of others) yield* TestGateway.fetch(path, request)

      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, ...others.map(() => 0)])
    }).pipe(
      Effect.provide(
        Setup.layer([vendor.fixture.error(401), vendor.fixture.error(429), ...others.map(({ good }) => good)])
      )
    )
  })

  it.effect("prefers the first key again as soon as its rest is over", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(models)

      yield* TestClock.adjust(29_999)
      yield* TestGateway.fetch(models)
      yield* TestClock.adjust(1)
      yield* TestGateway.fetch(models)

      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, 1, 0])
    }).pipe(
      Effect.provide(Setup.layer([fixture.error(429, "30"), fixture.models200, fixture.models200, fixture.models200]))
    )
  )

  it.effect("never prefers a refused key again", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(models)
      yield* TestClock.adjust("1000 days")

      yield* TestGateway.fetch(models)

      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, 1])
    }).pipe(Effect.provide(Setup.layer([fixture.error(401), fixture.models200, fixture.models200])))
  )
})
