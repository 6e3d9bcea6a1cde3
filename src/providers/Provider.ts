/** One configured vendor instance: where it is, which routes it serves in which dialect, and how its keys are used. */
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { RequestHeaders } from "../domain/HeaderRecord.ts"
import type { Dialect, ShapedResponse } from "../dialects/Dialect.ts"
import type { KeyPool } from "../keys/KeyPool.ts"
import type { KeyPoolError } from "../keys/KeyPoolError.ts"

/** What the pipeline needs to know of a vendor instance. Made by `Anthropic.make` and the like. */
export interface Provider {
  /** The vendor, such as `anthropic`. */
  readonly type: string
  /** The instance; also its mount point. Matches `namePattern`. */
  readonly name: string
  readonly baseUrl: BaseUrl
  /** What comes before the routes in a client's path, such as `/anthropic`. */
  readonly routePrefix: string
  /** The shape of errors under the prefix that belong to no bridged route. */
  readonly dialect: Dialect
  /** Read and recorded; `POST` only. */
  readonly bridgedRoutes: ReadonlyArray<BridgedRoute>
  /** Relayed blind, any method. A trailing slash stands for everything below. Nothing else is forwarded: a key may have admin power. */
  readonly passthroughRoutes: ReadonlyArray<string>
  readonly keyFailover: KeyFailoverConfig
}

/** A route whose traffic is read. */
export interface BridgedRoute {
  /** Behind the prefix, such as `/v1/messages`. */
  readonly path: string
  readonly dialect: Dialect
}

/** What a provider supplies to the failover of its keys. */
export interface KeyFailoverConfig {
  /** Its own keys; absent if callers always bring theirs. */
  readonly pool: KeyPool | undefined
  /** Whether these headers, without the gateway's own credential, hold a credential of the caller. */
  readonly isByok: (headers: RequestHeaders) => boolean
  /** The headers with the pool's key in the vendor's header, any other value of it replaced. */
  readonly injectAuthKey: (headers: RequestHeaders, key: Redacted.Redacted<string>) => RequestHeaders
  /** The caller's own credential among these headers: the header it travels in, its value there, and the secret in it. */
  readonly byokCredential: (headers: RequestHeaders) => ByokCredential | undefined
  /** The answer when no key is left. */
  readonly buildKeyPoolResponse: (error: KeyPoolError) => ShapedResponse
}

/** A credential of the caller's own. */
export interface ByokCredential {
  readonly header: string
  readonly value: string
  readonly secret: string
}

/** Where an upstream is. */
export interface BaseUrl {
  /** Scheme, host and port. */
  readonly origin: string
  /** Without a trailing slash; empty for the root. */
  readonly path: string
}

/** What a provider may be called, as it is part of a path. */
export const namePattern = /^[a-z0-9]+(-[a-z0-9]+)*$/

/** A provider that cannot be made. `option` is the field of the provider's options. */
export class InvalidProvider extends Schema.TaggedError<InvalidProvider>()("InvalidProvider", {
  provider: Schema.String,
  option: Schema.Literals(["name", "baseUrl"]),
  detail: Schema.String
}) {
  override get message(): string {
    return `provider "${this.provider}": ${this.option}: ${this.detail}`
  }
}

/** Reads a base URL; the failure says what is wrong with it, without repeating it (it could hold a password). */
export const parseBaseUrl = (text: string): BaseUrl | string => {
  const url = URL.parse(text)
  if (url === null) return "not a URL"
  if (url.protocol !== "https:" && url.protocol !== "http:") return "must begin with https:// or http://"
  if (url.username !== "" || url.password !== "") return "must not hold a user name or password"
  if (url.search !== "" || url.hash !== "") return "must not have a query or a fragment"
  return { origin: url.origin, path: url.pathname.replace(/\/+$/, "") }
}

/** The bearer token in an `Authorization` value: exactly `Bearer <token>`, the word in any case. */
export const bearerToken = (authorization: string | undefined): string | undefined => {
  const fields = authorization?.trim().split(/\s+/) ?? []
  return fields.length === 2 && fields[0]?.toLowerCase() === "bearer" ? fields[1] : undefined
}
