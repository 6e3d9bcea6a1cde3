/** An ordered, immutable set of keys with derived state. Index 0 is the primary; the rest answer when it cannot. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { CredentialKind } from "../domain/Credential.ts"
import { hint } from "../domain/Credential.ts"
import * as Cooldown from "./Cooldown.ts"
import type { KeyFailurePolicy } from "./KeyFailurePolicy.ts"
import * as FailurePolicy from "./KeyFailurePolicy.ts"
import type { KeyPoolError } from "./KeyPoolError.ts"
import * as PoolError from "./KeyPoolError.ts"
import type { KeyState } from "./KeyState.ts"
import * as State from "./KeyState.ts"
import type { Walker } from "./Walker.ts"

/** One centralized credential. */
export interface Key {
  /** Its place in the pool, from 0. */
  readonly index: number
  readonly value: Redacted.Redacted<string>
  /** The masked form for logs and records. */
  readonly hint: string
  /** A permanent key that was handed out to see whether it works again (`recheck`). */
  readonly isProbe: boolean
}

export interface KeyPool {
  /** The name of the provider instance it belongs to. */
  readonly provider: string
  readonly kind: CredentialKind
  readonly keys: ReadonlyArray<Key>
  readonly failurePolicy: KeyFailurePolicy
  /** A new pass over the pool for one upstream call. */
  readonly walker: () => Walker
  /** The states of all keys, in order. */
  readonly states: Effect.Effect<ReadonlyArray<KeyState>>
  /**
   * Lets a key rest for `cooldown`, or without one (or with one that is not positive) for the next delay of the pool's
   * cooldown schedule. The later of two deadlines wins. No effect on a permanent key, unless it was handed out as a probe.
   * Answers the deadline (epoch milliseconds) if a usable key became a resting one.
   */
  readonly markTemporary: (key: Key, cooldown?: Duration.Duration) => Effect.Effect<number | undefined>
  /** Sets a key aside. Answers whether it was not set aside before. */
  readonly markPermanent: (key: Key) => Effect.Effect<boolean>
  /** The key served a request: ends its row of cooldowns. Answers whether it came back from permanent by a probe. */
  readonly markValid: (key: Key) => boolean
  /** A probe ended without saying anything about the key: the next one comes after the recheck's next delay. */
  readonly releaseProbe: (key: Key) => Effect.Effect<void>
  /** An operator's order: the key is usable from now on. Answers whether that changed anything. */
  readonly reset: (key: Key) => Effect.Effect<boolean>
}

export interface Options {
  readonly provider: string
  /** 1 to 100 keys in order of preference, each printable ASCII without spaces, none twice. */
  readonly keys: ReadonlyArray<Redacted.Redacted<string>>
  /** What a 401, a 403 and a 429 do to a key. Default `KeyFailurePolicy.strict`. */
  readonly failurePolicy?: KeyFailurePolicy
  /** The rest after a rate limit that names no usable time, n-th delay for the n-th in a row. Default always 60 s. */
  readonly cooldown?: Cooldown.CooldownSchedule
  /** After these delays one request at a time tries a permanent key again. Default: never. */
  readonly recheck?: Cooldown.CooldownSchedule
}

export class NoKeys extends Schema.TaggedClass<NoKeys>()("NoKeys", {}) {}

export class TooManyKeys extends Schema.TaggedClass<TooManyKeys>()("TooManyKeys", { count: Schema.Number }) {}

export class DuplicateKey extends Schema.TaggedClass<DuplicateKey>()("DuplicateKey", { index: Schema.Number }) {}

export class MalformedKey extends Schema.TaggedClass<MalformedKey>()("MalformedKey", { index: Schema.Number }) {}

/** A pool that cannot be made. Names the place of a bad key, never the key. */
export class InvalidKeys extends Schema.TaggedError<InvalidKeys>()("InvalidKeys", {
  provider: Schema.String,
  reason: Schema.Union([NoKeys, TooManyKeys, DuplicateKey, MalformedKey])
}) {
  override get message(): string {
    switch (this.reason._tag) {
      case "NoKeys":
        return "no keys provided"
      case "TooManyKeys":
        return `too many keys (${this.reason.count}), maximum is ${maximumKeys}`
      case "DuplicateKey":
        return `duplicate key at index ${this.reason.index}`
      case "MalformedKey":
        return `key at index ${this.reason.index} is empty or has a space, a line break or a character outside ASCII`
    }
  }
}

