import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../relay/Table.ts"
import * as Calls from "./Calls.ts"
import * as Fixture from "./Fixture.ts"
import * as Setup from "./Setup.ts"

describe("A later request", () => {
  it.effect.each(Table.times(Calls.all, [{ status: 429 }, { status: 401 }, { status: 403 }]))(
    "after $call uses only the key that served it when the first got $status",
    ({ path, request, good, status }) =>
      Effect.gen(function* () {
        yield* TestGateway.fetch(path, request)

        const second = yield* TestGateway.fetch(path, request)

        assert.strictEqual(second.status, 200)
        assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, 1])
      }).pipe(Effect.provide(Setup.layer([Fixture.error(status, "60"), good, good])))
  )

  it.effect("on another route of the provider shares the states of the keys", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(Setup.messages, Setup.blocking)

      yield* TestGateway.fetch(Setup.models)
      yield* TestGateway.fetch(Setup.messages, Setup.streaming)

      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, 1, 1])
    }).pipe(
      Effect.provide(Setup.layer([Fixture.error(429, "60"), Fixture.message200, Fixture.models200, Fixture.stream200]))
    )
  )

  it.effect("prefers the first key again as soon as its rest is over", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(Setup.models)

      yield* TestClock.adjust(29_999)
      yield* TestGateway.fetch(Setup.models)
      yield* TestClock.adjust(1)
      yield* TestGateway.fetch(Setup.models)

      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, 1, 0])
    }).pipe(
      Effect.provide(Setup.layer([Fixture.error(429, "30"), Fixture.models200, Fixture.models200, Fixture.models200]))
    )
  )

  it.effect("never prefers a refused key again", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(Setup.models)
      yield* TestClock.adjust("1000 days")

      yield* TestGateway.fetch(Setup.models)

      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, 1])
    }).pipe(Effect.provide(Setup.layer([Fixture.error(401), Fixture.models200, Fixture.models200])))
  )
})
