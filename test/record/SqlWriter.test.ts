/** What the writer does with batches that come again: whether they were written is not always known. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Statement from "effect/sql/Statement"
import type { RecordEvent } from "../../src/domain/RecordEvent.ts"
import * as Migrations from "../../src/record/sql/Migrations.ts"
import * as SqlWriter from "../../src/record/sql/SqlWriter.ts"
import * as Events from "./Events.ts"
import * as TestDatabase from "./TestDatabase.ts"

const thread = (name: string, length: number) =>
  Array.from({ length }, (_, index) => [
    Events.started(`${name}${index}`, { correlatingToolCallId: `${name}_${index - 1}` }),
    Events.tool(`${name}${index}`, `${name}_${index}`),
    Events.ended(`${name}${index}`)
  ]).flat()

describe.each(TestDatabase.places)("On $name a batch", ({ place: newPlace }) => {
  it.live("that comes again with others is stored once", () =>
    Effect.gen(function* () {
      const place = yield* newPlace
      const tables = Migrations.tables(place.tablePrefix)
      const { write } = SqlWriter.make({ tables, recordContent: true, writerId: "w1" })
      const batch = [Events.started("one"), Events.attempt("one")]

      const rows = yield* TestDatabase.inDatabase(place, (sql) =>
        Effect.gen(function* () {
          yield* Effect.provideService(Migrations.run(tables), SqlClient, sql)
          yield* write(sql, batch)
          yield* write(sql, [...batch, Events.attempt("one", { number: 2 }), Events.started("two")])
          return {
            interceptions: yield* sql`SELECT id FROM ${sql(tables.interceptions)} ORDER BY id`.values,
            attempts: yield* sql`SELECT number FROM ${sql(tables.attempts)} ORDER BY number`.values
          }
        })
      )

      assert.deepStrictEqual(rows, { interceptions: [["one"], ["two"]], attempts: [[1], [2]] })
    })
  )

  it.live("takes as many statements for many that bring a tool's result as for two", () =>
    Effect.gen(function* () {
      const place = yield* newPlace
      const tables = Migrations.tables(place.tablePrefix)
      const { write } = SqlWriter.make({ tables, recordContent: true, writerId: "w1" })
      const counts = yield* TestDatabase.inDatabase(place, (sql) =>
        Effect.gen(function* () {
          yield* Effect.provideService(Migrations.run(tables), SqlClient, sql)
          const counted = (batch: ReadonlyArray<RecordEvent>) =>
            Effect.suspend(() => {
              let count = 0
              return Effect.map(
                Effect.provideService(write(sql, batch), Statement.CurrentTransformer, (statement) =>
                  Effect.sync(() => {
                    count++
                    return statement
                  })
                ),
                () => count
              )
            })
          return [yield* counted(thread("few", 2)), yield* counted(thread("many", 50))]
        })
      )

      assert.isAbove(counts[0] ?? 0, 2)
      assert.strictEqual(counts[1], counts[0])
    })
  )
})
