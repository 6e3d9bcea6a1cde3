/** Interceptions whose process has ended without a word, and processes that only seemed to. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { SqlClient } from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import type { RecordEvent } from "../../src/domain/RecordEvent.ts"
import { Recorder } from "../../src/record/Recorder.ts"
import * as Migrations from "../../src/record/sql/Migrations.ts"
import * as SqlInterceptions from "../../src/record/sql/SqlInterceptions.ts"
import * as SqlWriter from "../../src/record/sql/SqlWriter.ts"
import * as Writers from "../../src/record/sql/Writers.ts"
import * as Logs from "../gateway/Logs.ts"
import { ended, noon, started, tool } from "./Events.ts"
import * as TestDatabase from "./TestDatabase.ts"

/** A database with tables, and what there is to do with it. */
const withTables = <A, E>(place: TestDatabase.Place, use: (tools: Tools) => Effect.Effect<A, E>): Effect.Effect<A> =>
  TestDatabase.inDatabase(place, (sql) => {
    const tables = Migrations.tables(place.tablePrefix)
    const reader = SqlInterceptions.make(tables)
    const tools: Tools = {
      sql,
      tables,
      write: (writerId, events) => SqlWriter.make({ tables, recordContent: true, writerId }).write(sql, events),
      sweep: (now) => Writers.sweep(sql, tables, "own", now),
      end: (id) => Effect.map(reader.get(sql, id), (details) => details?.end),
      hasEnd: (id) => Effect.map(reader.get(sql, id), (details) => details?.end !== undefined),
      writers: Effect.map(
        sql<{ id: string; at: string | number }>`SELECT writer_id AS id, last_seen_at AS at
          FROM ${sql(tables.writers)} ORDER BY 1`,
        (rows) => rows.map(({ id, at }) => [id, Number(at)] as const)
      )
    }
    return Effect.andThen(Effect.provideService(Migrations.run(tables), SqlClient, sql), use(tools))
  })

interface Tools {
  readonly sql: SqlClient
  readonly tables: Migrations.Tables
  readonly write: (writerId: string, events: ReadonlyArray<RecordEvent>) => Effect.Effect<void, unknown>
  readonly sweep: (now: number) => Effect.Effect<number, unknown>
  readonly end: (id: string) => Effect.Effect<unknown, unknown>
  readonly hasEnd: (id: string) => Effect.Effect<boolean, unknown>
  readonly writers: Effect.Effect<ReadonlyArray<readonly [string, number]>, unknown>
}

const unknown = (at: number) => ({
  at,
  reason: "unknown",
  status: undefined,
  attempts: 0,
  credentialHint: undefined,
  usageQuality: "none",
  parentId: undefined
})

const minute = 60_000
const day = 24 * 60 * minute

/** Real work goes on while the virtual time stands. */
const eventually = <E>(condition: Effect.Effect<boolean, E>): Effect.Effect<void, E> =>
  Effect.gen(function* () {
    while (!(yield* condition)) yield* TestClock.withLive(Effect.sleep("10 millis"))
  })

