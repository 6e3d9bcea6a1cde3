/** An ordered, immutable set of keys with derived state. Index 0 is the primary; the rest answer when it cannot. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { CredentialKind } from "../domain/Credential.ts"
import { hint } from "../domain/Credential.ts"
import type { CooldownSchedule } from "./Cooldown.ts"
import { InvalidKeys, refusal } from "./InvalidKeys.ts"
import type { Key } from "./Key.ts"
import type { KeyFailurePolicy } from "./KeyFailurePolicy.ts"
import * as FailurePolicy from "./KeyFailurePolicy.ts"
import * as PoolError from "./KeyPoolError.ts"
import { KeySlot } from "./KeySlot.ts"
import type { KeyState, KeyStatus, Why } from "./KeyState.ts"
import * as State from "./KeyState.ts"
import * as Walker from "./Walker.ts"

/** The keys of one provider and what is known about them. */
export interface KeyPool {
  /** The name of the provider instance it belongs to. */
  readonly provider: string
  readonly kind: CredentialKind
  readonly keys: ReadonlyArray<Key>
  readonly keyFailurePolicy: KeyFailurePolicy
  /** Whether a permanent key is tried again by itself. */
  readonly isRechecked: boolean
  /** A new pass over the pool for one upstream call. */
  readonly walker: () => Walker.Walker
  /** The states of all keys, in order. */
  readonly states: Effect.Effect<ReadonlyArray<KeyState>>
  /** The states with what else there is to say about them, in the same order. */
  readonly statuses: Effect.Effect<ReadonlyArray<KeyStatus>>
  /**
   * Lets a key rest for `cooldown`, or without one (or with one that is not positive) for the next delay of the pool's
   * cooldown schedule. The later of two deadlines wins. No effect on a permanent key, unless it was handed out as a probe.
   * Answers the deadline (epoch milliseconds) if a usable key became a resting one.
   */
  readonly markTemporary: (key: Key, cooldown?: Duration.Duration, why?: Why) => Effect.Effect<number | undefined>
  /** Sets a key aside. Answers whether it was not set aside before. */
  readonly markPermanent: (key: Key, why?: Why) => Effect.Effect<boolean>
  /** The key served a request: ends its row of cooldowns. Answers whether it came back from permanent by a probe. */
  readonly markValid: (key: Key) => boolean
  /** A probe ended without saying anything about the key: the next one comes after the recheck's next delay. */
  readonly releaseProbe: (key: Key) => Effect.Effect<void>
  /** An operator's order: the key is usable from now on. Answers whether that changed anything. */
  readonly reset: (key: Key) => Effect.Effect<boolean>
  /** An operator's order: the key is set aside until it is reset, `recheck` or not. Answers whether it was not so before. */
  readonly disable: (key: Key) => Effect.Effect<boolean>
}

/** What a pool is made of. */
export interface Options {
  readonly provider: string
  /** 1 to 100 keys in order of preference, each printable ASCII without spaces, none twice. */
  readonly keys: ReadonlyArray<Redacted.Redacted<string>>
  /** What a 401, a 403 and a 429 do to a key. Default `KeyFailurePolicy.strict`. */
  readonly keyFailurePolicy?: KeyFailurePolicy
  /** The rest after a rate limit that names no usable time, n-th delay for the n-th in a row. Default always 60 s. */
  readonly cooldown?: CooldownSchedule
  /** After these delays one request at a time tries a permanent key again. Default: never. */
  readonly recheck?: CooldownSchedule
  /** The masked form of a key, for logs and records. Default `Credential.hint`. */
  readonly hint?: (key: string) => string
}

