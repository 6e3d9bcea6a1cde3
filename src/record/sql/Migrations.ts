/** The tables of the records, the same for both databases, and how they come to be. */
import * as Effect from "effect/Effect"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

/** The names of the tables. */
export interface Tables {
  readonly interceptions: string
  readonly attempts: string
  readonly tokenUsages: string
  readonly userPrompts: string
  readonly toolUsages: string
  readonly modelThoughts: string
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
      loader: Migrator.fromRecord({ "1_tables": statements(createTables(names)) })
    })
  )

const statements = (texts: ReadonlyArray<string>): Effect.Effect<void, SqlError, SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.forEach(texts, (text) => sql.unsafe(text), { discard: true }))

// Never to be changed once it is released: what comes later is another migration.
const createTables = (names: Tables): ReadonlyArray<string> => [
  `CREATE TABLE ${names.interceptions} (
    id TEXT PRIMARY KEY,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    actor_id TEXT NOT NULL,
    actor_metadata TEXT NOT NULL,
    provider TEXT NOT NULL,
    provider_type TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    stream INTEGER NOT NULL,
    credential_kind TEXT NOT NULL,
    credential_hint TEXT,
    client TEXT NOT NULL,
    user_agent TEXT,
    client_session_id TEXT,
    correlating_tool_call_id TEXT,
    parent_id TEXT,
    root_id TEXT,
    end_reason TEXT,
    status INTEGER,
    attempts INTEGER,
    usage_quality TEXT
  )`,
  index(names.interceptions, "started", "started_at, id"),
  index(names.interceptions, "actor", "actor_id, started_at"),
  index(names.interceptions, "client", "client, started_at"),
  index(names.interceptions, "session", "client_session_id, started_at"),
  index(names.interceptions, "model", "model, started_at"),
  index(names.interceptions, "root", "root_id"),
  ...child(names, names.attempts, [
    "number INTEGER NOT NULL",
    "credential_hint TEXT NOT NULL",
    "status INTEGER",
    "failure TEXT",
    "duration_ms DOUBLE PRECISION NOT NULL"
  ]),
  ...child(names, names.tokenUsages, [
    "message_id TEXT",
    "input_tokens BIGINT NOT NULL",
    "output_tokens BIGINT NOT NULL",
    "cache_read_input_tokens BIGINT NOT NULL",
    "cache_write_input_tokens BIGINT NOT NULL",
    "extra TEXT NOT NULL",
    "quality TEXT NOT NULL"
  ]),
  ...child(names, names.userPrompts, ["message_id TEXT", "prompt TEXT NOT NULL"]),
  ...child(names, names.toolUsages, [
    "message_id TEXT",
    "tool_call_id TEXT NOT NULL",
    "tool TEXT NOT NULL",
    "args TEXT NOT NULL",
    "injected INTEGER NOT NULL",
    "server_url TEXT",
    "error TEXT"
  ]),
  index(names.toolUsages, "call", "tool_call_id"),
  ...child(names, names.modelThoughts, ["message_id TEXT", "content TEXT NOT NULL", "source TEXT NOT NULL"])
]

// What happened in an interception goes with it. `position` keeps the order of what happened in the same millisecond.
const child = (names: Tables, table: string, columns: ReadonlyArray<string>): ReadonlyArray<string> => [
  `CREATE TABLE ${table} (
    ${[
      "id TEXT PRIMARY KEY",
      `interception_id TEXT NOT NULL REFERENCES ${names.interceptions} (id) ON DELETE CASCADE`,
      "created_at BIGINT NOT NULL",
      "position BIGINT NOT NULL",
      ...columns
    ].join(",\n    ")}
  )`,
  index(table, "interception", "interception_id")
]

const index = (table: string, name: string, columns: string): string =>
  `CREATE INDEX ${table}_by_${name} ON ${table} (${columns})`
