/** The first migration: the tables as they were at first. Never to be changed: what comes later is another migration. */
import type { Tables } from "../Migrations.ts"

export const statements = (names: Tables): ReadonlyArray<string> => [
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
  ...child(names, names.attempts, attemptColumns),
  ...child(names, names.tokenUsages, tokenColumns),
  ...child(names, names.userPrompts, promptColumns),
  ...child(names, names.toolUsages, toolColumns),
  index(names.toolUsages, "call", "tool_call_id"),
  ...child(names, names.modelThoughts, thoughtColumns)
]

export const attemptColumns = [
  "number INTEGER NOT NULL",
  "credential_hint TEXT NOT NULL",
  "status INTEGER",
  "failure TEXT",
  "duration_ms DOUBLE PRECISION NOT NULL"
]

export const tokenColumns = [
  "message_id TEXT",
  "input_tokens BIGINT NOT NULL",
  "output_tokens BIGINT NOT NULL",
  "cache_read_input_tokens BIGINT NOT NULL",
  "cache_write_input_tokens BIGINT NOT NULL",
  "extra TEXT NOT NULL",
  "quality TEXT NOT NULL"
]

export const promptColumns = ["message_id TEXT", "prompt TEXT NOT NULL"]

export const toolColumns = [
  "message_id TEXT",
  "tool_call_id TEXT NOT NULL",
  "tool TEXT NOT NULL",
  "args TEXT NOT NULL",
  "injected INTEGER NOT NULL",
  "server_url TEXT",
  "error TEXT"
]

export const thoughtColumns = ["message_id TEXT", "content TEXT NOT NULL", "source TEXT NOT NULL"]

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

export const index = (table: string, name: string, columns: string): string =>
  `CREATE INDEX ${indexName(table, name)} ON ${table} (${columns})`

export const indexName = (table: string, name: string): string => `${table}_by_${name}`
