import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Fixture from "./Fixture.ts"
import * as Setup from "./Setup.ts"

const alice = "gate-alice-NEVER-SENT-0001"
const bob = "gate-bob-NEVER-SENT-0002"
const own = "sk-ant-own-key-of-the-caller"
const ownBearer = "oauth-own-token-of-the-caller"

type Headers = Readonly<Record<string, string>>

/** Who is recorded, what for, and the auth headers that the upstream sees; or the refusal. */
type Outcome =
  | { readonly actor: string; readonly kind: "centralized" | "byok"; readonly upstream: Headers }
  | { readonly refusal: string }

interface Row {
  readonly behaviour: string
  readonly headers: Headers
  readonly outcome: Outcome
}

const pooled = (actor: string): Outcome => ({
  actor,
  kind: "centralized",
  upstream: { "x-api-key": Setup.key(0) }
})
const byok = (actor: string, upstream: Headers): Outcome => ({ actor, kind: "byok", upstream })

const wrong: Outcome = { refusal: "the gateway token is not valid" }
const missing: Outcome = {
  refusal:
    "no gateway token: send it in Authorization (Bearer), x-api-key or, beside a provider key of your own, x-aibridge-token"
}
const missingOwn: Outcome = { refusal: "no gateway token: this provider takes it in x-aibridge-token only" }
const noCredential: Outcome = {
  refusal: "no provider credential: this provider has no keys of its own, send yours in x-api-key or Authorization"
}

const asKey = { "x-api-key": own }
const asBearer = { authorization: `Bearer ${ownBearer}` }
const both = { ...asKey, ...asBearer }
const token = (value: string) => ({ "x-aibridge-token": value })

const tokensAndPool: ReadonlyArray<Row> = [
  { behaviour: "nothing", headers: {}, outcome: missing },
  { behaviour: "the token as Bearer", headers: { authorization: `Bearer ${alice}` }, outcome: pooled("alice") },
  { behaviour: "another token", headers: { authorization: `bearer  ${bob}` }, outcome: pooled("bob") },
  { behaviour: "the token as x-api-key", headers: { "x-api-key": alice }, outcome: pooled("alice") },
  {
    behaviour: "the token as Bearer and a key as x-api-key",
    headers: { authorization: `Bearer ${alice}`, ...asKey },
    outcome: pooled("alice")
  },
  {
    behaviour: "the token as both standard headers",
    headers: { authorization: `Bearer ${alice}`, "x-api-key": alice },
    outcome: pooled("alice")
  },
  { behaviour: "the token as x-aibridge-token alone", headers: token(alice), outcome: pooled("alice") },
  {
    behaviour: "the token as x-aibridge-token and a key of its own",
    headers: { ...token(bob), ...asKey },
    outcome: byok("bob", asKey)
  },
  {
    behaviour: "the token as x-aibridge-token and a bearer of its own",
    headers: { ...token(alice), ...asBearer },
    outcome: byok("alice", asBearer)
  },
  {
    behaviour: "the token as x-aibridge-token and both of its own",
    headers: { ...token(alice), ...both },
    outcome: byok("alice", asKey)
  },
  {
    behaviour: "a blank x-aibridge-token and the token as Bearer",
    headers: { ...token("  "), authorization: `Bearer ${alice}` },
    outcome: pooled("alice")
  },
  { behaviour: "a blank x-aibridge-token and nothing else", headers: token(""), outcome: missing },
  { behaviour: "a wrong Bearer", headers: { authorization: "Bearer gate-nobody" }, outcome: wrong },
  { behaviour: "a wrong x-api-key", headers: { "x-api-key": "gate-nobody" }, outcome: wrong },
  {
    behaviour: "a wrong Bearer and the token as x-api-key",
    headers: { ...asBearer, "x-api-key": alice },
    outcome: wrong
  },
  {
    behaviour: "a wrong x-aibridge-token and the token as Bearer",
    headers: { ...token("gate-nobody"), authorization: `Bearer ${alice}` },
    outcome: wrong
  },
  {
    behaviour: "a wrong x-aibridge-token and a key of its own",
    headers: { ...token("gate-nobody"), ...asKey },
    outcome: wrong
  },
  { behaviour: "the beginning of a token", headers: { "x-api-key": alice.slice(0, -1) }, outcome: wrong },
  { behaviour: "more than a token", headers: { "x-api-key": alice + alice }, outcome: wrong },
  { behaviour: "a token in other case", headers: { "x-api-key": alice.toUpperCase() }, outcome: wrong },
  { behaviour: "the name of an actor", headers: { "x-api-key": "alice" }, outcome: wrong },
  { behaviour: "a key of the pool", headers: { "x-api-key": Setup.key(0) }, outcome: wrong },
  { behaviour: "a key of the pool as x-aibridge-token", headers: token(Setup.key(0)), outcome: wrong },
  { behaviour: "a bearer of two words", headers: { authorization: `Bearer ${alice} x` }, outcome: missing }
]

