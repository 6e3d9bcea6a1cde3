/** What a pool stores about one key, and the only code that changes it. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import { hint } from "../domain/Credential.ts"
import * as Cooldown from "./Cooldown.ts"
import type { Key } from "./Key.ts"
import type { KeyState, Marks } from "./KeyState.ts"
import * as State from "./KeyState.ts"

export interface Options {
  readonly cooldown?: Cooldown.CooldownSchedule | undefined
  readonly recheck?: Cooldown.CooldownSchedule | undefined
  readonly hint?: ((key: string) => string) | undefined
}

export class KeySlot implements Marks {
  readonly key: Key
  permanent = false
  cooldownUntil = 0
  private readonly cooldown: Cooldown.Cooldown
  private readonly recheck: Cooldown.Cooldown | undefined
  // The last delay of the present row: repeated while the key is still resting, and after the schedule's end.
  private lastDelay: Duration.Duration | undefined
  // One mark at a time may ask the cooldown schedule: asking may let other fibers run.
  private readonly turn = Semaphore.makeUnsafe(1)
  // The probe that is under way, and when the next one may go out (epoch milliseconds, Infinity if none is due).
  private probe: Key | undefined
  private probeAt = Infinity

  constructor(value: Redacted.Redacted<string>, index: number, options: Options) {
    const masked = (options.hint ?? hint)(Redacted.value(value))
    this.key = { index, value, hint: masked, isProbe: false }
    this.cooldown = Cooldown.make(options.cooldown ?? Cooldown.defaultSchedule)
    this.recheck = options.recheck && Cooldown.make(options.recheck)
  }

  state(now: number): KeyState {
    return State.derive(this, now)
  }

  /** The key if it may be used now: a valid one, or a permanent one whose probe is due. */
  handOut(now: number): Key | undefined {
    const state = this.state(now)
    if (state._tag === "Valid") return this.key
    if (state._tag === "Temporary" || this.probeAt > now) return undefined
    this.probeAt = Infinity
    this.probe = { ...this.key, isProbe: true }
    return this.probe
  }

  /** Whether to believe what was learned with a handed-out key: always of a key in use, only of its present probe once set aside. */
  listensTo(key: Key): boolean {
    return !this.permanent || key === this.probe
  }

  /** Rests for a time that was named. Answers the deadline if the key was usable. The later deadline wins. */
  restFor(delay: Duration.Duration, now: number): number | undefined {
    const wasUsable = this.state(now)._tag === "Valid"
    this.cooldownUntil = Math.max(this.cooldownUntil, now + Duration.toMillis(delay))
    return wasUsable ? this.cooldownUntil : undefined
  }

  /** Rests as the schedule says. Many requests see one limit at once: only the one that puts the key to rest moves the row on. */
  readonly restAsScheduled: Effect.Effect<number | undefined> = this.turn.withPermit(
    Effect.gen({ self: this }, function* () {
      const clock = yield* Effect.clockWith(Effect.succeed)
      const isResting = this.state(clock.currentTimeMillisUnsafe())._tag === "Temporary"
      if (this.lastDelay === undefined || !isResting) {
        const delay = yield* this.cooldown.next
        if (delay !== undefined && Duration.isPositive(delay)) this.lastDelay = delay
      }
      return this.restFor(this.lastDelay ?? fallbackDelay, clock.currentTimeMillisUnsafe())
    })
  )

  /** Ends the row of cooldowns. */
  beginRow(): void {
    this.cooldown.reset()
    this.lastDelay = undefined
  }

  /** Ends the probe under way; the next one comes after the recheck's next delay. */
  readonly armRecheck: Effect.Effect<void> = Effect.uninterruptible(
    Effect.suspend(() => {
      this.probe = undefined
      this.probeAt = Infinity
      if (this.recheck === undefined) return Effect.void
      return Effect.flatMap(this.recheck.next, (delay) =>
        Effect.clockWith((clock) => {
          this.probeAt = delay === undefined ? Infinity : clock.currentTimeMillisUnsafe() + Duration.toMillis(delay)
          return Effect.void
        })
      )
    })
  )

  /** Usable from now on, as if new. Answers whether it was set aside. */
  revive(): boolean {
    const wasPermanent = this.permanent
    this.permanent = false
    this.cooldownUntil = 0
    this.probe = undefined
    this.probeAt = Infinity
    this.recheck?.reset()
    this.beginRow()
    return wasPermanent
  }
}

// For a schedule that names no positive delay at all.
const fallbackDelay = Duration.seconds(60)
