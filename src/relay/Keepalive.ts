/** Keeps a silent stream open: after a time without bytes, a pull answers with the dialect's keep-alive event. */
import type * as Arr from "effect/Array"
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"

export interface Options {
  readonly event: Uint8Array
  /** How long the silence lasts before an event, and between two. */
  readonly interval: Duration.Duration
  /** Whether an event may be put here: the client is between two complete events. */
  readonly mayInsert: () => boolean
}

type BytesPull<E> = Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, E>

/**
 * Wraps a pull of bytes. The bytes are never delayed: a pull that has to wait goes on in a fiber of its own and is taken up
 * again after the event. One sleeping fiber per stream watches the time.
 */
export const wrap = <E>(pull: BytesPull<E>, options: Options, scope: Scope.Scope): Effect.Effect<BytesPull<E>> =>
  Effect.clockWith((clock) => {
    const interval = Duration.toMillis(options.interval)
    let quietSince = clock.currentTimeMillisUnsafe()
    let reading: Fiber.Fiber<Arr.NonEmptyReadonlyArray<Uint8Array>, E | Cause.Done> | undefined
    let answer: ((result: BytesPull<E>) => void) | undefined

    const take = (exit: Exit.Exit<Arr.NonEmptyReadonlyArray<Uint8Array>, E | Cause.Done>): BytesPull<E> => {
      reading = undefined
      quietSince = clock.currentTimeMillisUnsafe()
      return exit
    }
    const wait: BytesPull<E> = Effect.callback((resume) => {
      answer = resume
      return Effect.sync(() => {
        answer = undefined
      })
    })
    const respond = (result: BytesPull<E>): void => {
      const waiting = answer
      answer = undefined
      waiting?.(result)
    }
    const next: BytesPull<E> = Effect.suspend(() => {
      const earlier = reading?.pollUnsafe()
      if (earlier !== undefined) return take(earlier)
      if (reading !== undefined) return wait
      return Effect.flatMap(Effect.forkChild(pull, { startImmediately: true }), (fiber) => {
        const atOnce = fiber.pollUnsafe()
        if (atOnce !== undefined) return take(atOnce)
        reading = fiber
        fiber.addObserver((exit) => {
          if (answer !== undefined) respond(take(exit))
        })
        return wait
      })
    })
    const watch = Effect.suspend(() => {
      const quiet = clock.currentTimeMillisUnsafe() - quietSince
      if (quiet < interval) return Effect.sleep(interval - quiet)
      quietSince = clock.currentTimeMillisUnsafe()
      if (answer !== undefined && options.mayInsert()) respond(Effect.succeed([options.event]))
      return Effect.sleep(interval)
    })
    return Effect.as(Effect.forkIn(Effect.forever(watch), scope), next)
  })
