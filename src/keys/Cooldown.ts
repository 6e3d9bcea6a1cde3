/** How long a key rests when nobody says how long: the delays of a `Schedule`, one after the other. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"

/** The n-th delay in a row is the schedule's n-th. */
export type CooldownSchedule = Schedule.Schedule<unknown, unknown>

/** Always 60 seconds. */
export const defaultSchedule: CooldownSchedule = Schedule.spaced("60 seconds")

export interface Cooldown {
  /** The next delay in the row; `undefined` once the schedule has ended. */
  readonly next: Effect.Effect<Duration.Duration | undefined>
  /** Begins a new row. Costs nothing when none has begun. */
  readonly reset: () => void
  /** How many delays of the present row were taken. */
  readonly taken: () => number
}

type Step = (now: number, input: unknown) => Pull.Pull<[unknown, Duration.Duration], never, unknown>

/** @param begun how many delays of a row were taken already, of another schedule */
export const make = (schedule: CooldownSchedule, begun = 0): Cooldown => {
  let row: Step | undefined
  let taken = begun
  const step = Effect.fnUntraced(function* (current: Step) {
    const now = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
    return yield* current(now, undefined).pipe(
      Effect.map(([, delay]) => delay),
      Pull.catchDone(() => Effect.succeed(undefined))
    )
  })
  return {
    next: Effect.gen(function* () {
      if (row === undefined) {
        row = yield* Schedule.toStep(schedule)
        for (let skipped = 0; skipped < taken; skipped++) yield* step(row)
      }
      taken++
      return yield* step(row)
    }),
    reset: () => {
      row = undefined
      taken = 0
    },
    taken: () => taken
  }
}
