/** One configured vendor instance: where it is, which routes it serves in which dialect, and how its keys are used. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { RequestHeaders } from "../domain/HeaderRecord.ts"
import type { Dialect, ShapedResponse } from "../dialects/Dialect.ts"
import type { InvalidKeys } from "../keys/InvalidKeys.ts"
import type { KeyPool } from "../keys/KeyPool.ts"
import * as Pool from "../keys/KeyPool.ts"
import type { KeyPoolError } from "../keys/KeyPoolError.ts"
import * as CircuitBreakerOptions from "./CircuitBreakerOptions.ts"
import * as ExtraHeaders from "./ExtraHeaders.ts"
import type { ByokCredential, CredentialHeader } from "./CredentialHeader.ts"
import * as KeyPoolResponse from "./KeyPoolResponse.ts"
import * as TimeLimits from "./TimeLimits.ts"
import type { Translation } from "./Translation.ts"

/** What the pipeline needs to know of a vendor instance. Made by `Anthropic.make` and the like, all of which use `make`. */
export interface Provider {
  /** The vendor, such as `anthropic`. */
  readonly type: string
  /** The instance; it is mounted at `/<name>`. Matches `namePattern`. */
  readonly name: string
  readonly baseUrl: BaseUrl
  /** What comes before the routes in a client's path, such as `/anthropic` or `/openai/v1`. */
  readonly routePrefix: string
  /** The shape of errors under the mount point that belong to no bridged route. */
  readonly dialect: Dialect
  /** Read and recorded; `POST` only. */
  readonly bridgedRoutes: ReadonlyArray<BridgedRoute>
  /** Relayed blind, any method. A trailing slash stands for everything below. Nothing else is forwarded: a key may have admin power. */
  readonly passthroughRoutes: ReadonlyArray<string>
  readonly keyFailover: KeyFailoverConfig
  /** Whether bridged requests tell the upstream on whose behalf they are made. */
  readonly sendActorHeaders: boolean
  /** Sent with every request, in place of a client's of the same name. */
  readonly extraHeaders: ReadonlyArray<ExtraHeaders.ExtraHeader>
  /** Whether callers may bring a credential of their own. */
  readonly allowByok: boolean
  /** Of its own, never shared with another provider. Absent: it has no circuit breakers. */
  readonly circuitBreaker: CircuitBreakerOptions.ResolvedOptions | undefined
  /** Limits of one exchange. Absent: the client's own. */
  readonly timeouts: TimeLimits.Timeouts | undefined
  /** The limit of a whole request. Absent: as for all. */
  readonly totalTimeout: Duration.Duration | undefined
  /** Absent: its wire format is that of its dialects. */
  readonly translation: Translation | undefined
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
  /** The caller's own credential among these headers. */
  readonly byokCredential: (headers: RequestHeaders) => ByokCredential | undefined
  /** Told to a caller if there is neither a pool nor a credential of the caller's own. */
  readonly missingCredential: string
  /** The answer when no key is left. */
  readonly buildKeyPoolResponse: (error: KeyPoolError) => ShapedResponse
}

/** Where an upstream is. */
export interface BaseUrl {
  /** Scheme, host and port. */
  readonly origin: string
  /** Without a trailing slash; empty for the root. */
  readonly path: string
}

/** What all instances of a vendor have in common. */
export interface Vendor {
  readonly type: string
  /** The vendor's own place, unless an instance says otherwise. */
  readonly baseUrl: string
  /** A segment that stands in the mount point and in the base URL, not in the routes, such as `/v1`. Default none. */
  readonly version?: string
  /** The shape of errors that belong to no bridged route, and of exhaustion. */
  readonly dialect: Dialect
  readonly bridgedRoutes: ReadonlyArray<BridgedRoute>
  /** See `Provider`. */
  readonly passthroughRoutes: ReadonlyArray<string>
  readonly credential: CredentialHeader
  /** Whether callers always bring a credential of their own: instances then have no pool. Default `false`. */
  readonly isByokOnly?: boolean
  /** Whether a header, by its name in lower case, is for credentials or a signature beside the key. Default: none is. */
  readonly isReservedHeader?: (name: string) => boolean
  /** For bridged requests, if the vendor's wire format is not that of its dialects. */
  readonly translation?: Translation
}

/** One instance and its pool. */
export interface Options extends Omit<Pool.Options, "provider" | "keys" | "hint">, TimeLimits.Options {
  /** The instance's name and mount point: lower-case letters, digits and single hyphens. Default: the vendor's type. */
  readonly name?: string
  /** Default: the vendor's own. */
  readonly baseUrl?: string
  /** The pool, in order of preference. Default none: every caller brings a key of its own. */
  readonly keys?: ReadonlyArray<Redacted.Redacted<string>>
  /**
   * Whether bridged requests carry `x-ai-bridge-actor-id` and `x-ai-bridge-actor-metadata-<key>`. A client's own copies never
   * go upstream. Default `false`.
   */
  readonly sendActorHeaders?: boolean
  /**
   * Sent with every request, in place of a client's header of the same name, whosever key is used. Refused are names and values that
   * no header can have, the same name twice (in any case), headers of one connection (RFC 9110 section 7.6.1) or of the message
   * (`host`, `content-length`, `content-type`, `accept-encoding` and the like), credentials (`authorization`, `x-api-key`, with
   * Bedrock `x-amz-*`), and the gateway's own (`x-aibridge-*`). Default none.
   */
  readonly extraHeaders?: Readonly<Record<string, Redacted.Redacted<string>>>
  /** Whether callers may bring a credential of their own; those who do are refused with 403 otherwise. Default `true`. */
  readonly allowByok?: boolean
  /** When the provider counts as overloaded and is left alone for a while. Default: never. */
  readonly circuitBreaker?: CircuitBreakerOptions.Options
}

