/** Log lines about what cannot be written: few, however many requests there are. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/** Said once, and not again before a dump was written completely, nor within a minute. */
export class Complaints {
  private readonly facts: Readonly<Record<string, unknown>>
  private isSaid = false
  private saidAt = Number.NEGATIVE_INFINITY

  /** @param facts about what is written, for the log */
  constructor(facts: Readonly<Record<string, unknown>>) {
    this.facts = facts
  }

  /** @param code the system's short one, such as `ENOSPC` */
  say(message: string, code?: string): Effect.Effect<void> {
    return Effect.clockWith((clock) => {
      const now = clock.currentTimeMillisUnsafe()
      if (this.isSaid || now - this.saidAt < quietTime) return Effect.void
      this.isSaid = true
      this.saidAt = now
      return Effect.annotateLogs(Effect.logWarning(message), { ...this.facts, ...(code !== undefined && { code }) })
    })
  }

  /** A dump was written completely. */
  readonly worksAgain = Effect.sync(() => {
    this.isSaid = false
  })
}

const quietTime = Duration.toMillis("1 minute")
