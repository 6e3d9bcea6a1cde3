/** What the writer does with batches that come again: whether they were written is not always known. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { SqlClient } from "effect/sql/SqlClient"
import * as Migrations from "../../src/record/sql/Migrations.ts"
import * as SqlWriter from "../../src/record/sql/SqlWriter.ts"
import * as Events from "./Events.ts"
import * as TestDatabase from "./TestDatabase.ts"

describe.each(TestDatabase.places)("On $name a batch", ({ place: newPlace }) => {
  it.live("that comes again with others is stored once", () =>
    Effect.gen(function* () {
      const place = yield* newPlace
      const tables = Migrations.tables(place.tablePrefix)
      const { write } = SqlWriter.make({ tables, recordContent: true })
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
})