describe.each(TestDatabase.places)("On $name", ({ place: newPlace }) => {
  it.effect("the interceptions of a writer that was not seen for more than a minute end with it", () =>
    Effect.gen(function* () {
      const place = yield* newPlace
      yield* TestClock.setTime(noon)

      const seen = yield* withTables(place, ({ write, sweep, end, writers }) =>
        Effect.gen(function* () {
          yield* write("gone", [
            started("open", { at: noon - 5 }),
            started("later", { at: noon + 7 }),
            started("over"),
            ended("over")
          ])
          const before = [yield* sweep(noon + minute), yield* end("open"), yield* writers]
          const after = [yield* sweep(noon + minute + 1), yield* end("open"), yield* end("later"), yield* writers]
          return { before, after, over: yield* end("over"), again: yield* sweep(noon + day) }
        })
      )

      assert.deepStrictEqual(seen.before, [0, undefined, [["gone", noon]]])
      assert.deepStrictEqual(seen.after, [
        2,
        { ...unknown(noon), rootId: "open" },
        { ...unknown(noon + 7), rootId: "later" },
        []
      ])
      assert.deepInclude(seen.over, { reason: "complete" })
      assert.strictEqual(seen.again, 0)
    })
  )

  it.effect("those without a known writer end a day after their start", () =>
    Effect.gen(function* () {
      const place = yield* newPlace

      const seen = yield* withTables(place, ({ sql, tables, write, sweep, end }) =>
        Effect.gen(function* () {
          yield* write("", [started("old", { at: noon })])
          yield* sql`DELETE FROM ${sql(tables.writers)}`
          return [yield* sweep(noon + day), yield* sweep(noon + day + 1), yield* end("old")]
        })
      )

      assert.deepStrictEqual(seen, [0, 1, { ...unknown(noon), rootId: "old" }])
    })
  )

  it.effect("a writer's own interceptions, and those of one that is seen, are left alone", () =>
    Effect.gen(function* () {
      const place = yield* newPlace
      yield* TestClock.setTime(noon)

      const seen = yield* withTables(place, ({ sql, tables, write, sweep, end }) =>
        Effect.gen(function* () {
          yield* write("own", [started("mine")])
          yield* write("other", [started("others")])
          yield* Writers.beat(sql, tables, "other", noon + day)
          return [yield* sweep(noon + day + minute), yield* end("mine"), yield* end("others")]
        })
      )

      assert.deepStrictEqual(seen, [0, undefined, undefined])
    })
  )

  it.effect("the real end of one that was only taken for gone replaces the other", () =>
    Effect.gen(function* () {
      const place = yield* newPlace
      yield* TestClock.setTime(noon)

      const seen = yield* withTables(place, ({ write, sweep, end, writers }) =>
        Effect.gen(function* () {
          yield* write("paused", [started("i1")])
          yield* sweep(noon + day)
          const taken = yield* end("i1")
          yield* write("paused", [ended("i1"), started("i2")])
          return { taken, end: yield* end("i1"), writers: yield* writers, again: yield* sweep(noon) }
        })
      )

      assert.deepInclude(seen.taken, { reason: "unknown" })
      assert.deepInclude(seen.end, { at: noon + 1000, reason: "complete", status: 200, usageQuality: "final" })
      assert.deepStrictEqual(seen.writers, [["paused", noon]])
      assert.strictEqual(seen.again, 0)
    })
  )

  it.effect("they are linked as others are", () =>
    Effect.gen(function* () {
      const place = yield* newPlace

      const seen = yield* withTables(place, ({ write, sweep, end }) =>
        Effect.gen(function* () {
          yield* write("gone", [
            started("root"),
            tool("root", "call_1"),
            ended("root"),
            started("orphan", { correlatingToolCallId: "call_1" }),
            tool("orphan", "call_2"),
            started("child", { correlatingToolCallId: "call_2" }),
            ended("child")
          ])
          yield* sweep(day)
          return [yield* end("orphan"), yield* end("child")]
        })
      )

      assert.deepInclude(seen[0], { reason: "unknown", parentId: "root", rootId: "root" })
      assert.deepInclude(seen[1], { parentId: "orphan", rootId: "root" })
    })
  )

  it.effect("several processes that look at once end each one once, however many there are", () =>
    Effect.gen(function* () {
      const place = yield* newPlace
      const many = Array.from({ length: 2500 }, (_, index) => started(`i${index}`, { at: noon }))
      yield* withTables(place, ({ write }) => write("gone", many))

      const process = withTables(place, ({ sweep }) => Effect.forEach([1, 2, 3], () => sweep(day)))
      const atOnce = yield* Effect.all([process, process, process], { concurrency: 3 })
      // One leaves what another is about to end.
      const counts = [...atOnce.flat(), ...(yield* process)]
      const writers = yield* withTables(place, (tools) => tools.writers)

      assert.strictEqual(
        counts.reduce((sum, count) => sum + count, 0),
        2500
      )
      assert.strictEqual(Math.max(...counts), 1000)
      assert.deepStrictEqual(writers, [])
    })
  )

  it.effect("a recorder is seen every 10 seconds, and ends those that are gone when it starts and every minute", () =>
    Effect.gen(function* () {
      const place = yield* newPlace
      yield* TestClock.setTime(noon)
      const lines: Array<Logs.Line> = []
      yield* withTables(place, ({ write }) =>
        Effect.gen(function* () {
          yield* write("first", [started("i1")])
          yield* TestClock.setTime(noon + minute + 1)
          yield* write("second", [started("i2"), started("i3")])
        })
      )

      yield* withTables(place, ({ sql, tables, hasEnd, writers }) =>
        Effect.gen(function* () {
          yield* Layer.build(TestDatabase.recorder(place, { retention: TestDatabase.ever }))
          const lastSeen = Effect.map(writers, (rows) => rows.find(([id]) => id !== "second")?.[1])
          const isSeen = (at: number) => Effect.map(lastSeen, (instant) => instant === at)
          yield* eventually(hasEnd("i1"))
          yield* eventually(isSeen(noon + minute + 1))
          for (let seconds = 10; seconds <= 60; seconds += 10) {
            yield* TestClock.adjust("10 seconds")
            yield* eventually(isSeen(noon + minute + 1 + seconds * 1000))
          }
          assert.isFalse(yield* hasEnd("i2"))
          yield* sql`UPDATE ${sql(tables.writers)} SET last_seen_at = ${noon} WHERE writer_id = 'second'`
          for (let seconds = 70; seconds < 120; seconds += 10) {
            yield* TestClock.adjust("10 seconds")
            yield* eventually(isSeen(noon + minute + 1 + seconds * 1000))
          }
          assert.isFalse(yield* hasEnd("i2"))
          yield* TestClock.adjust("10 seconds")
          yield* eventually(hasEnd("i2"))
          yield* eventually(Effect.sync(() => lines.length === 2))
        }).pipe(Effect.scoped, Effect.provide(Logs.into(lines)))
      )

      const message = "interceptions of a process that is gone have no known end"
      assert.deepStrictEqual(lines, [
        { level: "WARN", message, annotations: { interceptions: 1 } },
        { level: "WARN", message, annotations: { interceptions: 2 } }
      ])
    })
  )

  it.effect("a recorder that ends in order leaves nothing to look for, unless something has not ended", () =>
    Effect.gen(function* () {
      const place = yield* newPlace
      const after = (events: ReadonlyArray<RecordEvent>) =>
        Effect.gen(function* () {
          const scope = yield* Scope.make()
          const context = yield* Layer.buildWithScope(TestDatabase.recorder(place), scope)
          yield* Effect.forEach(events, Context.get(context, Recorder).record)
          yield* Scope.close(scope, Exit.void)
          return (yield* withTables(place, ({ writers }) => writers)).length
        })

      const inOrder = yield* after([started("i1", { at: 0 }), ended("i1")])
      const open = yield* after([started("i2", { at: 0 })])

      assert.deepStrictEqual([inOrder, open], [0, 1])
    })
  )
})
