/** A bounded queue in memory before whatever writes events: no request ever waits for it. */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import type { RecordEvent } from "../domain/RecordEvent.ts"
import * as EventQueue from "./EventQueue.ts"
import type { Recorder } from "./Recorder.ts"
import * as RecordMetrics from "./RecordMetrics.ts"
import { within } from "./Within.ts"

export interface Options<E> {
  /**
   * Writes a batch, all of it or nothing. The same events come again if it has failed, or if it was interrupted, with or
   * without others.
   */
  readonly write: (batch: ReadonlyArray<RecordEvent>) => Effect.Effect<void, E>
  /** So many events wait at most; more are dropped. Default 10,000. */
  readonly capacity?: number | undefined
  /** So much of prompts, arguments and thoughts waits at most, in UTF-16 units; more is dropped. Default 64 Mi. */
  readonly textCapacity?: number | undefined
  /** What is said of a failure in the log. Must hold no secret. Default: nothing. */
  readonly describe?: ((cause: Cause.Cause<E>) => string) | undefined
}

/** At most so many events are written at once. Large batches cost half of small ones: their rows share the pages that are written. */
export const batchSize = 2000

/** A batch that is not full is written after this time. */
export const batchInterval = Duration.millis(200)

/** How long the writer may take for what is left when the recorder ends. */
export const flushLimit = Duration.seconds(5)

// After the n-th failure in a row: 1, 2, 4 ... 30 seconds.
const delayAfter = (failures: number): Duration.Duration => Duration.seconds(Math.min(2 ** (failures - 1), 30))

// At most one line in this time, in milliseconds.
const dropLineInterval = 10_000

const flushRetry = Duration.millis(250)

/**
 * Writes in the background as long as the scope is open, then what is left, for 5 seconds at most. A writer that fails is
 * tried again after 1 second, then after growing times up to 30, while the queue keeps; the log says when it begins to fail
 * and when it works again. When the queue is full, events are dropped, and the log says how many; those that end an
 * interception are the last.
 */
export const make = <E>(options: Options<E>): Effect.Effect<Recorder["Service"], never, Scope.Scope> =>
  Effect.gen(function* () {
    const { capacity = 10_000 } = options
    // A queue that holds less than a batch is not waited with until it is full.
    const enough = Math.min(batchSize, Math.ceil(capacity / 2))
    const queue = EventQueue.make({
      capacity,
      textCapacity: options.textCapacity ?? 64 << 20
    })
    const some = Latch.makeUnsafe(false)
    const many = Latch.makeUnsafe(false)
    let closed = false
    let dropped = 0
    let failures = 0
    let failingSince = 0
    let toldDropped = -Infinity

    const drop = (count: number) =>
      Effect.suspend(() => {
        dropped += count
        return RecordMetrics.countDropped(count)
      })

    const taken = Effect.succeed(true)
    const record = (event: RecordEvent): Effect.Effect<boolean> =>
      Effect.suspend(() => {
        const outcome = closed ? "refused" : queue.offer(event)
        if (outcome === "refused") return Effect.as(drop(1), false)
        some.openUnsafe()
        if (queue.size() >= enough) many.openUnsafe()
        return outcome === "taken" ? taken : Effect.as(drop(1), true)
      })

    const failed = (cause: Cause.Cause<E>) =>
      Effect.gen(function* () {
        failures++
        yield* RecordMetrics.countFailure
        if (failures > 1) return
        failingSince = yield* Clock.currentTimeMillis
        yield* Effect.annotateLogs(Effect.logWarning("records cannot be written: they are kept until they can"), {
          ...(options.describe !== undefined && { reason: options.describe(cause) }),
          queued: queue.size()
        })
      })

    const succeeded = Effect.gen(function* () {
      if (failures === 0) return
      failures = 0
      const now = yield* Clock.currentTimeMillis
      yield* Effect.annotateLogs(Effect.logInfo("records are written again"), {
        after: Duration.format(Duration.millis(now - failingSince)),
        queued: queue.size()
      })
    })

    const tellDropped = Effect.gen(function* () {
      if (dropped === 0) return
      const now = yield* Clock.currentTimeMillis
      if (now - toldDropped < dropLineInterval) return
      toldDropped = now
      yield* Effect.annotateLogs(Effect.logWarning("records were dropped: the queue is full"), { dropped })
      dropped = 0
    })

    // Whether it was written. What is written stays in the queue until it is, so that the bound holds for it, too.
    const writeBatch: Effect.Effect<boolean> = Effect.suspend(() => {
      const batch = queue.hold(batchSize)
      return Effect.flatMap(Effect.exit(options.write(batch)), (exit) => {
        if (Exit.isFailure(exit)) {
          queue.letGo()
          return Effect.as(Effect.andThen(RecordMetrics.setQueued(queue.size()), failed(exit.cause)), false)
        }
        queue.remove()
        if (queue.size() < enough) many.closeUnsafe()
        if (queue.size() === 0) some.closeUnsafe()
        return Effect.as(Effect.andThen(RecordMetrics.setQueued(queue.size()), succeeded), true)
      })
    }).pipe(Effect.onInterrupt(() => Effect.sync(() => queue.letGo())))

    const background = Effect.gen(function* () {
      yield* some.await
      yield* Effect.timeoutOption(many.await, batchInterval)
      const isWritten = yield* writeBatch
      yield* tellDropped
      if (!isWritten) yield* Effect.sleep(delayAfter(failures))
    })

    const flush = Effect.gen(function* () {
      while (queue.size() > 0) {
        if (!(yield* writeBatch)) yield* Effect.sleep(flushRetry)
      }
    })

    const tellLost = Effect.suspend(() => {
      const lost = queue.size()
      if (lost === 0) return Effect.void
      return Effect.andThen(
        drop(lost),
        Effect.annotateLogs(Effect.logError("records are lost: they could not be written before the end"), { lost })
      )
    })

    const end = (fiber: Fiber.Fiber<unknown>) =>
      Effect.suspend(() => {
        closed = true
        const left = Effect.andThen(Fiber.interrupt(fiber), flush)
        return Effect.andThen(within(flushLimit)(left), tellLost)
      })

    // Not a child of the scope, which would wait for a writer that hangs.
    yield* Effect.acquireRelease(Effect.forkDetach(Effect.interruptible(Effect.forever(background))), end)

    return { record, keeps: true, isUsable: () => !closed && queue.hasRoom() }
  })
