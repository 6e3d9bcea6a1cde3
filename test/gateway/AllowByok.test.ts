import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Credentials from "./Credentials.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

const detail =
  "callers may not bring a provider credential of their own (AIBRIDGE_ALLOW_BYOK is false): send the gateway token alone"

const gateways = [
  { gateway: "with tokens", options: { tokens: { alice: Credentials.alice } } },
  { gateway: "without tokens", options: {} }
]

const provider = { allowByok: false }
const token = { "x-aibridge-token": Credentials.alice }

describe("A provider that takes no credential of its callers' own", () => {
  it.effect.each(Table.times(gateways, Calls.everyones))(
    "refuses $call that brings one, $gateway, and nothing goes upstream",
    ({ path, request, vendor, fixture, options }) =>
      Effect.gen(function* () {
        const headers = { ...token, ...vendor.credential(Credentials.own) }

        const { status, text } = yield* TestGateway.fetch(path, { ...request, headers })

        assert.deepStrictEqual([status, text], [403, fixture.errorText(403, detail)])
        assert.deepStrictEqual(yield* Setup.traces, Setup.nothing)
      }).pipe(Effect.provide(Setup.layer([], { ...options, provider })))
  )

  it.effect.each(Table.times(gateways, Calls.all))("uses its own keys for $call without one, $gateway", (call) =>
    Effect.gen(function* () {
      const { status } = yield* TestGateway.fetch(call.path, { ...call.request, headers: token })

      assert.strictEqual(status, 200)
      assert.deepStrictEqual(yield* Setup.keysSeen, [0])
    }).pipe(Effect.provide(Setup.layer([call.good], { ...call.options, provider })))
  )

  it.effect.each(Calls.of(Vendors.anthropic))("refuses a bearer as well as a key, on $call", ({ path, request }) =>
    Effect.gen(function* () {
      const headers = { ...token, authorization: `Bearer ${Credentials.own}` }

      assert.strictEqual((yield* TestGateway.fetch(path, { ...request, headers })).status, 403)
    }).pipe(Effect.provide(Setup.layer([], { provider, tokens: { alice: Credentials.alice } })))
  )

  it.effect("ignores what is not meant as one", () =>
    Effect.gen(function* () {
      const { path, request } = Calls.blocking
      const headers = { authorization: `Bearer ${Credentials.alice}`, "x-api-key": Credentials.own }

      assert.strictEqual((yield* TestGateway.fetch(path, { ...request, headers })).status, 200)
      assert.deepStrictEqual(yield* Setup.keysSeen, [0])
    }).pipe(Effect.provide(Setup.layer([Calls.blocking.good], { provider, tokens: { alice: Credentials.alice } })))
  )

  it.effect.each(Calls.of(Vendors.copilot))("without keys asks nobody to bring one, on $call", (call) =>
    Effect.gen(function* () {
      const { status, text } = yield* TestGateway.fetch(call.path, call.request)

      assert.deepStrictEqual([status, text], [403, call.fixture.errorText(403, detail)])
    }).pipe(Effect.provide(Setup.layer([], { provider })))
  )

  it.effect("wants a gateway token first", () =>
    Effect.gen(function* () {
      const { path, request } = Calls.blocking
      const headers = { "x-aibridge-token": "wrong", "x-api-key": Credentials.own }

      assert.strictEqual((yield* TestGateway.fetch(path, { ...request, headers })).status, 401)
    }).pipe(Effect.provide(Setup.layer([], { provider, tokens: { alice: Credentials.alice } })))
  )
})