/** As decided for this product (the reference system takes 5). */
export const maximumKeys = 100

/** Fails with `InvalidKeys` if there is no key, too many, one twice, or one that no header could carry. */
export const make = Effect.fnUntraced(function* (options: Options): Effect.fn.Return<KeyPool, InvalidKeys> {
  const provider = options.provider
  const refused = refusal(options.keys.map(Redacted.value))
  if (refused !== undefined) return yield* new InvalidKeys({ provider, reason: refused })

  const slots = options.keys.map((value, index) => makeSlot(value, index, options))
  const slotOf = (key: Key): Slot => {
    const slot = slots[key.index]
    if (slot === undefined) throw new Error(`key ${key.index} is not of pool ${provider}`)
    return slot
  }
  const markPermanent = (key: Key): Effect.Effect<boolean> =>
    Effect.suspend(() => {
      const slot = slotOf(key)
      const changed = !slot.permanent
      if (!changed && !key.isProbe) return Effect.succeed(false)
      slot.permanent = true
      return Effect.as(armRecheck(slot), changed)
    })

  return {
    provider,
    kind: "centralized",
    keys: slots.map((slot) => slot.key),
    failurePolicy: options.failurePolicy ?? FailurePolicy.strict,
    walker: () => makeWalker(provider, slots),
    states: Effect.clockWith((clock) => {
      const now = clock.currentTimeMillisUnsafe()
      return Effect.succeed(slots.map((slot) => State.derive(slot, now)))
    }),
    markTemporary: Effect.fnUntraced(function* (key, cooldown) {
      const slot = slotOf(key)
      if (slot.permanent && !key.isProbe) return undefined
      if (key.isProbe) revive(slot)
      const clock = yield* Effect.clockWith(Effect.succeed)
      const wasResting = State.derive(slot, clock.currentTimeMillisUnsafe())._tag === "Temporary"
      const delay =
        cooldown !== undefined && Duration.isPositive(cooldown) ? cooldown : yield* scheduledCooldown(slot, wasResting)
      const deadline = clock.currentTimeMillisUnsafe() + Duration.toMillis(delay)
      if (slot.cooldownUntil <= deadline) slot.cooldownUntil = deadline
      return wasResting ? undefined : slot.cooldownUntil
    }),
    markPermanent,
    markValid: (key) => {
      const slot = slotOf(key)
      if (!slot.permanent) {
        slot.cooldown.reset()
        return false
      }
      return key.isProbe && revive(slot)
    },
    releaseProbe: (key) =>
      Effect.suspend(() => {
        const slot = slotOf(key)
        return key.isProbe && slot.permanent ? armRecheck(slot) : Effect.void
      }),
    reset: (key) =>
      Effect.clockWith((clock) => {
        const slot = slotOf(key)
        const changed = State.derive(slot, clock.currentTimeMillisUnsafe())._tag !== "Valid"
        slot.cooldownUntil = 0
        revive(slot)
        return Effect.succeed(changed)
      })
  }
})

/** The caller's own credential as a pool of one whose marks do nothing, so that nothing else needs a branch for it. */
export const byok = (provider: string, secret: string): KeyPool => {
  const key: Key = { index: 0, value: Redacted.make(secret), hint: hint(secret), isProbe: false }
  return {
    provider,
    kind: "byok",
    keys: [key],
    failurePolicy: FailurePolicy.none,
    walker: () => {
      let attempts = 0
      return {
        next: Effect.suspend(() =>
          attempts++ === 0 ? Effect.succeed(key) : Effect.fail(PoolError.transient(provider, Duration.zero))
        ),
        attempts: () => attempts
      }
    },
    states: Effect.succeed([State.valid]),
    markTemporary: () => Effect.undefined,
    markPermanent: () => Effect.succeed(false),
    markValid: () => false,
    releaseProbe: () => Effect.void,
    reset: () => Effect.succeed(false)
  }
}

