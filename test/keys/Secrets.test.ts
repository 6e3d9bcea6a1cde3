import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { inspect } from "node:util"
import * as TestPool from "./TestPool.ts"

const shown = (value: unknown): ReadonlyArray<string> => [
  String(value),
  JSON.stringify(value),
  inspect(value, { depth: 10, showHidden: true })
]

const assertSecretless = (value: unknown): void => {
  for (const text of shown(value)) assert.notInclude(text, "NEVER-SHOWN")
}

describe("The secrets of a pool", () => {
  it("would be found if they were shown", () => {
    for (const text of shown([TestPool.secret(0)])) assert.include(text, "NEVER-SHOWN")
  })

  it.effect("are in no printed form of the pool, its keys, its walkers and its states", () =>
    Effect.gen(function* () {
      const pool = yield* TestPool.make(3)
      const walker = pool.walker()
      const key = yield* walker.next

      for (const value of [pool, pool.keys, key, { ...key }, walker, yield* pool.states]) assertSecretless(value)
      assert.include(inspect(key), key.hint)
    })
  )

  it.effect("are in no printed form of a probe", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single({ recheck: Schedule.spaced(0) })
      yield* pool.markPermanent(key)

      const probe = yield* pool.walker().next

      assert.isTrue(probe.isProbe)
      assertSecretless(probe)
    })
  )

  it.effect("are in no printed form of an exhaustion, transient or permanent", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* pool.markTemporary(key)
      const transient = yield* Effect.flip(pool.walker().next)
      yield* pool.markPermanent(key)
      const permanent = yield* Effect.flip(pool.walker().next)

      for (const error of [transient, permanent]) {
        assertSecretless(error)
        assertSecretless(error.stack)
        assertSecretless(Cause.pretty(Cause.fail(error)))
      }
    })
  )
})
