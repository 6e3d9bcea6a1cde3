/** One upstream call's pass over a key pool: from index 0, each key at most once. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Key } from "./Key.ts"
import type { KeyPoolError } from "./KeyPoolError.ts"
import * as PoolError from "./KeyPoolError.ts"
import type { KeySlot } from "./KeySlot.ts"

/** Not to be shared between concurrent calls. Walkers of one pool see each other's marks at once, never their positions. */
export interface Walker {
  /**
   * The next key that is valid at this moment. A key that was passed never comes again, even if its rest ends during the
   * walk. Fails with `KeyPoolError` when none is left.
   */
  readonly next: Effect.Effect<Key, KeyPoolError>
  /** How many keys it has handed out. */
  readonly attempts: () => number
}

export const make = (provider: string, keys: ReadonlyArray<Key>, slots: ReadonlyArray<KeySlot>): Walker => {
  let position = 0
  let attempts = 0
  return {
    next: Effect.clockWith((clock) => {
      const now = clock.currentTimeMillisUnsafe()
      while (position < keys.length) {
        const candidate = keys[position]
        const key = candidate && slots[position]?.handOut(candidate, now)
        position++
        if (key === undefined) continue
        attempts++
        return Effect.succeed(key)
      }
      return Effect.fail(exhaustion(provider, slots, now))
    }),
    attempts: () => attempts
  }
}

// Looks at all keys again: one that is valid by now means that trying again at once may work.
const exhaustion = (provider: string, slots: ReadonlyArray<KeySlot>, now: number): KeyPoolError => {
  const waits = slots.filter((slot) => !slot.permanent).map((slot) => Math.max(0, slot.cooldownUntil - now))
  return waits.length === 0
    ? PoolError.permanent(provider)
    : PoolError.transient(provider, Duration.millis(Math.min(...waits)))
}
