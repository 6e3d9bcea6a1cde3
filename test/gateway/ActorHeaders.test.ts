import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Actor from "../../src/domain/Actor.ts"
import * as Authenticator from "../../src/inbound/Authenticator.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"

const headers = { authorization: "Bearer own" }

/** A host that knows its callers: all of them are this one, who has a credential of its own wherever one is needed. */
const authenticatorOf = (actor: Actor.Actor) =>
  Layer.succeed(Authenticator.Authenticator, {
    authenticate: (_, provider) =>
      Effect.succeed({ actor, own: provider.keyFailover.pool === undefined ? headers : {} })
  })

const alice = Actor.make("alice", { Username: "alice@example.com", "Cost Center": "R&D / 7" })

const aliceHeaders = {
  "x-ai-bridge-actor-id": "alice",
  "x-ai-bridge-actor-metadata-username": "alice@example.com",
  "x-ai-bridge-actor-metadata-cost-center": "R&D / 7"
}

const layer = (actor: Actor.Actor, provider: Setup.Options["provider"] = { sendActorHeaders: true }) =>
  Setup.layer(() => Calls.passthrough.good, { authenticator: authenticatorOf(actor), provider })

/** What each upstream call was told of the actor. */
const told = Effect.map(Setup.requests, (all) =>
  all.map((request) => {
    const about = Object.entries(request.headers).filter(([name]) => /bridge-?actor/.test(name))
    return Object.fromEntries(about)
  })
)

const bridged = Calls.everyones.filter((call) => call.isBridged)
const passthroughs = Calls.everyones.filter((call) => !call.isBridged)

const faked = {
  "X-AI-Bridge-Actor-ID": "admin",
  "X-AI-Bridge-Actor-Metadata-Username": "admin",
  "X-AI-Bridge-Actor-Metadata-Role": "admin"
}

describe("An upstream", () => {
  it.effect.each(Table.times(Calls.everyones, [{ provider: {} }, { provider: { sendActorHeaders: false } }]))(
    "is not told on whose behalf it is called if that was not asked for: $provider with $call",
    ({ path, request, provider }) =>
      Effect.gen(function* () {
        yield* TestGateway.fetch(path, request)

        assert.deepStrictEqual(yield* told, [{}])
      }).pipe(Effect.provide(layer(alice, provider)))
  )

  it.effect.each(bridged)("that wants to know is told on whose behalf it is called by $call", ({ path, request }) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)

      assert.deepStrictEqual(yield* told, [aliceHeaders])
    }).pipe(Effect.provide(layer(alice)))
  )

  it.effect.each(bridged)("is told the name alone of who has no more to be told of, by $call", ({ path, request }) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)

      assert.deepStrictEqual(yield* told, [{ "x-ai-bridge-actor-id": "bob" }])
    }).pipe(Effect.provide(layer(Actor.make("bob"))))
  )

  it.effect.each(passthroughs)("is never told by $call", ({ path, request }) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)

      assert.deepStrictEqual(yield* told, [{}])
    }).pipe(Effect.provide(layer(alice)))
  )

  it.effect.each(
    Table.times(Calls.everyones, [{ provider: { sendActorHeaders: true } }, { provider: { sendActorHeaders: false } }])
  )("never gets the client's own word for it: $provider with $call", ({ path, request, provider, isBridged }) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, { ...request, headers: faked })

      assert.deepStrictEqual(yield* told, [isBridged && provider.sendActorHeaders ? aliceHeaders : {}])
    }).pipe(Effect.provide(layer(alice, provider)))
  )

  it.effect("is told the same by every attempt", () =>
    Effect.gen(function* () {
      const { path, request } = Calls.streaming
      yield* TestGateway.fetch(path, request)

      assert.deepStrictEqual(yield* told, [aliceHeaders, aliceHeaders])
    }).pipe(
      Effect.provide(
        Setup.layer([Calls.streaming.fixture.error(429), Calls.streaming.good], {
          authenticator: authenticatorOf(alice),
          provider: { sendActorHeaders: true }
        })
      )
    )
  )
})
