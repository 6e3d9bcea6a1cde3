/** Pools with keys that are easy to search for, and the questions that tests ask of them. */
import { assert } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import type { Key } from "../../src/keys/Key.ts"
import * as KeyPool from "../../src/keys/KeyPool.ts"
import type { KeyPoolError } from "../../src/keys/KeyPoolError.ts"
import type { Walker } from "../../src/keys/Walker.ts"

/** The secret of the key at an index, 28 characters. */
export const secret = (index: number): string => `sk-test-${String(index).padStart(3, "0")}-NEVER-SHOWN-${index % 10}kk`

export const make = (count: number, options: Partial<KeyPool.Options> = {}) =>
  KeyPool.make({
    provider: "anthropic",
    keys: Array.from({ length: count }, (_, index) => Redacted.make(secret(index))),
    ...options
  }).pipe(Effect.orDie)

/** The key at an index, as a walker hands it out when it is valid. */
export const keyAt = (pool: KeyPool.KeyPool, index: number): Key => {
  const key = pool.keys[index]
  if (key === undefined) throw new Error(`the pool has no key ${index}`)
  return key
}

/** One key and its pool. */
export const single = (options: Partial<KeyPool.Options> = {}) =>
  Effect.map(make(1, options), (pool) => ({ pool, key: keyAt(pool, 0) }))

export const tags = (pool: KeyPool.KeyPool) => Effect.map(pool.states, (states) => states.map((state) => state._tag))

/** The state of a pool's only key. */
export const tag = (pool: KeyPool.KeyPool) => Effect.map(tags(pool), (all) => all.join())

/** `permanent`, or for a transient exhaustion the milliseconds until the soonest key is back. */
export const exhaustion = (error: KeyPoolError): "permanent" | number =>
  error.reason._tag === "PermanentExhaustion" ? "permanent" : Duration.toMillis(error.reason.retryAfter)

/** Walks to the end: the places of the keys in the order they came, and how the walk ended. */
export const drain = Effect.fnUntraced(function* (walker: Walker) {
  const indexes: Array<number> = []
  let step = yield* Effect.result(walker.next)
  while (Result.isSuccess(step)) {
    indexes.push(step.success.index)
    step = yield* Effect.result(walker.next)
  }
  return { indexes, exhaustion: exhaustion(step.failure) }
})

/** A key's place, and `permanent` or the milliseconds of a rest (`default`: none named). */
export type Mark = readonly [index: number, mark: "permanent" | "default" | number]

export const mark = (pool: KeyPool.KeyPool, [index, as]: Mark): Effect.Effect<unknown> => {
  const key = keyAt(pool, index)
  if (as === "permanent") return pool.markPermanent(key)
  return pool.markTemporary(key, as === "default" ? undefined : Duration.millis(as))
}

/** A walk over a pool of so many keys with these marks, some time after them. */
export interface Walk {
  readonly behaviour: string
  readonly keys: number
  readonly marks: ReadonlyArray<Mark>
  /** Milliseconds. Default 0. */
  readonly after?: number
  /** The keys that it hands out. */
  readonly indexes: ReadonlyArray<number>
  /** How it ends: for good, or for so many milliseconds. */
  readonly exhaustion: "permanent" | number
}

/** Walks and looks at what came of it. */
export const check = Effect.fnUntraced(function* ({ keys, marks, after, ...expected }: Omit<Walk, "behaviour">) {
  const pool = yield* make(keys)
  yield* Effect.forEach(marks, (each) => mark(pool, each))
  yield* TestClock.adjust(after ?? 0)

  const walk = yield* drain(pool.walker())

  assert.deepStrictEqual(walk, { indexes: expected.indexes, exhaustion: expected.exhaustion })
})
