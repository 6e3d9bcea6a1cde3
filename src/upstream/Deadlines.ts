/**
 * One limit of time for whatever is under way. However much that is, one fiber watches it, because what has begun first is over
 * first: beginning and ending something is an entry in a set.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { Provider } from "../providers/Provider.ts"

export interface Deadlines {
  /** Something begins. It is under way until its scope closes, or its time is over. */
  readonly begin: Effect.Effect<Deadline, never, Scope.Scope>
  /** How much is under way. */
  readonly size: () => number
}

/** When the time of one thing is over. */
export interface Deadline {
  /** Calls `stop` then, at once if it is over, unless what this answers was called before. Only the last `stop` is called. */
  readonly onOver: (stop: () => void) => () => void
}

/** Watches as long as its scope is open. Without end if the limit is infinite: then nothing is kept. */
export const make = Effect.fnUntraced(function* (
  limit: Duration.Duration
): Effect.fn.Return<Deadlines, never, Scope.Scope> {
  if (!Duration.isFinite(limit)) return endless
  const clock = yield* Clock.Clock
  const millis = Duration.toMillis(limit)
  const underWay = new Set<Entry>()
  let wake: (() => void) | undefined

  const nothing = Effect.callback<void>((resume) => {
    wake = () => {
      wake = undefined
      resume(Effect.void)
    }
  })
  const check = Effect.suspend(() => {
    const now = millisOf(clock)
    for (const entry of underWay) {
      const left = entry.since + millis - now
      if (left > 0) return Effect.sleep(Math.ceil(left))
      underWay.delete(entry)
      entry.end()
    }
    return nothing
  })
  yield* Effect.forkScoped(Effect.forever(check), { startImmediately: true })

  return {
    begin: Effect.flatMap(Effect.scope, (scope) => {
      const entry = new Entry(millisOf(clock))
      const left = Effect.sync(() => void underWay.delete(entry))
      return Effect.map(Scope.addFinalizer(scope, left), () => {
        underWay.add(entry)
        wake?.()
        return entry
      })
    }),
    size: () => underWay.size
  }
})

/**
 * Each provider's own limit, else that of all. The same limit is watched once, from its first use on, as long as the scope here is
 * open: providers may be replaced.
 */
export const ofProviders = (
  ofAll: Duration.Duration
): Effect.Effect<(provider: Provider) => Deadlines["begin"], never, Scope.Scope> =>
  Effect.map(Effect.context<Scope.Scope>(), (context) => {
    const byLimit = new Map<number, Deadlines["begin"]>()
    return ({ totalTimeout: limit = ofAll }) => {
      const millis = Duration.toMillis(limit)
      const found = byLimit.get(millis)
      if (found !== undefined) return found
      // Who asks first is not who it is for: nothing of that request's context must live on in it.
      return Effect.flatMap(
        Effect.updateContext(make(limit), (): typeof context => context),
        ({ begin }) => {
          byLimit.set(millis, begin)
          return begin
        }
      )
    }
  })

const endless: Deadlines = { begin: Effect.succeed({ onOver: () => () => {} }), size: () => 0 }

class Entry implements Deadline {
  readonly since: number
  private isOver = false
  private stop: (() => void) | undefined

  constructor(since: number) {
    this.since = since
  }

  onOver(stop: () => void): () => void {
    if (this.isOver) stop()
    else this.stop = stop
    return () => {
      if (this.stop === stop) this.stop = undefined
    }
  }

  end(): void {
    this.isOver = true
    this.stop?.()
  }
}

// Of the time that passes: a wall clock that is set anew moves no deadline.
const millisOf = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1e6
