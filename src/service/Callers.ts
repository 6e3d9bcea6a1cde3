/** Who may call and how much, as configured: replaceable while the gateway runs. */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Authenticator from "../inbound/Authenticator.ts"
import * as ConcurrencyLimit from "../inbound/ConcurrencyLimit.ts"
import * as RateLimit from "../inbound/RateLimit.ts"
import type { ServiceConfig } from "./ServiceConfig.ts"

type Settings = Pick<ServiceConfig, "tokens" | "rateLimit" | "maxConcurrency">

export interface Callers {
  /** For `Gateway.layer`. */
  readonly layer: Layer.Layer<Authenticator.Authenticator>
  /** These hold from now on. A rate limit that is another one begins to count anew. */
  readonly replace: (settings: Settings) => Effect.Effect<void>
}

export const make = Effect.fn("Callers.make")(function* (initial: Settings) {
  let current = yield* build(initial)
  const callers: Callers = {
    layer: Layer.mergeAll(
      Layer.succeed(Authenticator.Authenticator, {
        authenticate: (headers, provider) => current.authenticator.authenticate(headers, provider)
      }),
      Layer.succeed(
        ConcurrencyLimit.ConcurrencyLimit,
        ConcurrencyLimit.make(() => current.settings.maxConcurrency)
      ),
      Layer.succeed(RateLimit.RateLimit, { take: (actor) => current.rateLimit?.take(actor) ?? Effect.void })
    ),
    replace: (settings) =>
      Effect.map(build(settings, current), (built) => {
        current = built
      })
  }
  return callers
})

interface Built {
  readonly settings: Settings
  readonly authenticator: Authenticator.Authenticator["Service"]
  readonly rateLimit: RateLimit.RateLimit | undefined
}

// A limit that is the same goes on counting.
const build = Effect.fnUntraced(function* (settings: Settings, before?: Built): Effect.fn.Return<Built> {
  const { tokens, rateLimit } = settings
  const hasSameRate = before?.settings.rateLimit === rateLimit
  return {
    settings,
    authenticator: yield* authenticatorOf(tokens),
    rateLimit: hasSameRate ? before.rateLimit : rateLimit === 0 ? undefined : yield* RateLimit.make(rateLimit)
  }
})

const authenticatorOf = (tokens: Settings["tokens"]): Effect.Effect<Authenticator.Authenticator["Service"]> =>
  tokens.length === 0
    ? Effect.succeed(Authenticator.loopback)
    : Effect.provide(Authenticator.makeTokens(tokens), NodeCrypto.layerDigest)
