import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Copilot from "../../src/providers/Copilot.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"
import type { Vendor } from "./Vendors.ts"
import * as Vendors from "./Vendors.ts"

const own = "ghu-own-token-of-the-caller"
const bearer = { authorization: `Bearer ${own}` }
const token = "gate-alice-NEVER-SENT-0001"
const withToken = { "x-aibridge-token": token }

const calls = Calls.of(Vendors.copilot)
const layer = Setup.layer(() => Calls.passthrough.good)
const tokens = { tokens: { alice: token } }

/** The values of these headers in what the upstream has seen, `undefined` where they are absent. */
const seen = (...names: ReadonlyArray<string>) =>
  Effect.map(Setup.requests, (all) => all.map(({ headers }) => names.map((name) => headers[name])))

describe("A Copilot request", () => {
  it.effect.each(calls)("gets a 429 as it is after one attempt, on $call", ({ path, request, fixture }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(path, { ...request, headers: bearer })

      assert.strictEqual(response.status, 429)
      assert.strictEqual(response.headers["retry-after"], "5")
      assert.strictEqual(response.text, fixture.upstreamErrorText(429))
      assert.deepStrictEqual(yield* Setup.keysSeen, [own])
    }).pipe(Effect.provide(Setup.layer([Vendors.copilot.fixture.error(429, "5")], { keys: 9 })))
  )

  const malformed = [
    { credential: "nothing", headers: {} },
    { credential: "a blank Authorization", headers: { authorization: "  " } },
    { credential: "a token without a scheme", headers: { authorization: "ghu-token" } },
    { credential: "a scheme without a token", headers: { authorization: "Bearer" } },
    { credential: "a scheme and a blank", headers: { authorization: "Bearer   " } },
    { credential: "two tokens", headers: { authorization: "Bearer a b" } },
    { credential: "another scheme", headers: { authorization: "Basic ghu-token" } },
    { credential: "a glued scheme", headers: { authorization: "Bearerghu-token" } },
    { credential: "x-api-key", headers: { "x-api-key": own } }
  ]

  const refused = Effect.fnUntraced(function* (
    { path, request, fixture }: Calls.Call,
    headers: Record<string, string>
  ) {
    const response = yield* TestGateway.fetch(path, { ...request, headers })

    const text = fixture.errorText(401, "missing Copilot authorization: Authorization header not found or invalid")
    assert.deepStrictEqual(response, {
      status: 401,
      headers: { "content-type": "application/json", "content-length": String(text.length) },
      text
    })
    assert.deepStrictEqual(yield* Setup.traces, Setup.nothing)
  })

  it.effect.each(Table.times(calls, malformed))("with $credential is 401, on $call", ({ headers, ...call }) =>
    refused(call, headers).pipe(Effect.provide(layer))
  )

  it.effect.each(Table.times(calls, malformed))(
    "with $credential beside a gateway token is 401, on $call",
    ({ headers, ...call }) => refused(call, { ...headers, ...withToken }).pipe(Effect.provide(Setup.layer([], tokens)))
  )

  it.effect.each(calls)("with a gateway token as its bearer, too, is 401, on $call", (call) =>
    refused(call, { ...withToken, authorization: `Bearer ${token}` }).pipe(Effect.provide(Setup.layer([], tokens)))
  )

  it.effect.each(
    Table.times(calls, [
      { authorization: `Bearer ${own}`, sent: `Bearer ${own}` },
      { authorization: `  bearer   ${own} `, sent: `bearer   ${own}` },
      { authorization: `BEARER ${own}`, sent: `BEARER ${own}` }
    ])
  )("with a bearer has it sent upstream as it came: $authorization, on $call", (row) =>
    Effect.gen(function* () {
      const { path, request, authorization, sent } = row
      yield* TestGateway.fetch(path, { ...request, headers: { authorization, "x-api-key": "stray" } })

      assert.deepStrictEqual(yield* seen("authorization", "x-api-key"), [[sent, undefined]])
    }).pipe(Effect.provide(layer))
  )

  it.effect.each(calls)("has its editor's headers sent upstream, and the gateway token kept, on $call", (call) =>
    Effect.gen(function* () {
      const editor = { "Editor-Version": "vscode/1.106.0", "Copilot-Integration-Id": "vscode-chat" }
      const headers = { ...withToken, ...bearer, ...editor, "x-api-key": "stray" }
      const { status } = yield* TestGateway.fetch(call.path, { ...call.request, headers })

      assert.strictEqual(status, 200)
      assert.deepStrictEqual(
        yield* seen("editor-version", "copilot-integration-id", "authorization", "x-api-key", "x-aibridge-token"),
        [["vscode/1.106.0", "vscode-chat", `Bearer ${own}`, undefined, undefined]]
      )
    }).pipe(Effect.provide(Setup.layer([call.good], tokens)))
  )

  it.effect.each(calls)("that brings the gateway token in a standard header only is 401, on $call", (call) =>
    Effect.gen(function* () {
      for (const headers of [{ authorization: `Bearer ${token}` }, { "x-api-key": token }, { ...bearer }]) {
        const { status, text } = yield* TestGateway.fetch(call.path, { ...call.request, headers })

        const refusal = "no gateway token: this provider takes it in x-aibridge-token only"
        assert.deepStrictEqual({ status, text }, { status: 401, text: call.fixture.errorText(401, refusal) })
      }
      assert.deepStrictEqual(yield* Setup.traces, Setup.nothing)
    }).pipe(Effect.provide(Setup.layer([], tokens)))
  )
})

/** An instance under a name of its own, with a place of its own. */
const instance = (name: string, baseUrl: string): Vendor => ({
  ...Vendors.copilot,
  name,
  make: (options) => Copilot.make({ ...options, name, baseUrl }),
  prefix: `/${name}`,
  upstream: baseUrl
})

describe("Copilot instances", () => {
  const instances = [
    Vendors.copilot,
    instance("copilot-business", "https://api.business.githubcopilot.com"),
    instance("copilot-enterprise", "https://api.enterprise.githubcopilot.com")
  ]

  it.effect("are each found under their own name and at their own place", () =>
    Effect.gen(function* () {
      const all = instances.flatMap(Calls.of)
      for (const { path, request } of all) {
        assert.strictEqual((yield* TestGateway.fetch(path, { ...request, headers: bearer })).status, 200)
      }

      assert.deepStrictEqual(
        (yield* Setup.requests).map(({ origin, path }) => origin + path),
        all.map(({ vendor, path }) => vendor.upstream + path.slice(vendor.prefix.length))
      )
      assert.deepStrictEqual(
        (yield* Setup.started).map(({ provider, credentialKind }) => [provider, credentialKind]),
        instances.flatMap(({ name }) => [1, 2, 3, 4].map(() => [name, "byok"]))
      )
    }).pipe(Effect.provide(Setup.layer(() => Calls.passthrough.good, { vendors: instances })))
  )
})
