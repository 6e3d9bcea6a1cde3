/** Who calls: a client's headers to an actor, or a refusal. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Actor } from "../domain/Actor.ts"
import * as ActorOf from "../domain/Actor.ts"
import { hint, holdsSecret } from "../domain/Credential.ts"
import type { GatewayError } from "../domain/GatewayError.ts"
import * as Refusal from "../domain/GatewayError.ts"
import type { RequestHeaders } from "../domain/HeaderRecord.ts"
import { bearerToken } from "../providers/CredentialHeader.ts"
import type { Provider } from "../providers/Provider.ts"

/** The header that carries a gateway token beside a provider credential of the caller's own. */
export const tokenHeader = "x-aibridge-token"

/** Who calls, and with what. */
export interface Authentication {
  readonly actor: Actor
  /**
   * The headers in which a credential of the caller's own for the provider may be. None: the provider's pool is used. No
   * credential for the gateway may be among them, since what is found there is sent upstream.
   */
  readonly own: RequestHeaders
  /** The credential for the gateway that the client has shown: no header that holds it goes upstream. */
  readonly shown?: Redacted.Redacted<string>
  /** The models the caller may ask for, as in `Token`; checked where requests are read. Default all. */
  readonly models?: ReadonlyArray<string>
}

/** Decides who may call. An embedder's own decides everything about credentials by itself. */
export class Authenticator extends Context.Service<
  Authenticator,
  {
    /** Fails with `GatewayError` (`Unauthorized`, `Forbidden`). A provider key is never proof of identity to the gateway. */
    readonly authenticate: (headers: RequestHeaders, provider: Provider) => Effect.Effect<Authentication, GatewayError>
  }
>()("effect-aibridge/inbound/Authenticator") {}

/** One gateway token. */
export interface Token {
  /** The actor's id; several tokens may have the same. */
  readonly name: string
  /** The token itself, or `sha256:` and the 64 hexadecimal digits of its SHA-256. */
  readonly token: Redacted.Redacted<string>
  /** When it stops being valid. Default never. */
  readonly expires?: DateTime.Utc
  /** The names of the providers it may be used for. Default all. */
  readonly providers?: ReadonlyArray<string>
  /** The models it may be used for, by the names that clients use; one that ends in `*` is a prefix. Default all. */
  readonly models?: ReadonlyArray<string>
}

/** What a token's hash looks like. */
export const hashPattern = /^sha256:([0-9a-f]{64})$/i

/**
 * Gateway tokens. `x-aibridge-token`, if present, must hold one, and the standard headers are the caller's own provider
 * credential, unless they hold a gateway token too. Without it `Authorization: Bearer`, else `x-api-key`, must hold one, on
 * every route. A provider without keys takes the token from `x-aibridge-token` only. A wrong token falls back to nothing.
 *
 * Only hashes of tokens are kept. They are made by the `Digest` that is there where the layer is built, else by WebCrypto.
 */
export const layerTokens = (tokens: ReadonlyArray<Token>): Layer.Layer<Authenticator> =>
  Layer.effect(Authenticator, makeTokens(tokens))

/** The same, for one that is replaced while the gateway runs. */
export const makeTokens = (tokens: ReadonlyArray<Token>): Effect.Effect<Authenticator["Service"]> =>
  Effect.gen(function* () {
    const { digest } = yield* Effect.serviceOption(Digest.Digest).pipe(
      Effect.flatMap(Option.match({ onNone: () => webCrypto, onSome: Effect.succeed }))
    )
    const hash = (text: string) => digest(Digest.sha256, encoder.encode(text))
    const known = yield* Effect.forEach(tokens, ({ name, token, ...limits }) =>
      Effect.map(hashOf(Redacted.value(token), hash), (secret) => ({ actor: ActorOf.make(name), secret, limits }))
    )
    const find = (candidate: string) =>
      Effect.map(hash(candidate), (hashed) => {
        let found: (typeof known)[number] | undefined
        for (const entry of known) {
          if (isSame(entry.secret, hashed)) found = entry
        }
        return found
      })
    const holdsToken = (value: string) => {
      const words = wordsOf(value)
      // No credential looks like that.
      if (words.size > 64) return Effect.succeed(true)
      return Effect.map(Effect.forEach(words, find), (all) => all.some((found) => found !== undefined))
    }

    const authenticate = Effect.fnUntraced(function* (headers: RequestHeaders, provider: Provider) {
      const token = present(headers[tokenHeader])
      const hasPool = provider.keyFailover.pool !== undefined
      const candidate = token ?? (hasPool ? standardToken(headers) : undefined)
      if (candidate === undefined) return yield* hasPool ? missingToken : missingOwnToken
      const found = yield* find(candidate)
      if (found === undefined) return yield* wrongToken(candidate)
      const { expires, providers, models } = found.limits
      if (expires !== undefined && (yield* Clock.currentTimeMillis) >= expires.epochMilliseconds) {
        return yield* expiredToken(candidate, found.actor)
      }
      if (providers !== undefined && !providers.includes(provider.name)) {
        return yield* forbidden(`this gateway token may not be used for the provider "${provider.name}"`)
      }
      const own: Record<string, string> = {}
      if (token !== undefined) {
        for (const [name, value] of Object.entries(standard(headers))) {
          if (!holdsSecret(value, candidate) && !(yield* holdsToken(value))) own[name] = value
        }
      }
      return { actor: found.actor, own, shown: Redacted.make(candidate), ...(models && { models }) }
    })
    return Authenticator.of({ authenticate })
  })

