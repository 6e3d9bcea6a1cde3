/** What callers may bring, and what it means: to a gateway with tokens or an open one, for a provider with keys or without. */
import * as Redacted from "effect/Redacted"
import { createHash } from "node:crypto"
import * as Authenticator from "../../src/inbound/Authenticator.ts"
import * as Setup from "./Setup.ts"

export const alice = "gate-alice-NEVER-SENT-0001"
export const bob = "gate-bob-NEVER-SENT-0002"
export const own = "sk-own-key-of-the-caller"
const ownBearer = "oauth-own-token-of-the-caller"

/** A token as it may be configured so that nobody can read it there. */
export const hashed = (token: string): string => `sha256:${createHash("sha256").update(token).digest("hex")}`

/** Knows alice and bob by the hashes of their tokens. */
export const byHash = Authenticator.layerTokens([
  { name: "alice", token: Redacted.make(hashed(alice)) },
  { name: "bob", token: Redacted.make(hashed(bob).toUpperCase().replace("SHA", "sha")) }
])

type Headers = Readonly<Record<string, string>>

/** Who is recorded and what for: the pool's first key, or these headers of the caller's own; or the refusal. */
type Outcome = { readonly actor: string; readonly own?: Headers } | { readonly refusal: string }

export interface Row {
  readonly behaviour: string
  readonly headers: Headers
  readonly outcome: Outcome
  /** Where `x-api-key` is nobody's credential. Default the same. */
  readonly bearerOnly?: Outcome
}

const pooled = (actor: string): Outcome => ({ actor })
const byok = (actor: string, headers: Headers): Outcome => ({ actor, own: headers })

const wrong: Outcome = { refusal: "the gateway token is not valid" }
const missing: Outcome = {
  refusal:
    "no gateway token: send it in Authorization (Bearer), x-api-key or, beside a provider key of your own, x-aibridge-token"
}
const missingOwn: Outcome = { refusal: "no gateway token: this provider takes it in x-aibridge-token only" }
/** Each vendor has its own words for it. */
const noCredential: Outcome = { refusal: "no credential" }

const asKey = { "x-api-key": own }
const asBearer = { authorization: `Bearer ${ownBearer}` }
const both = { ...asKey, ...asBearer }
const token = (value: string) => ({ "x-aibridge-token": value })

export const tokensAndPool: ReadonlyArray<Row> = [
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
    outcome: byok("bob", asKey),
    bearerOnly: pooled("bob")
  },
  {
    behaviour: "the token as x-aibridge-token and a bearer of its own",
    headers: { ...token(alice), ...asBearer },
    outcome: byok("alice", asBearer)
  },
  {
    behaviour: "the token as x-aibridge-token and both of its own",
    headers: { ...token(alice), ...both },
    outcome: byok("alice", asKey),
    bearerOnly: byok("alice", asBearer)
  },
  {
    behaviour: "the token as x-aibridge-token and a value without a scheme of its own",
    headers: { ...token(alice), authorization: own },
    outcome: byok("alice", { authorization: own })
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
  { behaviour: "the hash of a token", headers: { "x-api-key": hashed(alice) }, outcome: wrong },
  { behaviour: "the hash of a token as x-aibridge-token", headers: token(hashed(alice)), outcome: wrong },
  { behaviour: "the beginning of a token", headers: { "x-api-key": alice.slice(0, -1) }, outcome: wrong },
  { behaviour: "more than a token", headers: { "x-api-key": alice + alice }, outcome: wrong },
  { behaviour: "a token in other case", headers: { "x-api-key": alice.toUpperCase() }, outcome: wrong },
  { behaviour: "the name of an actor", headers: { "x-api-key": "alice" }, outcome: wrong },
  { behaviour: "a key of the pool", headers: { "x-api-key": Setup.key(0) }, outcome: wrong },
  { behaviour: "a key of the pool as x-aibridge-token", headers: token(Setup.key(0)), outcome: wrong },
  { behaviour: "a bearer of two words", headers: { authorization: `Bearer ${alice} x` }, outcome: missing }
]

export const tokensOnly: ReadonlyArray<Row> = [
  { behaviour: "nothing", headers: {}, outcome: missingOwn },
  { behaviour: "the token as Bearer", headers: { authorization: `Bearer ${alice}` }, outcome: missingOwn },
  { behaviour: "the token as x-api-key", headers: { "x-api-key": alice }, outcome: missingOwn },
  { behaviour: "only a key of its own", headers: asKey, outcome: missingOwn },
  { behaviour: "the token as x-aibridge-token alone", headers: token(alice), outcome: noCredential },
  {
    behaviour: "the token as x-aibridge-token and a key of its own",
    headers: { ...token(alice), ...asKey },
    outcome: byok("alice", asKey),
    bearerOnly: noCredential
  },
  {
    behaviour: "the token as x-aibridge-token and a bearer of its own",
    headers: { ...token(bob), ...asBearer },
    outcome: byok("bob", asBearer)
  },
  {
    behaviour: "the token as x-aibridge-token and both of its own",
    headers: { ...token(alice), ...both },
    outcome: byok("alice", asKey),
    bearerOnly: byok("alice", asBearer)
  },
  {
    behaviour: "a wrong x-aibridge-token and a key of its own",
    headers: { ...token("gate-nobody"), ...asKey },
    outcome: wrong
  }
]

export const openAndPool: ReadonlyArray<Row> = [
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
    outcome: byok("anonymous", asKey),
    bearerOnly: pooled("anonymous")
  },
  {
    behaviour: "any x-aibridge-token and a bearer of its own",
    headers: { ...token("any"), ...asBearer },
    outcome: byok("anonymous", asBearer)
  },
  {
    behaviour: "any x-aibridge-token and both of its own",
    headers: { ...token("any"), ...both },
    outcome: byok("anonymous", asKey),
    bearerOnly: byok("anonymous", asBearer)
  }
]

export const openOnly: ReadonlyArray<Row> = [
  { behaviour: "nothing", headers: {}, outcome: noCredential },
  { behaviour: "any x-aibridge-token alone", headers: token("any"), outcome: noCredential },
  { behaviour: "blank headers", headers: { "x-api-key": " ", authorization: "  " }, outcome: noCredential },
  { behaviour: "a key", headers: asKey, outcome: byok("anonymous", asKey), bearerOnly: noCredential },
  { behaviour: "a bearer", headers: asBearer, outcome: byok("anonymous", asBearer) },
  { behaviour: "both", headers: both, outcome: byok("anonymous", asKey), bearerOnly: byok("anonymous", asBearer) },
  {
    behaviour: "any x-aibridge-token and a key",
    headers: { ...token("any"), ...asKey },
    outcome: byok("anonymous", asKey),
    bearerOnly: noCredential
  }
]
