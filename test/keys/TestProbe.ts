/** Pools with a refused key, and the wait for its probe. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import type { KeyPool } from "../../src/keys/KeyPool.ts"
import * as TestPool from "./TestPool.ts"

export const minutely = Schedule.spaced("1 minute")

/** A pool whose first key has just been refused. */
export const refused = Effect.fnUntraced(function* (
  recheck: Schedule.Schedule<unknown, unknown> | undefined,
  count = 1
) {
  const pool = yield* TestPool.make(count, recheck === undefined ? {} : { recheck })
  yield* pool.markPermanent(TestPool.keyAt(pool, 0))
  return { pool, key: TestPool.keyAt(pool, 0) }
})

/** The key that a new walk begins with; `undefined` if there is none. */
export const handedOut = (pool: KeyPool) => Effect.orElseSucceed(pool.walker().next, () => undefined)

/** One tick before the delay nothing comes; at the delay the probe does. */
export const probeAfter = Effect.fnUntraced(function* (pool: KeyPool, millis: number) {
  yield* TestClock.adjust(millis - 1)
  assert.isUndefined(yield* handedOut(pool))
  yield* TestClock.adjust(1)
  const probe = yield* pool.walker().next
  assert.isTrue(probe.isProbe)
  return probe
})