// What is stored about one key; only this file changes it.
interface Slot extends State.Marks {
  readonly key: Key
  readonly probe: Key
  permanent: boolean
  cooldownUntil: number
  /** The last delay of the cooldown schedule: repeated while the key is still resting, and after the schedule's end. */
  lastDelay: Duration.Duration
  readonly cooldown: Cooldown.Cooldown
  readonly recheck: Cooldown.Cooldown | undefined
  /** When the next probe may go out, epoch milliseconds; `Infinity` while one is under way or none is due. */
  probeAt: number
}

const makeSlot = (value: Redacted.Redacted<string>, index: number, options: Options): Slot => {
  const key: Key = { index, value, hint: hint(Redacted.value(value)), isProbe: false }
  return {
    key,
    probe: { ...key, isProbe: true },
    permanent: false,
    cooldownUntil: 0,
    lastDelay: Duration.seconds(60),
    cooldown: Cooldown.make(options.cooldown ?? Cooldown.defaultSchedule),
    recheck: options.recheck && Cooldown.make(options.recheck),
    probeAt: Infinity
  }
}

const printable = /^[\x21-\x7e]+$/

const refusal = (keys: ReadonlyArray<string>): InvalidKeys["reason"] | undefined => {
  if (keys.length === 0) return new NoKeys({})
  if (keys.length > maximumKeys) return new TooManyKeys({ count: keys.length })
  const malformed = keys.findIndex((key) => !printable.test(key))
  if (malformed >= 0) return new MalformedKey({ index: malformed })
  const duplicate = keys.findIndex((key, index) => keys.indexOf(key) < index)
  return duplicate >= 0 ? new DuplicateKey({ index: duplicate }) : undefined
}

// Many requests see the same limit at once: only the one that puts the key to rest moves the row on.
const scheduledCooldown = (slot: Slot, wasResting: boolean): Effect.Effect<Duration.Duration> =>
  wasResting
    ? Effect.succeed(slot.lastDelay)
    : Effect.map(slot.cooldown.next, (delay) => {
        if (delay !== undefined && Duration.isPositive(delay)) slot.lastDelay = delay
        return slot.lastDelay
      })

const armRecheck = (slot: Slot): Effect.Effect<void> => {
  const recheck = slot.recheck
  if (recheck === undefined) return Effect.void
  slot.probeAt = Infinity
  return Effect.flatMap(recheck.next, (delay) =>
    Effect.clockWith((clock) => {
      slot.probeAt = delay === undefined ? Infinity : clock.currentTimeMillisUnsafe() + Duration.toMillis(delay)
      return Effect.void
    })
  )
}

const revive = (slot: Slot): boolean => {
  const changed = slot.permanent
  slot.permanent = false
  slot.probeAt = Infinity
  slot.recheck?.reset()
  slot.cooldown.reset()
  return changed
}

const makeWalker = (provider: string, slots: ReadonlyArray<Slot>): Walker => {
  let position = 0
  let attempts = 0
  return {
    next: Effect.clockWith((clock) => {
      const now = clock.currentTimeMillisUnsafe()
      while (position < slots.length) {
        const slot = slots[position++]
        if (slot === undefined) break
        const state = State.derive(slot, now)
        if (state._tag === "Valid") {
          attempts++
          return Effect.succeed(slot.key)
        }
        if (state._tag === "Permanent" && slot.probeAt <= now) {
          attempts++
          slot.probeAt = Infinity
          return Effect.succeed(slot.probe)
        }
      }
      return Effect.fail(exhaustion(provider, slots, now))
    }),
    attempts: () => attempts
  }
}

// Looks at all keys again: one that is valid by now means that trying again at once may work.
const exhaustion = (provider: string, slots: ReadonlyArray<Slot>, now: number): KeyPoolError => {
  const waits = slots.filter((slot) => !slot.permanent).map((slot) => Math.max(0, slot.cooldownUntil - now))
  return waits.length === 0
    ? PoolError.permanent(provider)
    : PoolError.transient(provider, Duration.millis(Math.min(...waits)))
}
