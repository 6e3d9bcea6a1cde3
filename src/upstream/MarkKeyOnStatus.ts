/** What an upstream answer says about the key it was asked with: one table for all providers, then the mark. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ResponseHeaders } from "../domain/HeaderRecord.ts"
import type { KeyFailurePolicy } from "../keys/KeyFailurePolicy.ts"
import type { Key } from "../keys/Key.ts"
import type { KeyPool } from "../keys/KeyPool.ts"
import type { Why } from "../keys/KeyState.ts"
import * as KeyMetrics from "./KeyMetrics.ts"
import * as RetryAfter from "./RetryAfter.ts"

export type Verdict =
  /** The key served the request. */
  | { readonly _tag: "Served" }
  /** The answer is about the request or the provider, not about the key. */
  | { readonly _tag: "NotTheKey" }
  /** The key must rest; without a cooldown, as long as its pool's schedule says. */
  | { readonly _tag: "Temporary"; readonly cooldown: Duration.Duration | undefined }
  /** The key is refused. */
  | { readonly _tag: "Permanent" }

/**
 * 429 belongs to the key, 401 and 403 too as far as the policy says so; everything else does not. 503 and 529 belong to the
 * circuit breaker, other 4xx to the caller.
 *
 * @param now epoch milliseconds
 */
export const verdict = (status: number, headers: ResponseHeaders, policy: KeyFailurePolicy, now: number): Verdict => {
  if (status < 400) return served
  const reaction = reactionTo(status, policy)
  switch (reaction) {
    case "ignore":
      return notTheKey
    case "cooldown":
      return { _tag: "Temporary", cooldown: RetryAfter.parse(headers, now) }
    case "permanent":
      return permanent
  }
}

/** Applies the verdict to the key, counts a change of its state and logs it once. Answers whether the next key should be tried. */
export const mark = (
  pool: KeyPool,
  key: Key,
  response: { readonly status: number; readonly headers: ResponseHeaders }
): Effect.Effect<boolean> =>
  Effect.clockWith((clock) => {
    const now = clock.currentTimeMillisUnsafe()
    const result = verdict(response.status, response.headers, pool.keyFailurePolicy, now)
    switch (result._tag) {
      case "Served":
        return pool.markValid(key)
          ? Effect.as(logged(Effect.logInfo("key recovered"), pool, key, response.status), false)
          : nextKeyNo
      case "NotTheKey":
        return key.isProbe ? Effect.as(pool.releaseProbe(key), false) : nextKeyNo
      case "Temporary":
        return Effect.flatMap(pool.markTemporary(key, result.cooldown, answered(response)), (until) =>
          until === undefined
            ? nextKeyYes
            : counted(Effect.logInfo("key marked temporary"), pool, key, response.status).pipe(
                Effect.annotateLogs("cooldown", Duration.format(Duration.millis(tenths(until - now)))),
                Effect.as(true)
              )
        )
      case "Permanent":
        return Effect.flatMap(pool.markPermanent(key, answered(response)), (changed) =>
          changed
            ? counted(Effect.logWarning(setAside(pool, key)), pool, key, response.status).pipe(Effect.as(true))
            : nextKeyYes
        )
    }
  })

const setAside = ({ isRechecked, provider, keys }: KeyPool, { index, hint }: Key): string => {
  if (isRechecked) return "key marked permanent; one request at a time tries it again by itself (recheck)"
  const isAmbiguous = keys.filter((key) => key.hint === hint).length > 1
  return (
    `key marked permanent; it comes back by "aibridge keys reset ${provider} ${isAmbiguous ? index : hint}" (KeyPool.reset), ` +
    "by a reload with a working key in its place, or by itself if AIBRIDGE_PROVIDER_<N>_RECHECK (recheck) is set"
  )
}

const answered = ({ status }: { readonly status: number }): Why => ({ _tag: "Answered", status })

const served: Verdict = { _tag: "Served" }
const notTheKey: Verdict = { _tag: "NotTheKey" }
const permanent: Verdict = { _tag: "Permanent" }

const nextKeyYes = Effect.succeed(true)
const nextKeyNo = Effect.succeed(false)

const reactionTo = (status: number, policy: KeyFailurePolicy) => {
  switch (status) {
    case 429:
      return policy.rateLimited
    case 401:
      return policy.unauthorized
    case 403:
      return policy.forbidden
    default:
      return "ignore"
  }
}

// The clock may have moved since the verdict: 10s, not 10s 1ms.
const tenths = (millis: number): number => (millis < 1000 ? millis : Math.round(millis / 100) * 100)

const logged = (log: Effect.Effect<void>, pool: KeyPool, key: Key, status: number): Effect.Effect<void> =>
  Effect.annotateLogs(log, { provider: pool.provider, api_key_hint: key.hint, status })

const counted = (log: Effect.Effect<void>, pool: KeyPool, key: Key, status: number): Effect.Effect<void> =>
  Effect.andThen(KeyMetrics.marked(pool.provider, status), logged(log, pool, key, status))