/** What a provider may be called, as it is part of a path. */
export const namePattern = /^[a-z0-9]+(-[a-z0-9]+)*$/

/** A provider that cannot be made. `option` is the field of the provider's options. */
export class InvalidProvider extends Schema.TaggedError<InvalidProvider>()("InvalidProvider", {
  provider: Schema.String,
  option: Schema.Literals([
    "name",
    "baseUrl",
    "circuitBreaker",
    "upstreamTimeout",
    "idleTimeout",
    "totalTimeout",
    "extraHeaders",
    "bedrock"
  ]),
  detail: Schema.String
}) {
  override get message(): string {
    return `provider "${this.provider}": ${this.option}: ${this.detail}`
  }
}

/** Fails with `InvalidProvider` for an option that cannot be, with `InvalidKeys` for keys that no pool can hold. */
export const make = Effect.fn("Provider.make")(function* (
  vendor: Vendor,
  options: Options = {}
): Effect.fn.Return<Provider, InvalidProvider | InvalidKeys> {
  const { type, version = "", dialect, bridgedRoutes, passthroughRoutes, credential, isByokOnly = false } = vendor
  const { name = type, sendActorHeaders = false, allowByok = true } = options
  const keys = isByokOnly ? undefined : options.keys
  if (!namePattern.test(name)) {
    const detail = "must contain only lowercase alphanumeric characters and hyphens"
    return yield* new InvalidProvider({ provider: name, option: "name", detail })
  }
  const baseUrl = parseBaseUrl(options.baseUrl ?? vendor.baseUrl)
  if (typeof baseUrl === "string") {
    return yield* new InvalidProvider({ provider: name, option: "baseUrl", detail: baseUrl })
  }
  const circuitBreaker = options.circuitBreaker && CircuitBreakerOptions.resolve(options.circuitBreaker)
  if (typeof circuitBreaker === "string") {
    return yield* new InvalidProvider({ provider: name, option: "circuitBreaker", detail: circuitBreaker })
  }
  const limits = TimeLimits.resolve(options)
  if ("option" in limits) return yield* new InvalidProvider({ provider: name, ...limits })
  const extraHeaders = Object.entries(options.extraHeaders ?? {})
  const refused = ExtraHeaders.problem(extraHeaders, isReservedBy(vendor))
  if (refused !== undefined) {
    return yield* new InvalidProvider({ provider: name, option: "extraHeaders", detail: refused })
  }
  return {
    type,
    name,
    baseUrl,
    routePrefix: `/${name}${version}`,
    dialect,
    bridgedRoutes,
    passthroughRoutes,
    keyFailover: {
      pool: keys && (yield* Pool.make({ ...options, ...hintOf(credential), provider: name, keys })),
      isByok: (headers) => credential.own(headers) !== undefined,
      injectAuthKey: credential.inject,
      byokCredential: credential.own,
      missingCredential: credential.missing,
      buildKeyPoolResponse: KeyPoolResponse.make(dialect)
    },
    sendActorHeaders,
    extraHeaders: ExtraHeaders.resolve(extraHeaders),
    allowByok,
    circuitBreaker,
    timeouts: limits.timeouts,
    totalTimeout: limits.totalTimeout,
    translation: vendor.translation
  }
})

// The header of a vendor's key is known by trying.
const isReservedBy = ({ credential, isReservedHeader }: Vendor): ((name: string) => boolean) => {
  const own = new Set(Object.keys(credential.inject({}, Redacted.make("key"))))
  return (name) => own.has(name) || isReservedHeader?.(name) === true
}

const hintOf = ({ hint }: CredentialHeader): Pick<Pool.Options, "hint"> => (hint === undefined ? {} : { hint })

/** Whether what is known of the one's upstream holds for the other's: it is the same vendor's, at the same place. */
export const isSamePlace = (one: Provider, other: Provider): boolean =>
  one.type === other.type && one.baseUrl.origin === other.baseUrl.origin && one.baseUrl.path === other.baseUrl.path

/** Reads a base URL; the failure says what is wrong with it, without repeating it (it could hold a password). */
export const parseBaseUrl = (text: string): BaseUrl | string => {
  const url = URL.parse(text)
  if (url === null) return "not a URL"
  if (url.protocol !== "https:" && url.protocol !== "http:") return "must begin with https:// or http://"
  if (url.username !== "" || url.password !== "") return "must not hold a user name or password"
  if (url.search !== "" || url.hash !== "") return "must not have a query or a fragment"
  return { origin: url.origin, path: url.pathname.replace(/\/+$/, "") }
}
