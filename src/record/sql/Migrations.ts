/** The tables of the records, and how they come to be. */
import * as Effect from "effect/Effect"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as FirstTables from "./migrations/FirstTables.ts"
import * as LeanTables from "./migrations/LeanTables.ts"
import * as WriterTables from "./migrations/WriterTables.ts"

/** The names of the tables. */
export interface Tables {
  readonly interceptions: string
  readonly attempts: string
  readonly tokenUsages: string
  readonly userPrompts: string
  readonly toolUsages: string
  readonly modelThoughts: string
  readonly writers: string
  /** Which migrations have been run. */
  readonly migrations: string
}

/** The names with this prefix. */
export const tables = (prefix: string): Tables => ({
  interceptions: `${prefix}interceptions`,
  attempts: `${prefix}attempts`,
  tokenUsages: `${prefix}token_usages`,
  userPrompts: `${prefix}user_prompts`,
  toolUsages: `${prefix}tool_usages`,
  modelThoughts: `${prefix}model_thoughts`,
  writers: `${prefix}writers`,
  migrations: `${prefix}migrations`
})

/** Whether there are tables of an older version: to change them may take long, as long as to copy them. */
export const areOld = (names: Tables): Effect.Effect<boolean, SqlError, SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => {
    const isThere = sql.onDialectOrElse({
      pg: () => sql`SELECT 1 AS found WHERE to_regclass(${names.migrations}) IS NOT NULL`,
      orElse: () => sql`SELECT 1 AS found FROM sqlite_schema WHERE name = ${names.migrations}`
    })
    const versions = sql<{ id: number }>`SELECT migration_id AS id FROM ${sql(names.migrations)}`
    return Effect.flatMap(isThere, (found) =>
      found.length === 0
        ? Effect.succeed(false)
        : Effect.map(versions, (rows) => rows.length > 0 && rows.length < Object.keys(migrations(names)).length)
    )
  })

/**
 * Runs what has not been run yet. Several processes may do so at once: each waits for the one before it (Postgres locks the
 * table of migrations; a transaction of `SqliteClient` takes the right to write at its begin) and finds nothing left to do.
 */
export const run = (names: Tables): Effect.Effect<void, SqlError | Migrator.MigrationError, SqlClient.SqlClient> =>
  Effect.asVoid(
    Migrator.make({})({
      table: names.migrations,
      loader: Migrator.fromRecord(migrations(names))
    })
  )

const migrations = (names: Tables) => ({
  "1_tables": statements(FirstTables.statements(names)),
  "2_lean_tables": byDialect(LeanTables.statements(names)),
  "3_writers": statements(WriterTables.statements(names))
})

const statements = (texts: ReadonlyArray<string>): Effect.Effect<void, SqlError, SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.forEach(texts, (text) => sql.unsafe(text), { discard: true }))

const byDialect = ({ sqlite, postgres }: LeanTables.Statements): Effect.Effect<void, SqlError, SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    statements(sql.onDialectOrElse({ pg: () => postgres, orElse: () => sqlite }))
  )
