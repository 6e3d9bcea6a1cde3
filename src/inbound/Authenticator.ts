/** Who calls: a client's headers to an actor, or a refusal. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Actor } from "../domain/Actor.ts"
import * as ActorOf from "../domain/Actor.ts"
import { holdsSecret } from "../domain/Credential.ts"
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
}

/** Decides who may call. An embedder's own decides everything about credentials by itself. */
export class Authenticator extends Context.Service<
  Authenticator,
  {
    /** Fails with `GatewayError` (`Unauthorized`). A provider key is never proof of identity to the gateway. */
    readonly authenticate: (headers: RequestHeaders, provider: Provider) => Effect.Effect<Authentication, GatewayError>
  }
>()("effect-aibridge/inbound/Authenticator") {}

/** One gateway token. */
export interface Token {
  /** The actor's id. */
  readonly name: string
  readonly token: Redacted.Redacted<string>
}

/**
 * Gateway tokens. `x-aibridge-token`, if present, must hold one, and the standard headers are the caller's own provider
 * credential, unless they hold a gateway token too. Without it `Authorization: Bearer`, else `x-api-key`, must hold one, on
 * every route. A provider without keys takes the token from `x-aibridge-token` only. A wrong token falls back to nothing.
 */
export const layerTokens = (tokens: ReadonlyArray<Token>): Layer.Layer<Authenticator> => {
  const known = tokens.map(({ name, token }) => ({ actor: ActorOf.make(name), token, secret: Redacted.value(token) }))
  const find = (candidate: string) => {
    let found: (typeof known)[number] | undefined
    for (const entry of known) {
      if (equalInConstantTime(entry.secret, candidate)) found = entry
    }
    return found
  }
  const withoutTokens = (headers: RequestHeaders): RequestHeaders =>
    standard(headers, (value) => !known.some(({ secret }) => holdsSecret(value, secret)))

  return Layer.succeed(Authenticator, {
    authenticate: (headers, provider) => {
      const token = present(headers[tokenHeader])
      const hasPool = provider.keyFailover.pool !== undefined
      const candidate = token ?? (hasPool ? standardToken(headers) : undefined)
      if (candidate === undefined) return hasPool ? missingToken : missingOwnToken
      const found = find(candidate)
      if (found === undefined) return wrongToken
      const own = token === undefined ? {} : withoutTokens(headers)
      return Effect.succeed({ actor: found.actor, own, shown: found.token })
    }
  })
}

/**
 * No tokens: for a gateway that only this machine can reach. A credential in a standard header is ignored where there is a
 * pool, unless `x-aibridge-token` says (with any value) that it is the caller's own. Web pages of other hosts, which a browser
 * on this machine would let in, are refused with `GatewayError` (`Forbidden`): by `Origin`, by `Sec-Fetch-Site`, and by a `Host`
 * that is none of this machine's own names (a page whose name was made to point here).
 */
export const layerLoopback: Layer.Layer<Authenticator> = Layer.succeed(Authenticator, {
  authenticate: (headers, provider) => {
    if (comesFromElsewhere(headers)) return foreignPage
    return provider.keyFailover.pool !== undefined && present(headers[tokenHeader]) === undefined
      ? openWithPool
      : Effect.succeed({ actor: ActorOf.anonymous, own: standard(headers, () => true) })
  }
})

// A sandboxed frame of any page has the origin "null"; desktop apps have schemes of their own.
const isForeign = (origin: string | undefined): boolean =>
  origin !== undefined && (origin === "null" || (/^https?:/i.test(origin) && !loopbackOrigin.test(origin)))

const loopbackHost = "(?:localhost|127(?:\\.\\d{1,3}){3}|\\[::1\\])(?::\\d+)?"
const loopbackOrigin = new RegExp(`^https?://${loopbackHost}$`, "i")
const loopbackHostHeader = new RegExp(`^${loopbackHost}$`, "i")

const comesFromElsewhere = (headers: RequestHeaders): boolean =>
  isForeign(headers["origin"]) ||
  headers["sec-fetch-site"] === "cross-site" ||
  !loopbackHostHeader.test(headers["host"] ?? "localhost")

const foreignPage = Effect.fail(
  Refusal.make(
    new Refusal.Forbidden({
      detail: "web pages of other hosts may not use a gateway that is open without tokens: set AIBRIDGE_TOKENS"
    })
  )
)

const openWithPool = Effect.succeed<Authentication>({ actor: ActorOf.anonymous, own: {} })

const standard = (headers: RequestHeaders, keep: (value: string) => boolean): RequestHeaders =>
  Object.fromEntries(
    ["authorization", "x-api-key"].flatMap((name) => {
      const value = present(headers[name])
      return value !== undefined && keep(value) ? [[name, value]] : []
    })
  )

const unauthorized = (detail: string) => Effect.fail(Refusal.make(new Refusal.Unauthorized({ detail })))

const missingToken = unauthorized(
  `no gateway token: send it in Authorization (Bearer), x-api-key or, beside a provider key of your own, ${tokenHeader}`
)
const missingOwnToken = unauthorized(`no gateway token: this provider takes it in ${tokenHeader} only`)
const wrongToken = unauthorized("the gateway token is not valid")

const present = (value: string | undefined): string | undefined => value?.trim() || undefined

const standardToken = (headers: RequestHeaders): string | undefined =>
  bearerToken(headers["authorization"]) ?? present(headers["x-api-key"])

// The time depends on the candidate's length only.
const equalInConstantTime = (secret: string, candidate: string): boolean => {
  let difference = secret.length ^ candidate.length
  for (let index = 0; index < candidate.length; index++) {
    difference |= candidate.charCodeAt(index) ^ secret.charCodeAt(index % secret.length)
  }
  return difference === 0
}
