/** When the gateway stops: what is under way may finish, nothing new begins, and after a while what is left must end. */
import * as Context from "effect/Context"

export interface Drain {
  /** Whether it has begun: nothing new is accepted. */
  readonly isDraining: () => boolean
  /** Calls `stop` when time is up, at once if it is, unless what it answers was called before. */
  readonly onTimeUp: (stop: () => void) => () => void
}

/** What `Gateway.layer` asks. Default: it never stops by itself. */
export const Drain = Context.Reference<Drain>("effect-aibridge/inbound/Drain", {
  defaultValue: () => ({ isDraining: () => false, onTimeUp: () => () => {} })
})

/** One that whoever stops the gateway works. */
export interface DrainControl extends Drain {
  readonly begin: () => void
  readonly timeUp: () => void
}

export const make = (): DrainControl => {
  const stops = new Set<() => void>()
  let isDraining = false
  let isTimeUp = false
  return {
    isDraining: () => isDraining,
    onTimeUp: (stop) => {
      if (isTimeUp) stop()
      else stops.add(stop)
      return () => void stops.delete(stop)
    },
    begin: () => {
      isDraining = true
    },
    timeUp: () => {
      isDraining = true
      isTimeUp = true
      for (const stop of stops) stop()
    }
  }
}
