/** A limit of time for work that may not even let itself be interrupted, such as a commit on a connection that hangs. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/** `None` after this time: the work is told to stop then, but not waited for. */
export const within =
  (limit: Duration.Duration) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<Option.Option<A>, E, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.forkDetach(Effect.interruptible(work)), (fiber) => {
        const stop = Effect.sync(() => fiber.interruptUnsafe())
        return restore(Effect.timeoutOption(Effect.interruptible(Fiber.await(fiber)), limit)).pipe(
          Effect.onInterrupt(() => stop),
          Effect.flatMap(
            Option.match({
              onNone: () => Effect.as(stop, Option.none<A>()),
              onSome: (exit) => Effect.map(exit, Option.some)
            })
          )
        )
      })
    )
