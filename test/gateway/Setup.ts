/** A whole gateway in memory before a scripted upstream, and the questions that tests ask of it. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { InterceptionEnded, InterceptionStarted } from "../../src/domain/RecordEvent.ts"
import * as Gateway from "../../src/Gateway.ts"
import * as GatewayOptions from "../../src/GatewayOptions.ts"
import * as Authenticator from "../../src/inbound/Authenticator.ts"
import * as Anthropic from "../../src/providers/Anthropic.ts"
import * as Providers from "../../src/providers/Providers.ts"
import * as Recorder from "../../src/record/Recorder.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import type * as TestGateway from "../../src/testing/TestGateway.ts"

export interface Options {
  /** How many keys the pool has; `none` for a provider without a pool. Default 2. */
  readonly keys?: number | "none"
  /** Gateway tokens by the name of their actor. Default none: open. */
  readonly tokens?: Readonly<Record<string, string>>
  readonly provider?: Omit<Anthropic.Options, "keys">
  readonly options?: Partial<GatewayOptions.GatewayOptions>
}

/** The secret of the pool's key at an index. */
export const key = (index: number): string => `sk-ant-${String(index).padStart(3, "0")}-NEVER-SHOWN-${index}kk`

/** The masked form of the same. */
export const hint = (index: number): string => `sk-a...-${index}kk`

export const layer = (script: Parameters<typeof ScriptedUpstream.layer>[0], options: Options = {}) => {
  const { keys = 2, tokens } = options
  const provider = Anthropic.make({
    ...options.provider,
    ...(keys !== "none" && { keys: Array.from({ length: keys }, (_, index) => Redacted.make(key(index))) })
  })
  return Gateway.layer.pipe(
    Layer.provideMerge([
      Providers.layer([provider]),
      tokens === undefined
        ? Authenticator.layerLoopback
        : Authenticator.layerTokens(
            Object.entries(tokens).map(([name, token]) => ({ name, token: Redacted.make(token) }))
          ),
      ScriptedUpstream.layer(script),
      Recorder.layerMemory
    ]),
    Layer.provide(Layer.succeed(GatewayOptions.GatewayOptions, { ...GatewayOptions.defaults, ...options.options }))
  )
}

export const requests = Effect.flatMap(ScriptedUpstream.ScriptedUpstream, (upstream) => upstream.requests)

/** The keys that the upstream has seen, in order: places in the pool, or the key itself if it is of no pool. */
export const keysSeen = Effect.map(requests, (all) =>
  all.map(({ headers }) => {
    const value = headers["x-api-key"] ?? "none"
    const index = Array.from({ length: 9 }, (_, place) => key(place)).indexOf(value)
    return index < 0 ? value : index
  })
)

export const pool = Effect.map(Providers.Providers, ({ all }) => {
  const found = all[0]?.keyFailover.pool
  if (found === undefined) throw new Error("the provider has no pool")
  return found
})

/** The states of the pool's keys, in order. */
export const states = Effect.gen(function* () {
  const all = yield* (yield* pool).states
  return all.map((state) => state._tag)
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

export const messages = "/anthropic/v1/messages"
export const models = "/anthropic/v1/models"

/** A request for a whole answer. */
export const blocking: TestGateway.RequestOptions = {
  body: { model: "claude-sonnet-4-5", max_tokens: 64, messages: [{ role: "user", content: "Hello" }] }
}

/** A request for a stream. */
export const streaming: TestGateway.RequestOptions = {
  body: { model: "claude-sonnet-4-5", max_tokens: 64, stream: true, messages: [{ role: "user", content: "Hello" }] }
}
