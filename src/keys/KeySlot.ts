/** What is known about one key, and the only code that changes it. Pools that follow one another share it. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Cooldown from "./Cooldown.ts"
import type { Key } from "./Key.ts"
import type { KeyState, KeyStatus, Marks, Why } from "./KeyState.ts"
import * as State from "./KeyState.ts"

export interface Options {
  readonly cooldown?: Cooldown.CooldownSchedule | undefined
  readonly recheck?: Cooldown.CooldownSchedule | undefined
}

export class KeySlot implements Marks {
  permanent = false
  cooldownUntil = 0
  /** Who has said last that the key is not valid. */
  why: Why | undefined
  private cooldown: Cooldown.Cooldown
  private recheck: Cooldown.Cooldown | undefined
  // The last delay of the present row: repeated while the key is still resting, and after the schedule's end.
  private lastDelay: Duration.Duration | undefined
  // One mark at a time may ask the cooldown schedule: asking may let other fibers run.
  private readonly turn = Semaphore.makeUnsafe(1)
  // The probe that is under way, and when the next one may go out (epoch milliseconds, Infinity if none is due).
  private probe: Key | undefined
  private probeAt = Infinity
  // Counts what was decided about it: what an earlier decision has led to, and comes later, is of no use any more.
  private decisions = 0

  constructor(options: Options) {
    this.cooldown = Cooldown.make(options.cooldown ?? Cooldown.defaultSchedule)
    this.recheck = options.recheck && Cooldown.make(options.recheck)
  }

  state(now: number): KeyState {
    return State.derive(this, now)
  }

  status(now: number): KeyStatus {
    const state = this.state(now)
    return {
      state,
      why: state._tag === "Valid" ? undefined : this.why,
      recheckAt: this.probeAt !== Infinity ? this.probeAt : undefined
    }
  }

  /** The key if it may be used now: a valid one, or a permanent one whose probe is due. */
  handOut(key: Key, now: number): Key | undefined {
    const state = this.state(now)
    if (state._tag === "Valid") return key
    if (state._tag === "Temporary" || this.probeAt > now) return undefined
    this.probeAt = Infinity
    this.probe = { ...key, isProbe: true }
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

  /** Sets the key aside, for good unless `armRecheck` follows. Answers whether it was not set aside before. */
  setAside(why: Why | undefined): boolean {
    const changed = !this.permanent
    this.permanent = true
    this.decisions++
    this.why = why
    this.probe = undefined
    this.probeAt = Infinity
    return changed
  }

  /** Ends the probe under way; the next one comes after the recheck's next delay. */
  readonly armRecheck: Effect.Effect<void> = Effect.uninterruptible(
    Effect.suspend(() => {
      this.probe = undefined
      this.probeAt = Infinity
      if (this.recheck === undefined) return Effect.void
      const decisions = this.decisions
      return Effect.flatMap(this.recheck.next, (delay) =>
        Effect.clockWith((clock) => {
          if (this.decisions !== decisions) return Effect.void
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
    this.decisions++
    this.cooldownUntil = 0
    this.probe = undefined
    this.probeAt = Infinity
    this.recheck?.reset()
    this.beginRow()
    return wasPermanent
  }

  /** Other schedules from now on: rows go on where they are, and so does what they have decided. */
  readonly reschedule = Effect.fnUntraced({ self: this }, function* (options: Options) {
    this.cooldown = Cooldown.make(options.cooldown ?? Cooldown.defaultSchedule, this.cooldown.taken())
    const wasRechecked = this.recheck !== undefined
    this.recheck = options.recheck && Cooldown.make(options.recheck, this.recheck?.taken())
    if (this.recheck === undefined) this.probeAt = Infinity
    else if (!wasRechecked && this.permanent && this.why?._tag !== "Operator") yield* this.armRecheck
  })
}

// For a schedule that names no positive delay at all.
const fallbackDelay = Duration.seconds(60)
