import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"
import * as FailurePolicy from "../../src/keys/KeyFailurePolicy.ts"
import type { Key } from "../../src/keys/Key.ts"
import type { KeyPool } from "../../src/keys/KeyPool.ts"
import * as MarkKeyOnStatus from "../../src/upstream/MarkKeyOnStatus.ts"
import * as Redacted from "effect/Redacted"
import * as TestPool from "./TestPool.ts"

interface Line {
  readonly level: string
  readonly message: unknown
  readonly annotations: Record<string, unknown>
}

/** Marks the key for the statuses, one after the other or all at once, and answers the log lines of that. */
const linesOf = Effect.fnUntraced(function* (
  pool: KeyPool,
  key: Key,
  statuses: ReadonlyArray<number>,
  options: { readonly retryAfter?: string; readonly concurrency?: "unbounded" } = {}
) {
  const lines: Array<Line> = []
  const recorder = Logger.map(Logger.formatStructured, ({ level, message, annotations }) => {
    lines.push({ level, message, annotations })
  })
  const headers = options.retryAfter === undefined ? {} : { "retry-after": options.retryAfter }
  yield* Effect.forEach(statuses, (status) => MarkKeyOnStatus.mark(pool, key, { status, headers }), {
    concurrency: options.concurrency ?? 1
  }).pipe(Effect.provide(Logger.layer([recorder])))
  return lines
})

const messages = (lines: ReadonlyArray<Line>) => lines.map((line) => String(line.message).split(";")[0])

describe("The log line of a mark", () => {
  it.effect.each([
    { retryAfter: "5", cooldown: "5s" },
    { retryAfter: "1.5", cooldown: "1s 500ms" },
    { retryAfter: "none", cooldown: "1m" }
  ])("tells at INFO that a key rests for $cooldown", ({ retryAfter, cooldown }) =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* TestClock.adjust("1 hour")

      const lines = yield* linesOf(pool, key, [429], { retryAfter })

      assert.deepStrictEqual(lines, [
        {
          level: "INFO",
          message: "key marked temporary",
          annotations: { provider: "anthropic", api_key_hint: key.hint, status: 429, cooldown }
        }
      ])
    })
  )

  it.effect.each([401, 403])("tells at WARN that a key was refused with %d, and how to get it back", (status) =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()

      const lines = yield* linesOf(pool, key, [status], { retryAfter: "5" })

      assert.deepStrictEqual(
        lines.map(({ level, annotations }) => ({ level, annotations })),
        [{ level: "WARN", annotations: { provider: "anthropic", api_key_hint: key.hint, status } }]
      )
      for (const part of [
        /^key marked permanent/,
        /"aibridge keys reset anthropic sk-t\.\.\.-0kk"/,
        /working key/,
        /recheck/
      ]) {
        assert.match(lines.map((line) => line.message).join(), part)
      }
    })
  )

  it.effect("names a key by its place where another one looks alike", () =>
    Effect.gen(function* () {
      const alike = ["sk-test-a-NEVER-SHOWN-0kk", "sk-test-b-NEVER-SHOWN-0kk"].map((each) => Redacted.make(each))
      const pool = yield* TestPool.make(0, { keys: alike })

      const lines = yield* linesOf(pool, TestPool.keyAt(pool, 1), [401])

      assert.include(lines.map((line) => line.message).join(), `"aibridge keys reset anthropic 1"`)
    })
  )

  it.effect("tells at INFO that a 401 rests the key under the lenient policy", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single({ keyFailurePolicy: FailurePolicy.lenient })

      const lines = yield* linesOf(pool, key, [401, 403])

      assert.deepStrictEqual(messages(lines), ["key marked temporary"])
      assert.deepInclude(lines[0], { level: "INFO" })
    })
  )

  it.effect("tells at INFO that a probe brought a key back", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single({ recheck: Schedule.spaced(0) })
      yield* pool.markPermanent(key)

      const lines = yield* linesOf(pool, yield* pool.walker().next, [200, 200])

      assert.deepStrictEqual(lines, [
        {
          level: "INFO",
          message: "key recovered",
          annotations: { provider: "anthropic", api_key_hint: key.hint, status: 200 }
        }
      ])
    })
  )

  it.effect.each([
    { behaviour: "comes once for two rate limits in one rest", statuses: [429, 429], told: ["key marked temporary"] },
    { behaviour: "comes once for two refusals", statuses: [401, 403], told: ["key marked permanent"] },
    {
      behaviour: "comes again when a resting key is refused",
      statuses: [429, 401],
      told: ["key marked temporary", "key marked permanent"]
    },
    {
      behaviour: "does not come for a rate limit of a refused key",
      statuses: [401, 429],
      told: ["key marked permanent"]
    },
    { behaviour: "does not come for answers that are not about the key", statuses: [200, 400, 500, 503, 529], told: [] }
  ])("$behaviour", ({ statuses, told }) =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()

      assert.deepStrictEqual(messages(yield* linesOf(pool, key, statuses)), told)
    })
  )

  it.effect("does not come when a longer Retry-After extends a rest", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* linesOf(pool, key, [429], { retryAfter: "5" })

      assert.deepStrictEqual(yield* linesOf(pool, key, [429], { retryAfter: "50" }), [])
    })
  )

  it.effect("comes again for a rate limit after the rest", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()
      yield* linesOf(pool, key, [429], { retryAfter: "5" })
      yield* TestClock.adjust("5 seconds")

      assert.lengthOf(yield* linesOf(pool, key, [429]), 1)
    })
  )

  it.effect.each([429, 401])("comes once for 200 concurrent answers of %d", (status) =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()

      const statuses = Array.from({ length: 200 }, () => status)

      assert.lengthOf(yield* linesOf(pool, key, statuses, { concurrency: "unbounded" }), 1)
    })
  )

  it.effect("comes when a probe meets a rate limit though a rest from before the refusal still runs", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single({ recheck: Schedule.spaced(0) })
      yield* linesOf(pool, key, [429, 401])

      const lines = yield* linesOf(pool, yield* pool.walker().next, [429])

      assert.deepStrictEqual(messages(lines), ["key marked temporary"])
    })
  )

  it.effect("never shows the key", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single({ recheck: Schedule.spaced(0) })

      const lines = [
        ...(yield* linesOf(pool, key, [429, 401])),
        ...(yield* linesOf(pool, yield* pool.walker().next, [200]))
      ]

      assert.lengthOf(lines, 3)
      for (const text of [JSON.stringify(lines), inspect(lines, { depth: 10 })]) assert.notInclude(text, "NEVER-SHOWN")
    })
  )
})
