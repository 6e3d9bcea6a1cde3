/** New databases for tests. */
import * as Effect from "effect/Effect"
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { SqlClient } from "effect/sql/SqlClient"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Database from "../../src/record/sql/Database.ts"
import * as SqlRecorder from "../../src/record/sql/SqlRecorder.ts"
import type * as Conformance from "./Conformance.ts"

/** A Postgres to test with: `AIBRIDGE_TEST_POSTGRES_URL`. */
export const postgresUrl = process.env["AIBRIDGE_TEST_POSTGRES_URL"]

/** A directory for the test alone. */
export const directory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "aibridge-records-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** A name for tables of the test alone. */
export const newPrefix = (): string => `test_${crypto.randomUUID().slice(0, 8)}_`

export interface Place {
  readonly url: string
  readonly tablePrefix: string
}

/** A file that is not there yet. */
export const sqlitePlace: Effect.Effect<Place, never, Scope.Scope> = Effect.map(directory, (path) => ({
  url: `sqlite:${join(path, "deep", "records.db")}`,
  tablePrefix: "aibridge_"
}))

/** Tables that are not there yet, dropped at the end. */
export const postgresPlace: Effect.Effect<Place, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => ({ url: postgresUrl ?? "", tablePrefix: newPrefix() })),
  (place) => inDatabase(place, (sql) => dropAll(sql, place.tablePrefix))
)

/** Every place to test with, by name. */
export const places = [
  { name: "SQLite", place: sqlitePlace },
  ...(postgresUrl === undefined ? [] : [{ name: "Postgres", place: postgresPlace }])
]

/** Uses the database past the recorder. */
export const inDatabase = <A, E>({ url }: Place, use: (sql: SqlClient) => Effect.Effect<A, E>): Effect.Effect<A> =>
  Effect.scoped(Effect.flatMap(Database.open(addressOf(url)), use)).pipe(Effect.orDie)

const addressOf = (url: string): Database.Address =>
  url.startsWith("sqlite:")
    ? { _tag: "Sqlite", filename: url.slice("sqlite:".length) }
    : { _tag: "Postgres", url: Redacted.make(url) }

const dropAll = (sql: SqlClient, prefix: string) =>
  Effect.flatMap(
    sql<{ name: string }>`SELECT tablename AS name FROM pg_tables WHERE starts_with(tablename, ${prefix})`,
    (rows) => Effect.forEach(rows, ({ name }) => sql`DROP TABLE ${sql(name)} CASCADE`)
  )

export const recorder = ({ url, tablePrefix }: Place, options: Partial<SqlRecorder.Options> = {}) =>
  SqlRecorder.layer({ url: Redacted.make(url), tablePrefix, ...options })

const databaseAt =
  (place: Place): Conformance.Database =>
  (settings) =>
    recorder(place, { ...settings, retention: ever })

/** A retention that no test outlives. */
export const ever = Duration.days(36_500)

export const sqlite: Conformance.NewDatabase = Effect.map(sqlitePlace, databaseAt)

export const postgres: Conformance.NewDatabase = Effect.map(postgresPlace, databaseAt)
