/** Exhaustion: a walk that found no key. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/** At least one key comes back by itself, the soonest after `retryAfter` (zero: a key is valid right now). */
export class TransientExhaustion extends Schema.TaggedClass<TransientExhaustion>()("TransientExhaustion", {
  retryAfter: Schema.Duration
}) {}

/** Every key was refused. None is expected back soon: that takes an operator, or a recheck that succeeds. */
export class PermanentExhaustion extends Schema.TaggedClass<PermanentExhaustion>()("PermanentExhaustion", {}) {}

/** A walk that found no key, and why. */
export class KeyPoolError extends Schema.TaggedError<KeyPoolError>()("KeyPoolError", {
  provider: Schema.String,
  reason: Schema.Union([TransientExhaustion, PermanentExhaustion])
}) {
  override get message(): string {
    switch (this.reason._tag) {
      case "TransientExhaustion":
        return `all configured keys are rate-limited (retry after ${formatDelay(this.reason.retryAfter)})`
      case "PermanentExhaustion":
        return "all configured keys failed authentication"
    }
  }
}

/** Exhaustion that passes after `retryAfter`. */
export const transient = (provider: string, retryAfter: Duration.Duration): KeyPoolError =>
  new KeyPoolError({ provider, reason: new TransientExhaustion({ retryAfter }) })

/** Exhaustion that takes an operator. */
export const permanent = (provider: string): KeyPoolError =>
  new KeyPoolError({ provider, reason: new PermanentExhaustion({}) })

/** `500ms`, `2.5s`, `1m0s`, `2h0m5s`: the notation of the texts that clients of such gateways already know. */
export const formatDelay = (delay: Duration.Duration): string => {
  const millis = Math.round(Duration.toMillis(delay))
  if (millis > 0 && millis < 1000) return `${millis}ms`
  const minutes = Math.floor(millis / 60_000)
  const seconds = `${(millis % 60_000) / 1000}s`
  if (minutes === 0) return seconds
  const hours = Math.floor(minutes / 60)
  return hours === 0 ? `${minutes}m${seconds}` : `${hours}h${minutes % 60}m${seconds}`
}
