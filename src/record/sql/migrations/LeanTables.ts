/**
 * The second migration: fewer and smaller indexes. What belongs to an interception is found by its id and its place in it, and
 * no row has an id of its own; only interceptions that say a session, or have another as their root, are in those indexes.
 */
import type { Tables } from "../Migrations.ts"
import * as First from "./FirstTables.ts"

/** SQLite and Postgres, side by side. */
export interface Statements {
  readonly sqlite: ReadonlyArray<string>
  readonly postgres: ReadonlyArray<string>
}

interface Child {
  readonly table: string
  readonly columns: ReadonlyArray<string>
  /** Its rows are small: the index by its key may hold them. */
  readonly isSmall: boolean
}

export const statements = (names: Tables): Statements => {
  const children: ReadonlyArray<Child> = [
    { table: names.attempts, columns: First.attemptColumns, isSmall: true },
    { table: names.tokenUsages, columns: First.tokenColumns, isSmall: true },
    { table: names.userPrompts, columns: First.promptColumns, isSmall: false },
    { table: names.toolUsages, columns: First.toolColumns, isSmall: false },
    { table: names.modelThoughts, columns: First.thoughtColumns, isSmall: false }
  ]
  // The latest call of an id, without sorting all.
  const byCall = First.index(names.toolUsages, "call", "tool_call_id, created_at, position")
  const indexes = [
    `DROP INDEX ${First.indexName(names.interceptions, "session")}`,
    `DROP INDEX ${First.indexName(names.interceptions, "root")}`,
    `${First.index(names.interceptions, "session", "client_session_id, started_at")} WHERE client_session_id IS NOT NULL`,
    `DROP INDEX ${First.indexName(names.toolUsages, "call")}`,
    `${First.index(names.interceptions, "root", "root_id")} WHERE root_id <> id`,
    ...children.map(({ table }) => renumber(table))
  ]
  return {
    sqlite: [...indexes, ...children.flatMap((child) => rebuild(names, child)), byCall],
    postgres: [...indexes, ...children.flatMap(({ table }) => alter(table)), byCall]
  }
}

// Two of an interception at the same place were possible, if several processes had written them.
const renumber = (table: string): string =>
  `UPDATE ${table} SET position = n.position FROM (
    SELECT id, ROW_NUMBER() OVER (PARTITION BY interception_id ORDER BY created_at, position, id) AS position
    FROM ${table} WHERE interception_id IN (
      SELECT interception_id FROM ${table} GROUP BY interception_id, position HAVING COUNT(*) > 1
    )
  ) AS n WHERE ${table}.id = n.id`

// SQLite cannot change the key of a table.
const rebuild = (names: Tables, { table, columns, isSmall }: Child): ReadonlyArray<string> => {
  const all = [
    `interception_id TEXT NOT NULL REFERENCES ${names.interceptions} (id) ON DELETE CASCADE`,
    "created_at BIGINT NOT NULL",
    "position BIGINT NOT NULL",
    ...columns
  ]
  const copied = all.map((column) => column.slice(0, column.indexOf(" "))).join()
  return [
    `CREATE TABLE ${table}_new (
      ${all.join(",\n      ")},
      PRIMARY KEY (interception_id, position)
    )${isSmall ? " WITHOUT ROWID" : ""}`,
    `INSERT INTO ${table}_new (${copied}) SELECT ${copied} FROM ${table} ORDER BY interception_id, position`,
    `DROP TABLE ${table}`,
    `ALTER TABLE ${table}_new RENAME TO ${table}`
  ]
}

const alter = (table: string): ReadonlyArray<string> => [
  `DROP INDEX ${First.indexName(table, "interception")}`,
  `ALTER TABLE ${table} DROP COLUMN id, ADD PRIMARY KEY (interception_id, position)`
]
