/**
 * How many requests an actor may send in a minute. The counting is that of `effect/persistence`; this is the only file that
 * knows it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import type { Actor } from "../domain/Actor.ts"
import type { GatewayError } from "../domain/GatewayError.ts"
import * as Refusal from "../domain/GatewayError.ts"

export interface RateLimit {
  /** Counts a request of an actor. Fails with `GatewayError` (`RateLimited`) if it was one too many; it is then not counted. */
  readonly take: (actor: Actor) => Effect.Effect<void, GatewayError>
}

/** What `Gateway.layer` asks. Default none: as many as come. */
export const RateLimit = Context.Reference<RateLimit | undefined>("effect-aibridge/inbound/RateLimit", {
  defaultValue: () => undefined
})

/** So many at once, and then one more whenever a part of the minute has passed: of 60, one a second. */
export const make = (requestsPerMinute: number): Effect.Effect<RateLimit> =>
  Effect.gen(function* () {
    const limiter = yield* RateLimiter.RateLimiter
    return {
      take: ({ id }: Actor) =>
        limiter
          .consume({ algorithm: "token-bucket", window: "1 minute", limit: requestsPerMinute, key: id })
          .pipe(Effect.catch(({ reason }) => refused(reason, id)))
    }
  }).pipe(Effect.provide(RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))))

/** In the memory of this process, which keeps a number for each actor it has seen. */
export const layerMemory = (requestsPerMinute: number): Layer.Layer<never> =>
  Layer.effect(RateLimit, make(requestsPerMinute))

const refused = (reason: RateLimiter.RateLimiterError["reason"], actor: string): Effect.Effect<never, GatewayError> =>
  reason._tag === "RateLimitExceeded"
    ? Effect.fail(Refusal.make(new Refusal.RateLimited({ retryAfter: reason.retryAfter, actor })))
    : Effect.die(reason)
