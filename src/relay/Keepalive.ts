/** Watches a stream for silence, so that the dialect's keep-alive event is sent in time. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** One stream's silence. One sleeping fiber watches it; bytes only set a number. */
export class Keepalive {
  private readonly clock: Clock.Clock
  private quietSince: number
  private waiting = false
  private due = false

  constructor(clock: Clock.Clock) {
    this.clock = clock
    this.quietSince = clock.currentTimeMillisUnsafe()
  }

  /** The client waits for bytes. */
  wait(): void {
    this.waiting = true
  }

  /** Bytes go to the client. */
  sent(): void {
    this.waiting = false
    this.quietSince = this.clock.currentTimeMillisUnsafe()
  }

  /** Whether the silence has lasted long enough for an event, once each time. */
  takeDue(): boolean {
    const due = this.due
    this.due = false
    return due
  }

  /**
   * Calls `nudge` after each interval of silence in which the client waited, as long as the scope is open. A client that does
   * not take what there is for it gets no events on top.
   */
  watch(interval: Duration.Duration, nudge: () => void, scope: Scope.Scope): Effect.Effect<void> {
    const millis = Duration.toMillis(interval)
    const check = Effect.suspend(() => {
      const now = this.clock.currentTimeMillisUnsafe()
      const quiet = now - this.quietSince
      if (quiet < millis) return Effect.sleep(millis - quiet)
      this.quietSince = now
      if (this.waiting) {
        this.due = true
        nudge()
      }
      return Effect.sleep(millis)
    })
    return Effect.asVoid(Effect.forkIn(Effect.forever(check), scope))
  }
}

/** A watch that begins now. */
export const make: Effect.Effect<Keepalive> = Effect.clockWith((clock) => Effect.sync(() => new Keepalive(clock)))
