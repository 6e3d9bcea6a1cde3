import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as UpstreamError from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Credentials from "./Credentials.ts"
import * as Setup from "./Setup.ts"
import type { Vendor } from "./Vendors.ts"

const token = Credentials.alice
const own = "sk-own-key-of-the-caller"
const headersFor = (vendor: Vendor) => ({ "x-aibridge-token": token, ...vendor.credential(own) })
const poolStates = (vendor: Vendor) => (vendor.hasPool ? ["Valid", "Valid"] : [])

const layer = (...script: ReadonlyArray<ScriptedUpstream.Answer>) => Setup.layer(script, { tokens: { alice: token } })

describe("A request with a key of the caller's own", () => {
  const refusals = [{ status: 429 }, { status: 401 }, { status: 403 }]

  it.effect.each(Table.times(Calls.everyones, refusals))(
    "gets the upstream's $status as it is, on $call, and the pool is untouched",
    ({ path, request, vendor, fixture, status, isBridged }) =>
      Effect.gen(function* () {
        const response = yield* TestGateway.fetch(path, { ...request, headers: headersFor(vendor) })

        assert.strictEqual(response.status, status)
        assert.strictEqual(response.headers["retry-after"], "5")
        assert.strictEqual(response.text, fixture.upstreamErrorText(status))
        assert.deepStrictEqual(yield* Setup.keysSeen, [own])
        assert.deepStrictEqual(yield* Setup.states(vendor), poolStates(vendor))
        const ends = (yield* Setup.ended).map(({ reason, attempts, credentialHint }) => [
          reason,
          attempts,
          credentialHint
        ])
        assert.deepStrictEqual(ends, isBridged ? [["complete", 1, "sk-o...ller"]] : [])
      }).pipe(Effect.provide(layer(fixture.error(status, "5"))))
  )

  it.effect.each(Calls.unchanged)(
    "does not get the pool's exhaustion on $call",
    ({ path, request, vendor, fixture, good }) =>
      Effect.gen(function* () {
        yield* TestGateway.fetch(path, { ...request, headers: { "x-api-key": token } })

        const response = yield* TestGateway.fetch(path, { ...request, headers: headersFor(vendor) })

        assert.strictEqual(response.status, 200)
        assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, own])
      }).pipe(Effect.provide(layer(fixture.error(401), fixture.error(401), good)))
  )

  it.effect.each(Calls.everyones)(
    "is tried once more by the next one after a 429, as nothing was marked, on $call",
    ({ path, request, vendor, fixture, good }) =>
      Effect.gen(function* () {
        const headers = headersFor(vendor)
        yield* TestGateway.fetch(path, { ...request, headers })
        const response = yield* TestGateway.fetch(path, { ...request, headers })

        assert.strictEqual(response.status, 200)
        assert.deepStrictEqual(yield* Setup.keysSeen, [own, own])
      }).pipe(Effect.provide(layer(fixture.error(429, "5"), good)))
  )

  it.effect.each(Calls.unchangedBridged)(
    "is recorded with the hint of a bearer token, not of the header, on $call",
    (call) =>
      Effect.gen(function* () {
        const headers = { "x-aibridge-token": token, authorization: "Bearer oauth-own-token-of-the-caller" }
        yield* TestGateway.fetch(call.path, { ...call.request, headers })

        assert.deepStrictEqual(
          (yield* Setup.ended).map((event) => event.credentialHint),
          ["oaut...ller"]
        )
      }).pipe(Effect.provide(layer(call.good)))
  )

  it.effect.each(Calls.everyones)(
    "gets 502 when the upstream cannot be reached, on $call",
    ({ path, request, vendor }) =>
      Effect.gen(function* () {
        const response = yield* TestGateway.fetch(path, { ...request, headers: headersFor(vendor) })

        assert.strictEqual(response.status, 502)
        assert.deepStrictEqual(yield* Setup.keysSeen, [own])
      }).pipe(Effect.provide(layer(ScriptedUpstream.failure(UpstreamError.unreachable("ECONNREFUSED")))))
  )
})

describe("A gateway token", () => {
  const places = [
    { place: "also in Authorization", extra: { authorization: `Bearer ${token}` } },
    { place: "also in Authorization without a scheme", extra: { authorization: token } },
    { place: "among other words in Authorization", extra: { authorization: `Bearer ${token} x` } },
    { place: "within a word in Authorization", extra: { authorization: `Bearer x${token}y` } },
    { place: "quoted in Authorization", extra: { authorization: `Bearer "${token}"` } },
    { place: "behind a name in Authorization", extra: { authorization: `Bearer x:${token}` } },
    { place: "also in api-key", extra: { "api-key": token } },
    { place: "within another header", extra: { "x-goog-api-key": `key ${token}` } },
    { place: "also in x-api-key", extra: { "x-api-key": token } },
    { place: "before a key in a doubled x-api-key", extra: { "x-api-key": `${token}, ${own}` } },
    { place: "as a parameter in Authorization", extra: { authorization: `Bearer token=${token}` } },
    { place: "of somebody else in x-api-key", extra: { "x-api-key": Credentials.bob } },
    { place: "of somebody else in Authorization", extra: { authorization: `Bearer ${Credentials.bob}` } },
    { place: "of somebody else behind a name", extra: { authorization: `Bearer token="${Credentials.bob}"` } },
    { place: "of somebody else beside a key", extra: { "x-api-key": `${own},${Credentials.bob}` } },
    {
      place: "of somebody else in a word behind more than a credential has",
      extra: { authorization: `${Array.from({ length: 64 }, (_, at) => at).join(" ")} x${Credentials.bob}` }
    },
    {
      place: "in x-api-key beside a bearer of the caller's own",
      extra: { "x-api-key": token, authorization: "Bearer x" }
    },
    {
      place: "in Authorization beside a key of the caller's own",
      extra: { "x-api-key": own, authorization: `Bearer ${token}` }
    }
  ]

  const known = [
    { known: "as it is", options: { tokens: { alice: token, bob: Credentials.bob } } },
    { known: "by its hash", options: { authenticator: Credentials.byHash } }
  ]

  it.effect.each(Table.times(known, places))(
    "known $known, in x-aibridge-token and $place is never sent upstream, on any route",
    ({ extra, options }) =>
      Effect.gen(function* () {
        for (const { path, request } of Calls.everyones) {
          yield* TestGateway.fetch(path, { ...request, headers: { "x-aibridge-token": token, ...extra } })
        }

        const seen = yield* Setup.requests
        assert.isNotEmpty(seen)
        for (const sent of seen) assert.notInclude(JSON.stringify(sent.headers), "NEVER-SENT")
      }).pipe(Effect.provide(Setup.layer(() => Calls.blocking.good, options)))
  )

  it.effect.each(Calls.unchanged)("in a standard header is not sent in any other one either, on $call", (call) =>
    Effect.gen(function* () {
      const headers = { authorization: `Bearer ${token}`, "api-key": token, "x-goog-api-key": token, "x-note": "a b" }
      yield* TestGateway.fetch(call.path, { ...call.request, headers })

      const [sent] = yield* Setup.requests
      assert.strictEqual(sent?.headers["x-note"], "a b")
      assert.notInclude(JSON.stringify(sent?.headers), "NEVER-SENT")
      assert.deepStrictEqual(yield* Setup.keysSeen, [0])
    }).pipe(Effect.provide(layer(call.good)))
  )
})
