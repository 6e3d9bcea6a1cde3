import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as UpstreamError from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../relay/Table.ts"
import * as Calls from "./Calls.ts"
import * as Fixture from "./Fixture.ts"
import * as Setup from "./Setup.ts"

const token = "gate-alice-NEVER-SENT-0001"
const own = "sk-ant-own-key-of-the-caller"
const headers = { "x-aibridge-token": token, "x-api-key": own }

const layer = (...script: ReadonlyArray<ScriptedUpstream.Answer>) => Setup.layer(script, { tokens: { alice: token } })

describe("A request with a key of the caller's own", () => {
  const refusals = [{ status: 429 }, { status: 401 }, { status: 403 }]

  it.effect.each(Table.times(Calls.all, refusals))(
    "gets the upstream's $status as it is, on $call, and the pool is untouched",
    ({ path, request, status, isBridged }) =>
      Effect.gen(function* () {
        const response = yield* TestGateway.fetch(path, { ...request, headers })

        assert.strictEqual(response.status, status)
        assert.strictEqual(response.headers["retry-after"], "5")
        assert.strictEqual(response.text, Fixture.upstreamErrorText(status))
        assert.deepStrictEqual(yield* Setup.keysSeen, [own])
        assert.deepStrictEqual(yield* Setup.states, ["Valid", "Valid"])
        const ends = (yield* Setup.ended).map(({ reason, attempts, credentialHint }) => [
          reason,
          attempts,
          credentialHint
        ])
        assert.deepStrictEqual(ends, isBridged ? [["complete", 1, "sk-a...ller"]] : [])
      }).pipe(Effect.provide(layer(Fixture.error(status, "5"))))
  )

  it.effect.each(Calls.all)("does not get the pool's exhaustion on $call", ({ path, request, good }) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, { ...request, headers: { "x-api-key": token } })

      const response = yield* TestGateway.fetch(path, { ...request, headers })

      assert.strictEqual(response.status, 200)
      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, own])
    }).pipe(Effect.provide(layer(Fixture.error(401), Fixture.error(401), good)))
  )

  it.effect("is tried once more by the next request after a 429, as nothing was marked", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(Setup.models, { headers })
      const response = yield* TestGateway.fetch(Setup.models, { headers })

      assert.strictEqual(response.status, 200)
      assert.deepStrictEqual(yield* Setup.keysSeen, [own, own])
    }).pipe(Effect.provide(layer(Fixture.error(429, "5"), Fixture.models200)))
  )

  it.effect("is recorded with the hint of a bearer token, not of the header", () =>
    Effect.gen(function* () {
      const bearer = { "x-aibridge-token": token, authorization: "Bearer oauth-own-token-of-the-caller" }
      yield* TestGateway.fetch(Setup.messages, { ...Setup.blocking, headers: bearer })

      assert.deepStrictEqual(
        (yield* Setup.ended).map((event) => event.credentialHint),
        ["oaut...ller"]
      )
    }).pipe(Effect.provide(layer(Fixture.message200)))
  )

  it.effect("gets 502 when the upstream cannot be reached", () =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(Setup.messages, { ...Setup.blocking, headers })

      assert.strictEqual(response.status, 502)
      assert.deepStrictEqual(yield* Setup.keysSeen, [own])
    }).pipe(Effect.provide(layer(ScriptedUpstream.failure(UpstreamError.unreachable("ECONNREFUSED")))))
  )
})

describe("A gateway token", () => {
  it.effect.each([
    { place: "also in Authorization", extra: { authorization: `Bearer ${token}` } },
    { place: "also in Authorization without a scheme", extra: { authorization: token } },
    { place: "among other words in Authorization", extra: { authorization: `Bearer ${token} x` } },
    { place: "also in x-api-key", extra: { "x-api-key": token } },
    { place: "before a key in a doubled x-api-key", extra: { "x-api-key": `${token}, ${own}` } },
    { place: "as a parameter in Authorization", extra: { authorization: `Bearer token=${token}` } },
    { place: "of somebody else in x-api-key", extra: { "x-api-key": "gate-bob-NEVER-SENT-0002" } },
    {
      place: "in x-api-key beside a bearer of the caller's own",
      extra: { "x-api-key": token, authorization: "Bearer x" }
    },
    {
      place: "in Authorization beside a key of the caller's own",
      extra: { "x-api-key": own, authorization: `Bearer ${token}` }
    }
  ])("in x-aibridge-token and $place is never sent upstream", ({ extra }) =>
    Effect.gen(function* () {
      for (const path of [Setup.messages, Setup.models]) {
        const request = path === Setup.messages ? Setup.blocking : {}
        yield* TestGateway.fetch(path, { ...request, headers: { "x-aibridge-token": token, ...extra } })
      }

      for (const sent of yield* Setup.requests) assert.notInclude(JSON.stringify(sent.headers), "NEVER-SENT")
    }).pipe(
      Effect.provide(
        Setup.layer(() => Fixture.message200, { tokens: { alice: token, bob: "gate-bob-NEVER-SENT-0002" } })
      )
    )
  )
})