/** Fails with `GatewayError` (`Forbidden`) if the caller may not ask for this model. */
export const mayAsk = ({ models }: Authentication, model: string): Effect.Effect<void, GatewayError> =>
  models === undefined || models.some((allowed) => matches(allowed, model))
    ? Effect.void
    : forbidden(`this gateway token may not be used for the model ${JSON.stringify(model.slice(0, 256))}`)

const matches = (allowed: string, model: string): boolean =>
  allowed.endsWith("*") ? model.startsWith(allowed.slice(0, -1)) : model === allowed

/**
 * No tokens: for a gateway that only this machine can reach. A credential in a standard header is ignored where there is a
 * pool, unless `x-aibridge-token` says (with any value) that it is the caller's own. Web pages of other hosts, which a browser
 * on this machine would let in, are refused with `GatewayError` (`Forbidden`): by `Origin`, by `Sec-Fetch-Site`, and by a `Host`
 * that is none of this machine's own names (a page whose name was made to point here).
 */
export const loopback: Authenticator["Service"] = {
  authenticate: (headers, provider) => {
    if (comesFromElsewhere(headers)) return foreignPage
    return provider.keyFailover.pool !== undefined && present(headers[tokenHeader]) === undefined
      ? openWithPool
      : Effect.succeed({ actor: ActorOf.anonymous, own: standard(headers) })
  }
}

/** `loopback` as a layer. */
export const layerLoopback: Layer.Layer<Authenticator> = Layer.sync(Authenticator, () => loopback)

// A sandboxed frame of any page has the origin "null"; desktop apps have schemes of their own.
const isForeign = (origin: string | undefined): boolean =>
  origin !== undefined && (origin === "null" || (/^https?:/i.test(origin) && !loopbackOrigin.test(origin)))

const loopbackHost = "(?:localhost|127(?:\\.\\d{1,3}){3}|\\[::1\\])(?::\\d+)?"
const loopbackOrigin = new RegExp(`^https?://${loopbackHost}$`, "i")
const loopbackHostHeader = new RegExp(`^${loopbackHost}$`, "i")

/** Whether a browser may have sent these headers for a web page of another host. */
export const comesFromElsewhere = (headers: RequestHeaders): boolean =>
  isForeign(headers["origin"]) ||
  headers["sec-fetch-site"] === "cross-site" ||
  !loopbackHostHeader.test(headers["host"] ?? "localhost")

const forbidden = (detail: string) => Effect.fail(Refusal.make(new Refusal.Forbidden({ detail })))

const foreignPage = forbidden(
  "web pages of other hosts may not use a gateway that is open without tokens: set AIBRIDGE_TOKENS"
)

const openWithPool = Effect.succeed<Authentication>({ actor: ActorOf.anonymous, own: {} })

const standard = (headers: RequestHeaders): RequestHeaders =>
  Object.fromEntries(
    ["authorization", "x-api-key"].flatMap((name) => {
      const value = present(headers[name])
      return value === undefined ? [] : [[name, value]]
    })
  )

const unauthorized = (detail: string, forLog: { readonly tokenHint?: string; readonly actor?: string } = {}) =>
  Effect.fail(Refusal.make(new Refusal.Unauthorized({ detail, ...forLog })))

const missingToken = unauthorized(
  `no gateway token: send it in Authorization (Bearer), x-api-key or, beside a provider key of your own, ${tokenHeader}`
)
const missingOwnToken = unauthorized(`no gateway token: this provider takes it in ${tokenHeader} only`)
const wrongToken = (token: string) => unauthorized("the gateway token is not valid", { tokenHint: hint(token) })
const expiredToken = (token: string, { id }: Actor) =>
  unauthorized("the gateway token has expired", { tokenHint: hint(token), actor: id })

const present = (value: string | undefined): string | undefined => value?.trim() || undefined

const standardToken = (headers: RequestHeaders): string | undefined =>
  bearerToken(headers["authorization"]) ?? present(headers["x-api-key"])

const encoder = new TextEncoder()

const webCrypto = Effect.scoped(Effect.map(Layer.build(Digest.layerWebCrypto), Context.get(Digest.Digest)))

const hashOf = (token: string, hash: (text: string) => Effect.Effect<Uint8Array>): Effect.Effect<Uint8Array> => {
  const [, digits] = hashPattern.exec(token) ?? []
  return digits === undefined ? hash(token) : Effect.orDie(Effect.fromResult(Hex.decode(digits)))
}

// What in a header's value could be a token: all of it, and its words, however they are set apart.
const wordsOf = (value: string): ReadonlySet<string> =>
  new Set([value, ...[/[\s,]+/, /[\s,;"']+/, /[\s,;"':=]+/].flatMap((between) => value.split(between))])

// How far the two are alike does not show in the time it takes.
const isSame = (one: Uint8Array, other: Uint8Array): boolean => {
  let difference = one.length ^ other.length
  for (let index = 0; index < one.length; index++) difference |= (one[index] ?? 0) ^ (other[index] ?? 0)
  return difference === 0
}
