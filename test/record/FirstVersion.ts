/** A database as the first version has left it: its tables, word for word, and rows of every kind. */
import * as Effect from "effect/Effect"
import * as Migrator from "effect/sql/Migrator"
import * as SqlClient from "effect/sql/SqlClient"
import type * as Migrations from "../../src/record/sql/Migrations.ts"
import type { InterceptionStarted } from "../../src/domain/RecordEvent.ts"
import * as EventRows from "../../src/record/sql/EventRows.ts"
import type { Row } from "../../src/record/sql/RowSource.ts"
import { attempt, ended, noon, prompt, started, thought, tokens, tool } from "./Events.ts"

/** What `fill` has written of `first`, in order. */
export const first = {
  started: started("first"),
  attempts: [attempt("first", { status: 429 }), attempt("first", { at: noon + 2, number: 2 })],
  prompts: [prompt("first", "What is Effect?")],
  tokens: [tokens("first"), tokens("first", { input: 3 }, { at: noon + 9 })],
  tools: [tool("first", "call_1"), tool("first", "call_2", { injected: true, serverUrl: "https://tools.example/mcp" })],
  thoughts: [thought("first", "Hm."), thought("first", "So:", { at: noon + 6 })],
  ended: ended("first")
}

/** It brought the result of `first`'s tool. */
export const second = {
  started: started("second", { at: noon + 5000, correlatingToolCallId: "call_1", clientSessionId: undefined }),
  ended: ended("second", { at: noon + 6000 })
}

/** Makes the tables and fills them; both places of `first`'s thoughts and attempts are the same. */
export const fill = (names: Migrations.Tables) =>
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    const create = Effect.forEach(statements(names), (text) => sql.unsafe(text), { discard: true })
    yield* Migrator.make({})({ table: names.migrations, loader: Migrator.fromRecord({ "1_tables": create }) })
    const insert = (table: string, row: Row) => sql`INSERT INTO ${sql(table)} ${sql.insert(row)}`
    const children = (
      table: string,
      rows: ReadonlyArray<Row>,
      at: ReadonlyArray<number>,
      position: (index: number) => number
    ) =>
      Effect.forEach(rows, (row, index) =>
        insert(table, {
          ...row,
          id: crypto.randomUUID(),
          interception_id: "first",
          created_at: at[index] ?? 0,
          position: position(index)
        })
      )
    const { parent_id: _, ...root } = EventRows.endRow(first.ended, null, "first")
    yield* insert(names.interceptions, { ...startRow(first.started), ...root })
    yield* insert(names.interceptions, {
      ...startRow(second.started),
      ...EventRows.endRow(second.ended, "first", "first")
    })
    yield* insert(names.interceptions, startRow(started("open", { at: noon + 9000 })))
    const { attempts, prompts, tools, thoughts } = first
    yield* children(names.attempts, attempts.map(EventRows.attemptRow), instants(attempts), () => 7)
    yield* children(names.userPrompts, prompts.map(EventRows.promptRow), instants(prompts), () => 8)
    yield* children(
      names.tokenUsages,
      first.tokens.map(EventRows.tokenRow),
      instants(first.tokens),
      (index) => 9 + index
    )
    yield* children(
      names.toolUsages,
      tools.map((event) => EventRows.toolRow(event, true)),
      instants(tools),
      (index) => 20 + index
    )
    yield* children(names.modelThoughts, thoughts.map(EventRows.thoughtRow), instants(thoughts), () => 30)
  })

const instants = (events: ReadonlyArray<{ readonly at: number }>) => events.map(({ at }) => at)

// As it was then.
const startRow = (event: InterceptionStarted): Row => {
  const { writer_id: _, ...row } = EventRows.startRow(event, "")
  return row
}

const statements = (names: Migrations.Tables): ReadonlyArray<string> => [
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
const child = (names: Migrations.Tables, table: string, columns: ReadonlyArray<string>): ReadonlyArray<string> => [
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
