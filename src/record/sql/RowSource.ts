/**
 * The rows of a statement as one JSON text. A statement with a parameter for each value of all rows has another text for each
 * number of rows, which is compiled anew each time; these have always the same one.
 */
import type { SqlClient } from "effect/sql/SqlClient"
import type { Tables } from "./Migrations.ts"
import * as SqliteClient from "./SqliteClient.ts"

/** How a value stands in the table. */
export type Type = "TEXT" | "BIGINT" | "INTEGER" | "DOUBLE PRECISION"

/** The columns of a statement by their names, in order. */
export type Columns = Readonly<Record<string, Type>>

/** Has a value for each of the columns. */
export type RowOf<C extends Columns> = Readonly<Record<keyof C, string | number | null>>

export type Row = RowOf<Columns>

/** SQLite and Postgres, side by side. Rows go into `insert` and `update` as their `parameter`. */
export interface Statements {
  readonly parameter: (columns: Columns, rows: ReadonlyArray<Row>) => unknown
  /** Rows whose key is there already are left out. */
  readonly insert: (table: string, columns: Columns) => string
  /** Sets all columns but `id`, by which rows are found. */
  readonly update: (table: string, columns: Columns) => string
  /** Rows whose root is the first value get the second one, by `relinkColumns`. */
  readonly relink: (table: string) => string
  /**
   * Its parameter is a JSON array of pairs, an id and the id of the tool call whose result it brings: the `parent` of each such
   * `id` that has one, and that one's `root`.
   */
  readonly parents: (tables: Tables) => string
  /** What of `columns` the table has of these ids, a JSON array; kept from being deleted before the transaction ends. */
  readonly select: (table: string, columns: string) => string
}

export const of = (sql: SqlClient): Statements => sql.onDialectOrElse({ pg: () => postgres, orElse: () => sqlite })

// An array of arrays, in the order of the columns.
const json = (columns: Columns, rows: ReadonlyArray<Row>): string => {
  const names = Object.keys(columns)
  return JSON.stringify(rows.map((row) => names.map((name) => row[name] ?? null)))
}

// Run for each row, which costs a third less than to take the values out of the text in SQL.
const sqlite: Statements = {
  parameter: (columns, rows) => new SqliteClient.EachRow(json(columns, rows)),
  insert: (table, columns) =>
    `INSERT INTO ${table} (${Object.keys(columns).join()})
    VALUES (${Object.keys(columns).map((_, index) => `?${index + 1}`)}) ON CONFLICT DO NOTHING`,
  update: (table, columns) =>
    `UPDATE ${table} SET ${setting(columns, (index) => `?${index + 1}`)} WHERE id = ?${placeOfId(columns) + 1}`,
  relink: (table) => `UPDATE ${table} SET root_id = ?2 WHERE root_id = ?1 AND root_id <> id`,
  parents: (tables) => parents(tables, "json_each(?) AS r", (index) => `r.value->>${index}`),
  select: (table, columns) => `SELECT ${columns} FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`
}

const postgres: Statements = {
  parameter: json,
  insert: (table, columns) =>
    `INSERT INTO ${table} (${Object.keys(columns).join()})
    SELECT ${Object.values(columns).map((type, index) => `(v->>${index})::${type}`)}
    FROM json_array_elements($1::json) AS r(v) ON CONFLICT DO NOTHING`,
  update: (table, columns) =>
    `UPDATE ${table} SET ${setting(columns, (index, type) => `(r.v->>${index})::${type}`)}
    FROM json_array_elements($1::json) AS r(v) WHERE ${table}.id = r.v->>${placeOfId(columns)}`,
  relink: (table) =>
    `UPDATE ${table} SET root_id = r.v->>1
    FROM json_array_elements($1::json) AS r(v) WHERE root_id = r.v->>0 AND root_id <> id`,
  parents: (tables) => parents(tables, "json_array_elements($1::json) AS r(v)", (index) => `r.v->>${index}`),
  select: (table, columns) =>
    `SELECT ${columns} FROM ${table} WHERE id IN (SELECT json_array_elements_text($1::json)) ORDER BY id FOR UPDATE`
}

// The latest one that called the tool.
const parents = (tables: Tables, source: string, value: (index: number) => string): string =>
  `SELECT e.id, e.parent, i.root_id AS root FROM (
    SELECT ${value(0)} AS id, (
      SELECT t.interception_id FROM ${tables.toolUsages} t
      WHERE t.tool_call_id = ${value(1)} AND t.interception_id <> ${value(0)}
      ORDER BY t.created_at DESC, t.position DESC LIMIT 1
    ) AS parent FROM ${source}
  ) e JOIN ${tables.interceptions} i ON i.id = e.parent`

const placeOfId = (columns: Columns): number => Object.keys(columns).indexOf("id")

const setting = (columns: Columns, value: (index: number, type: Type) => string): string =>
  Object.entries(columns)
    .flatMap(([name, type], index) => (name === "id" ? [] : [`${name} = ${value(index, type)}`]))
    .join()