const tokensOnly: ReadonlyArray<Row> = [
  { behaviour: "nothing", headers: {}, outcome: missingOwn },
  { behaviour: "the token as Bearer", headers: { authorization: `Bearer ${alice}` }, outcome: missingOwn },
  { behaviour: "the token as x-api-key", headers: { "x-api-key": alice }, outcome: missingOwn },
  { behaviour: "only a key of its own", headers: asKey, outcome: missingOwn },
  { behaviour: "the token as x-aibridge-token alone", headers: token(alice), outcome: noCredential },
  {
    behaviour: "the token as x-aibridge-token and a key of its own",
    headers: { ...token(alice), ...asKey },
    outcome: byok("alice", asKey)
  },
  {
    behaviour: "the token as x-aibridge-token and a bearer of its own",
    headers: { ...token(bob), ...asBearer },
    outcome: byok("bob", asBearer)
  },
  {
    behaviour: "the token as x-aibridge-token and both of its own",
    headers: { ...token(alice), ...both },
    outcome: byok("alice", asKey)
  },
  {
    behaviour: "a wrong x-aibridge-token and a key of its own",
    headers: { ...token("gate-nobody"), ...asKey },
    outcome: wrong
  }
]

const openAndPool: ReadonlyArray<Row> = [
  { behaviour: "nothing", headers: {}, outcome: pooled("anonymous") },
  { behaviour: "a key", headers: asKey, outcome: pooled("anonymous") },
  { behaviour: "a bearer", headers: asBearer, outcome: pooled("anonymous") },
  { behaviour: "both", headers: both, outcome: pooled("anonymous") },
  {
    behaviour: "a blank x-aibridge-token and a key",
    headers: { ...token(" "), ...asKey },
    outcome: pooled("anonymous")
  },
  { behaviour: "any x-aibridge-token alone", headers: token("any"), outcome: pooled("anonymous") },
  {
    behaviour: "any x-aibridge-token and a key of its own",
    headers: { ...token("any"), ...asKey },
    outcome: byok("anonymous", asKey)
  },
  {
    behaviour: "any x-aibridge-token and a bearer of its own",
    headers: { ...token("any"), ...asBearer },
    outcome: byok("anonymous", asBearer)
  },
  {
    behaviour: "any x-aibridge-token and both of its own",
    headers: { ...token("any"), ...both },
    outcome: byok("anonymous", asKey)
  }
]

const openOnly: ReadonlyArray<Row> = [
  { behaviour: "nothing", headers: {}, outcome: noCredential },
  { behaviour: "any x-aibridge-token alone", headers: token("any"), outcome: noCredential },
  { behaviour: "blank headers", headers: { "x-api-key": " ", authorization: "  " }, outcome: noCredential },
  { behaviour: "a key", headers: asKey, outcome: byok("anonymous", asKey) },
  { behaviour: "a bearer", headers: asBearer, outcome: byok("anonymous", asBearer) },
  { behaviour: "both", headers: both, outcome: byok("anonymous", asKey) },
  {
    behaviour: "any x-aibridge-token and a key",
    headers: { ...token("any"), ...asKey },
    outcome: byok("anonymous", asKey)
  }
]

const tokens = { tokens: { alice, bob } }

const groups: ReadonlyArray<readonly [name: string, options: Setup.Options, rows: ReadonlyArray<Row>]> = [
  ["A gateway with tokens and a provider with keys", tokens, tokensAndPool],
  ["A gateway with tokens and a provider without keys", { ...tokens, keys: "none" }, tokensOnly],
  ["An open gateway and a provider with keys", {}, openAndPool],
  ["An open gateway and a provider without keys", { keys: "none" }, openOnly]
]

for (const [name, options, rows] of groups) {
  describe(`${name} given`, () => {
    it.effect.each(rows)("$behaviour: decides who it is and what to send, on every route", ({ headers, outcome }) =>
      Effect.gen(function* () {
        const bridged = yield* TestGateway.fetch(Setup.messages, { ...Setup.blocking, headers })
        const passthrough = yield* TestGateway.fetch(Setup.models, { headers })

        const seen = yield* Setup.requests
        const starts = yield* Setup.started
        if ("refusal" in outcome) {
          const text = Fixture.errorText("authentication_error", outcome.refusal)
          for (const response of [bridged, passthrough]) {
            assert.deepStrictEqual(
              { status: response.status, text: response.text, type: response.headers["content-type"] },
              { status: 401, text, type: "application/json" }
            )
          }
          assert.deepStrictEqual(seen, [])
          assert.deepStrictEqual(yield* Setup.records, [])
          return
        }
        assert.deepStrictEqual([bridged.status, passthrough.status], [200, 200])
        assert.lengthOf(seen, 2)
        for (const request of seen) {
          const auth = Object.entries(request.headers).filter(([header]) =>
            ["authorization", "x-api-key", "x-aibridge-token"].includes(header)
          )
          assert.deepStrictEqual(Object.fromEntries(auth), outcome.upstream)
          assert.notInclude(JSON.stringify(request.headers), "NEVER-SENT")
        }
        assert.deepStrictEqual(
          starts.map(({ actor, credentialKind }) => [actor.id, credentialKind]),
          [[outcome.actor, outcome.kind]]
        )
      }).pipe(Effect.provide(Setup.layer([Fixture.message200, Fixture.models200], options)))
    )
  })
}
