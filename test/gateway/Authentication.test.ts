import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import * as Credentials from "./Credentials.ts"
import * as Setup from "./Setup.ts"
import type { Vendor } from "./Vendors.ts"
import * as Vendors from "./Vendors.ts"

const tokens = { tokens: { alice: Credentials.alice, bob: Credentials.bob } }
const hashes = { authenticator: Credentials.byHash }

const takesKeys = (vendor: Vendor) => "x-api-key" in vendor.credential(Credentials.own)

const groups: ReadonlyArray<
  readonly [name: string, options: Setup.Options, vendors: ReadonlyArray<Vendor>, rows: ReadonlyArray<Credentials.Row>]
> = [
  ["A gateway with tokens and a provider with keys", tokens, Vendors.pooled, Credentials.tokensAndPool],
  [
    "A gateway with tokens and a provider without keys",
    { ...tokens, keys: "none" },
    Vendors.all,
    Credentials.tokensOnly
  ],
  ["A gateway with hashes of tokens and a provider with keys", hashes, Vendors.pooled, Credentials.tokensAndPool],
  [
    "A gateway with hashes of tokens and a provider without keys",
    { ...hashes, keys: "none" },
    Vendors.all,
    Credentials.tokensOnly
  ],
  ["An open gateway and a provider with keys", {}, Vendors.pooled, Credentials.openAndPool],
  ["An open gateway and a provider without keys", { keys: "none" }, Vendors.all, Credentials.openOnly]
]

for (const [name, options, vendors, rows] of groups) {
  describe.each(vendors)(`${name}, $name, given`, (vendor) => {
    const calls = Calls.of(vendor)

    it.effect.each(rows)("$behaviour: decides who it is and what to send, on every route", (row) =>
      Effect.gen(function* () {
        const { headers } = row
        const outcome = takesKeys(vendor) ? row.outcome : (row.bearerOnly ?? row.outcome)

        const answers = yield* Effect.forEach(calls, ({ path, request }) =>
          TestGateway.fetch(path, { ...request, headers })
        )

        const seen = yield* Setup.requests
        if ("refusal" in outcome) {
          const refusal = outcome.refusal === "no credential" ? vendor.missing : outcome.refusal
          for (const { status, text, headers: answered } of answers) {
            assert.deepStrictEqual(
              { status, text, type: answered["content-type"] },
              { status: 401, text: vendor.fixture.errorText(401, refusal), type: "application/json" }
            )
          }
          assert.deepStrictEqual(yield* Setup.traces, Setup.nothing)
          return
        }
        assert.deepStrictEqual(
          answers.map(({ status, text }) => [status, text]),
          calls.map(({ text }) => [200, text])
        )
        assert.lengthOf(seen, calls.length)
        for (const request of seen) {
          const auth = Object.entries(request.headers).filter(([header]) =>
            ["authorization", "x-api-key", "x-aibridge-token"].includes(header)
          )
          assert.deepStrictEqual(Object.fromEntries(auth), outcome.own ?? vendor.credential(Setup.key(0, vendor)))
          assert.notInclude(JSON.stringify(request.headers), "NEVER-SENT")
        }
        const kind = outcome.own === undefined ? "centralized" : "byok"
        assert.deepStrictEqual(
          (yield* Setup.started).map(({ actor, credentialKind }) => [actor.id, credentialKind]),
          calls.filter(({ isBridged }) => isBridged).map(() => [outcome.actor, kind])
        )
      }).pipe(
        Effect.provide(
          Setup.layer(
            calls.map(({ good }) => good),
            options
          )
        )
      )
    )
  })
}
