/** Databases of older versions, and what the indexes are for. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Statement from "effect/sql/Statement"
import { Interceptions } from "../../src/record/Interceptions.ts"
import type { Filter } from "../../src/record/Interceptions.ts"
import { Recorder } from "../../src/record/Recorder.ts"
import * as Migrations from "../../src/record/sql/Migrations.ts"
import * as Retention from "../../src/record/sql/Retention.ts"
import * as SqlInterceptions from "../../src/record/sql/SqlInterceptions.ts"
import * as SqliteClient from "../../src/record/sql/SqliteClient.ts"
import * as SqlWriter from "../../src/record/sql/SqlWriter.ts"
import * as Writers from "../../src/record/sql/Writers.ts"
import { ended, noon, started, tool } from "./Events.ts"
import * as FirstVersion from "./FirstVersion.ts"
import * as TestDatabase from "./TestDatabase.ts"

/** The tables and indexes after all migrations. */
const migrated = (place: TestDatabase.Place, before: Effect.Effect<void, unknown, SqlClient>) =>
  TestDatabase.inDatabase(place, (sql) =>
    Effect.gen(function* () {
      const tables = Migrations.tables(place.tablePrefix)
      yield* before
      yield* Migrations.run(tables)
      const shape = sql.onDialectOrElse({
        pg: () => sql<{ text: string }>`SELECT indexdef AS text FROM pg_indexes
          WHERE starts_with(tablename, ${place.tablePrefix}) ORDER BY indexname`,
        orElse: () => sql<{ text: string }>`SELECT sql AS text FROM sqlite_schema ORDER BY name`
      })
      return (yield* shape).map(({ text }) => text?.replaceAll(place.tablePrefix, ""))
    }).pipe(Effect.provideService(SqlClient, sql))
  )

describe.each(TestDatabase.places)("On $name a database of the first version", ({ place: newPlace }) => {
  it.live("keeps everything, and takes more", () =>
    Effect.gen(function* () {
      const place = yield* newPlace
      const { first, second } = FirstVersion
      yield* TestDatabase.inDatabase(place, (sql) =>
        Effect.provideService(FirstVersion.fill(Migrations.tables(place.tablePrefix)), SqlClient, sql)
      )
      const use = <A, E>(work: Effect.Effect<A, E, Recorder | Interceptions>) =>
        Effect.provide(work, TestDatabase.recorder(place, { retention: TestDatabase.ever }), { local: true })

      yield* use(
        Effect.gen(function* () {
          const { record } = yield* Recorder
          const events = [
            tool("open", "call_3"),
            ended("open"),
            started("new", { at: noon + 10_000, correlatingToolCallId: "call_2" }),
            ended("new")
          ]
          yield* Effect.forEach(events, record)
        })
      )
      const [details, other, open, added, page] = yield* use(
        Effect.gen(function* () {
          const { get, list } = yield* Interceptions
          return yield* Effect.all([get("first"), get("second"), get("open"), get("new"), list({})])
        })
      )

      const { _tag: _, id: __, ...end } = first.ended
      assert.deepInclude(details, {
        actor: first.started.actor,
        clientSessionId: "session-1",
        end: { ...end, parentId: undefined, rootId: "first" },
        attempts: first.attempts,
        prompts: first.prompts,
        tokens: first.tokens,
        tools: first.tools,
        thoughts: first.thoughts
      })
      assert.deepInclude(other, { startedAt: second.started.at, clientSessionId: undefined })
      assert.deepInclude(other?.end, { parentId: "first", rootId: "first" })
      assert.deepInclude(open, { tools: [tool("open", "call_3")] })
      assert.strictEqual(open?.end?.reason, "complete")
      assert.deepInclude(added?.end, { parentId: "first", rootId: "first" })
      assert.deepStrictEqual(
        page.interceptions.map(({ id }) => id),
        ["new", "open", "second", "first"]
      )
    })
  )

  it.live("is the same as a new one", () =>
    Effect.gen(function* () {
      const [old, fresh] = [yield* newPlace, yield* newPlace]
      const shapes = yield* Effect.all([
        migrated(old, Effect.asVoid(FirstVersion.fill(Migrations.tables(old.tablePrefix)))),
        migrated(fresh, Effect.void)
      ])

      assert.isAbove(shapes[1].length, 10)
      assert.deepStrictEqual(shapes[0], shapes[1])
    })
  )
})

describe("On SQLite", () => {
  const tables = Migrations.tables("aibridge_")
  const reader = SqlInterceptions.make(tables)
  const writer = SqlWriter.make({ tables, recordContent: true, writerId: "w1" })

  const list =
    (filter: Filter) =>
    (sql: SqlClient): Effect.Effect<unknown, unknown> =>
      reader.list(sql, filter, {})

  const uses: ReadonlyArray<{
    readonly name: string
    readonly use: (sql: SqlClient) => Effect.Effect<unknown, unknown>
    readonly index: string
  }> = [
    { name: "a list", use: list({}), index: "interceptions_by_started" },
    { name: "a list of an actor", use: list({ actor: "alice" }), index: "interceptions_by_actor" },
    { name: "a list of a client", use: list({ client: "Codex" }), index: "interceptions_by_client" },
    { name: "a list of a session", use: list({ session: "s" }), index: "interceptions_by_session" },
    { name: "a list of a model", use: list({ model: "gpt-5" }), index: "interceptions_by_model" },
    {
      name: "retention",
      use: (sql) => Retention.deleteOlderThan(tables, (work) => work(sql), noon),
      index: "interceptions_by_started"
    },
    {
      name: "the look for writers that are gone",
      use: (sql) => Writers.sweep(sql, tables, "own", noon),
      index: "interceptions_by_open"
    },
    {
      name: "the link to a parent",
      use: (sql) => writer.write(sql, [started("i1", { correlatingToolCallId: "c1" }), ended("i1")]),
      index: "tool_usages_by_call"
    },
    {
      name: "the link of those that ended before their parent",
      use: (sql) =>
        writer.write(sql, [
          started("i1"),
          tool("i1", "c1"),
          started("i2", { correlatingToolCallId: "c1" }),
          tool("i2", "c2"),
          ended("i2")
        ]),
      index: "interceptions_by_root"
    }
  ]

  it.effect.each(uses)("$name goes by the index $index", ({ use, index }) =>
    Effect.gen(function* () {
      const place = yield* TestDatabase.sqlitePlace
      const plans: Array<string> = []

      yield* TestDatabase.inDatabase(place, (sql) =>
        Effect.gen(function* () {
          yield* Effect.provideService(Migrations.run(tables), SqlClient, sql)
          yield* Effect.provideService(use(sql), Statement.CurrentTransformer, (statement) =>
            Effect.gen(function* () {
              const [text, parameters] = statement.compile()
              const values = parameters.filter((value) => !(value instanceof SqliteClient.EachRow))
              const explain = sql.unsafe<{ detail: string }>(`EXPLAIN QUERY PLAN ${text}`, values)
              const rows = yield* Effect.provideService(explain, Statement.CurrentTransformer, undefined)
              plans.push(...rows.map(({ detail }) => detail))
              return statement
            }).pipe(Effect.orDie)
          )
        })
      )

      assert.include(plans.join("\n"), `INDEX aibridge_${index}`)
      assert.notInclude(plans, "USE TEMP B-TREE FOR ORDER BY")
      assert.deepStrictEqual(
        plans.filter((plan) => /^SCAN (i|aibridge_interceptions)$/.test(plan)),
        []
      )
    })
  )
})