/** Fails with `InvalidKeys` if there is no key, too many, one twice, or one that no header could carry. */
export const make = Effect.fn("KeyPool.make")(function* (options: Options): Effect.fn.Return<KeyPool, InvalidKeys> {
  const provider = options.provider
  const refused = refusal(options.keys.map(Redacted.value))
  if (refused !== undefined) return yield* new InvalidKeys({ provider, reason: refused })

  const toHint = options.hint ?? hint
  const keys = options.keys.map((value, index): Key => {
    return { index, value, hint: toHint(Redacted.value(value)), isProbe: false }
  })
  const slots = keys.map(() => new KeySlot(options))
  const slotOf = (key: Key): KeySlot => {
    const slot = slots[key.index]
    if (slot === undefined) throw new Error(`key ${key.index} is not of pool ${provider}`)
    return slot
  }

  const pool: KeyPool = {
    provider,
    kind: "centralized",
    keys,
    keyFailurePolicy: options.keyFailurePolicy ?? FailurePolicy.strict,
    isRechecked: options.recheck !== undefined,
    walker: () => Walker.make(provider, keys, slots),
    states: Effect.clockWith((clock) => {
      const now = clock.currentTimeMillisUnsafe()
      return Effect.succeed(slots.map((slot) => slot.state(now)))
    }),
    statuses: Effect.clockWith((clock) => {
      const now = clock.currentTimeMillisUnsafe()
      return Effect.succeed(slots.map((slot) => slot.status(now)))
    }),
    markTemporary: (key, cooldown, why) =>
      Effect.clockWith((clock) => {
        const slot = slotOf(key)
        if (!slot.listensTo(key)) return Effect.undefined
        if (slot.permanent) slot.revive()
        slot.why = why
        return cooldown !== undefined && Duration.isPositive(cooldown)
          ? Effect.succeed(slot.restFor(cooldown, clock.currentTimeMillisUnsafe()))
          : slot.restAsScheduled
      }),
    markPermanent: (key, why) =>
      Effect.suspend(() => {
        const slot = slotOf(key)
        return slot.listensTo(key) ? Effect.as(slot.armRecheck, slot.setAside(why)) : Effect.succeed(false)
      }),
    markValid: (key) => {
      const slot = slotOf(key)
      if (slot.permanent) return slot.listensTo(key) && slot.revive()
      slot.beginRow()
      return false
    },
    releaseProbe: (key) =>
      Effect.suspend(() => {
        const slot = slotOf(key)
        return slot.permanent && slot.listensTo(key) ? slot.armRecheck : Effect.void
      }),
    reset: (key) =>
      Effect.clockWith((clock) => {
        const slot = slotOf(key)
        const changed = slot.state(clock.currentTimeMillisUnsafe())._tag !== "Valid"
        slot.revive()
        return Effect.succeed(changed)
      }),
    disable: (key) =>
      Effect.sync(() => {
        const slot = slotOf(key)
        const isDisabled = slot.permanent && slot.why?._tag === "Operator"
        slot.setAside({ _tag: "Operator" })
        return !isDisabled
      })
  }
  internals.set(pool, { slots, options })
  return pool
})

// Known only here, so that nobody else changes a key's state.
const internals = new WeakMap<KeyPool, { readonly slots: Array<KeySlot>; readonly options: Options }>()

/**
 * A new pool takes the place of another one: a key that is in both keeps its state, and what requests under way learn of it, with
 * either pool, holds for both. The new pool's schedules hold from now on. To be called before the new pool is used.
 *
 * @param isSamePlace whether both are for the same upstream: of keys for another one, only what an operator has said is kept
 */
export const follow = Effect.fn("KeyPool.follow")(function* (newer: KeyPool, older: KeyPool, isSamePlace = true) {
  const from = internals.get(older)
  const to = internals.get(newer)
  if (from === undefined || to === undefined || from === to) return
  for (const key of newer.keys) {
    const known = older.keys.find(({ value }) => Redacted.value(value) === Redacted.value(key.value))
    const slot = known && from.slots[known.index]
    if (slot === undefined) continue
    if (isSamePlace) {
      to.slots[key.index] = slot
      yield* slot.reschedule(to.options)
    } else if (slot.permanent && slot.why?._tag === "Operator") yield* newer.disable(key)
  }
})

/** The caller's own credential as a pool of one whose marks do nothing, so that nothing else needs a branch for it. */
export const byok = (provider: string, secret: string): KeyPool => {
  const key: Key = { index: 0, value: Redacted.make(secret), hint: hint(secret), isProbe: false }
  return {
    provider,
    kind: "byok",
    keys: [key],
    keyFailurePolicy: FailurePolicy.none,
    isRechecked: false,
    walker: () => {
      let attempts = 0
      return {
        next: Effect.suspend(() => {
          if (attempts > 0) return Effect.fail(PoolError.transient(provider, Duration.zero))
          attempts++
          return Effect.succeed(key)
        }),
        attempts: () => attempts
      }
    },
    states: Effect.succeed([State.valid]),
    statuses: Effect.succeed([{ state: State.valid, why: undefined, recheckAt: undefined }]),
    markTemporary: () => Effect.undefined,
    markPermanent: () => Effect.succeed(false),
    markValid: () => false,
    releaseProbe: () => Effect.void,
    reset: () => Effect.succeed(false),
    disable: () => Effect.succeed(false)
  }
}
