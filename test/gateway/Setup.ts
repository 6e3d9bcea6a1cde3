/** A whole gateway in memory, all vendors in it, before a scripted upstream; and the questions that tests ask of it. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { InterceptionEnded, InterceptionStarted } from "../../src/domain/RecordEvent.ts"
import * as Gateway from "../../src/Gateway.ts"
import * as GatewayOptions from "../../src/GatewayOptions.ts"
import * as Authenticator from "../../src/inbound/Authenticator.ts"
import * as Drain from "../../src/inbound/Drain.ts"
import type * as Provider from "../../src/providers/Provider.ts"
import * as Providers from "../../src/providers/Providers.ts"
import * as Recorder from "../../src/record/Recorder.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import type { ToolSource } from "../../src/tools/ToolSource.ts"
import * as ToolSources from "../../src/tools/ToolSources.ts"
import type * as CircuitBreakers from "../../src/upstream/CircuitBreakers.ts"
import type { UpstreamRequest } from "../../src/upstream/Upstream.ts"
import type { Vendor } from "./Vendors.ts"
import * as Vendors from "./Vendors.ts"

export interface Options {
  /** Default everybody. */
  readonly vendors?: ReadonlyArray<Vendor>
  /** How many keys each pool has; `none` for providers without a pool. Default 2. */
  readonly keys?: number | "none"
  /** Gateway tokens by the name of their actor. Default none: open. */
  readonly tokens?: Readonly<Record<string, string>>
  /** For every provider. */
  readonly provider?: Omit<Provider.Options, "keys">
  /** In place of what the tokens say. */
  readonly authenticator?: Layer.Layer<Authenticator.Authenticator>
  readonly options?: Partial<GatewayOptions.GatewayOptions>
  /** Default: it never stops. */
  readonly drain?: Drain.Drain
  /** Limits of callers. Default none. */
  readonly limits?: Layer.Layer<never>
  /** Of the gateway's own. Default none. */
  readonly tools?: ReadonlyArray<ToolSource>
  /** Default: the gateway's own. */
  readonly circuitBreakers?: Layer.Layer<CircuitBreakers.CircuitBreakers>
}

/** The secret of a pool's key at an index, below 10. */
export const key = (index: number, { name }: Vendor = Vendors.anthropic): string =>
  `sk-${index}-${name}-NEVER-SHOWN-${index}kk`

/** The masked form of the same. */
export const hint = (index: number): string => `sk-${index}...-${index}kk`

export const layer = (script: Parameters<typeof ScriptedUpstream.layer>[0], options: Options = {}) => {
  const { vendors = Vendors.mounted, keys = 2, tokens, authenticator = authenticatorOf(tokens) } = options
  const providers = vendors.map((vendor) =>
    vendor.make({
      ...options.provider,
      ...(keys !== "none" && { keys: Array.from({ length: keys }, (_, index) => Redacted.make(key(index, vendor))) })
    })
  )
  return Gateway.layer.pipe(
    Layer.provideMerge([
      Providers.layer(providers),
      authenticator,
      ScriptedUpstream.layer(script),
      Recorder.layerMemory
    ]),
    Layer.provide([
      Layer.succeed(GatewayOptions.GatewayOptions, { ...GatewayOptions.defaults, ...options.options }),
      options.drain === undefined ? Layer.empty : Layer.succeed(Drain.Drain, options.drain),
      options.limits ?? Layer.empty,
      options.tools === undefined ? Layer.empty : ToolSources.layer(options.tools),
      options.circuitBreakers ?? Layer.empty
    ])
  )
}

const authenticatorOf = (tokens: Options["tokens"]): Layer.Layer<Authenticator.Authenticator> =>
  tokens === undefined
    ? Authenticator.layerLoopback
    : Authenticator.layerTokens(Object.entries(tokens).map(([name, token]) => ({ name, token: Redacted.make(token) })))

export const requests = Effect.flatMap(ScriptedUpstream.ScriptedUpstream, (upstream) => upstream.requests)

/** The credential in an upstream request: a place in the pool of the vendor it went to, or the credential itself. */
export const keyOf = ({ origin, headers }: Pick<UpstreamRequest, "origin" | "headers">): number | string => {
  const authorization = headers["authorization"]
  const signedBy = /^AWS4-HMAC-SHA256 Credential=([^/]*)/.exec(authorization ?? "")?.[1]
  const credentials = [headers["x-api-key"], signedBy ?? authorization?.replace(/^Bearer /, "")]
  const value = credentials.filter((credential) => credential !== undefined).join(" and ")
  const vendor = Vendors.mounted.find(({ upstream }) => upstream.startsWith(origin))
  const index = Array.from({ length: 9 }, (_, place) => key(place, vendor)).indexOf(value)
  return index < 0 ? value : index
}

/** The keys that the upstream has seen, in order. */
export const keysSeen = Effect.map(requests, (all) => all.map(keyOf))

/** The states of the keys of a vendor's pool, in order; none without a pool. */
export const states = ({ name }: Vendor = Vendors.anthropic) =>
  Effect.gen(function* () {
    const providers = yield* Providers.Providers
    const all = providers.all()
    const pool = all.find((provider) => provider.name === name)?.keyFailover.pool
    return pool === undefined ? [] : (yield* pool.states).map((state) => state._tag)
  })

export const records = Effect.flatMap(Recorder.RecordedEvents, (recorded) => recorded.all)

export const started = Effect.map(records, (all) =>
  all.filter((event): event is InterceptionStarted => event._tag === "InterceptionStarted")
)

export const ended = Effect.map(records, (all) =>
  all.filter((event): event is InterceptionEnded => event._tag === "InterceptionEnded")
)

/** How the interceptions ended, in order. */
export const reasons = Effect.map(ended, (all) => all.map((event) => event.reason))

/** What requests have left behind. */
export const traces = Effect.all({ requests, records })

/** The traces of a request that was refused at once. */
export const nothing = { requests: [], records: [] }
