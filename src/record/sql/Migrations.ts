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

/**
 * Runs what has not been run yet. Several processes may do so at once: each waits for the one before it (Postgres locks the
 * table of migrations; a transaction of `SqliteClient` takes the right to write at its begin) and finds nothing left to do.
 */
export const run = (names: Tables): Effect.Effect<void, SqlError | Migrator.MigrationError, SqlClient.SqlClient> =>
  Effect.asVoid(
    Migrator.make({})({
      table: names.migrations,
      loader: Migrator.fromRecord({
        "1_tables": statements(FirstTables.statements(names)),
        "2_lean_tables": byDialect(LeanTables.statements(names)),
        "3_writers": statements(WriterTables.statements(names))
      })
    })
  )

const statements = (texts: ReadonlyArray<string>): Effect.Effect<void, SqlError, SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.forEach(texts, (text) => sql.unsafe(text), { discard: true }))

const byDialect = ({ sqlite, postgres }: LeanTables.Statements): Effect.Effect<void, SqlError, SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    statements(sql.onDialectOrElse({ pg: () => postgres, orElse: () => sqlite }))
  )
