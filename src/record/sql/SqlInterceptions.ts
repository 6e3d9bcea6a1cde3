/** Reads interceptions from the tables. */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Fragment } from "effect/sql/Statement"
import type { Details, Filter, Page, Paging, Sum } from "../Interceptions.ts"
import * as Cursor from "../Cursor.ts"
import type { Tables } from "./Migrations.ts"
import * as Rows from "./Rows.ts"
import * as Text from "./Text.ts"

export interface SqlInterceptions {
  /** `undefined` if the cursor is none. */
  readonly list: (sql: SqlClient, filter: Filter, paging: Paging) => Effect.Effect<Page | undefined, SqlError>
  readonly get: (sql: SqlClient, id: string) => Effect.Effect<Details | undefined, SqlError>
  readonly sums: (sql: SqlClient, filter: Filter) => Effect.Effect<ReadonlyArray<Sum>, SqlError>
}

export const make = (tables: Tables): SqlInterceptions => {
  const list = (sql: SqlClient, filter: Filter, paging: Paging): Effect.Effect<Page | undefined, SqlError> => {
    const after = paging.cursor === undefined ? undefined : Cursor.read(paging.cursor)
    if (paging.cursor !== undefined && after === undefined) return Effect.succeed(undefined)
    const limit = Cursor.limitOf(paging)
    const conditions = matching(sql, filter)
    if (after !== undefined) {
      const { startedAt, id } = after
      conditions.push(sql`(i.started_at < ${startedAt} OR (i.started_at = ${startedAt} AND i.id < ${id}))`)
    }
    // One more than asked for says whether there is a next page.
    const query = sql<Rows.Interception>`SELECT i.* FROM ${sql(tables.interceptions)} i WHERE ${sql.and(conditions)}
      ORDER BY i.started_at DESC, i.id DESC LIMIT ${limit + 1}`
    return Effect.map(query, (rows) => Cursor.page(rows.map(Rows.summary), limit))
  }

  const get = (sql: SqlClient, id: string): Effect.Effect<Details | undefined, SqlError> => {
    const children = <R extends Rows.Child>(table: string): Effect.Effect<ReadonlyArray<R>, SqlError> =>
      sql<R>`SELECT * FROM ${sql(table)} WHERE interception_id = ${id} ORDER BY created_at, position`
    return Effect.gen(function* () {
      const [row] = yield* sql<Rows.Interception>`SELECT * FROM ${sql(tables.interceptions)} WHERE id = ${id}`
      if (row === undefined) return undefined
      return {
        ...Rows.summary(row),
        attempts: (yield* children<Rows.Attempt>(tables.attempts)).map(Rows.attempt),
        prompts: (yield* children<Rows.UserPrompt>(tables.userPrompts)).map(Rows.prompt),
        tokens: (yield* children<Rows.TokenUsage>(tables.tokenUsages)).map(Rows.tokens),
        tools: (yield* children<Rows.ToolUsage>(tables.toolUsages)).map(Rows.tool),
        thoughts: (yield* children<Rows.ModelThought>(tables.modelThoughts)).map(Rows.thought)
      }
    })
  }

  const sums = (sql: SqlClient, filter: Filter): Effect.Effect<ReadonlyArray<Sum>, SqlError> => {
    const sum = (column: string): Fragment => sql.literal(`CAST(COALESCE(SUM(t.${column}), 0) AS BIGINT)`)
    return Effect.map(
      sql<Rows.Sum>`SELECT i.actor_id AS actor, i.model AS model, i.started_at / 86400000 AS day,
        COUNT(DISTINCT i.id) AS interceptions,
        ${sum("input_tokens")} AS input, ${sum("output_tokens")} AS output,
        ${sum("cache_read_input_tokens")} AS cache_read, ${sum("cache_write_input_tokens")} AS cache_write
        FROM ${sql(tables.interceptions)} i LEFT JOIN ${sql(tables.tokenUsages)} t ON t.interception_id = i.id
        WHERE ${sql.and(matching(sql, filter))}
        GROUP BY 1, 2, 3 ORDER BY 3 DESC, 1, 2`,
      (rows) => rows.map(Rows.sum)
    )
  }

  return { list, get, sums }
}

const matching = (sql: SqlClient, filter: Filter): Array<Fragment> => {
  const conditions: Array<Fragment> = []
  const { actor, client, session, model, from, to } = filter
  if (actor !== undefined) conditions.push(sql`i.actor_id = ${Text.label(actor)}`)
  if (client !== undefined) conditions.push(sql`i.client = ${Text.label(client)}`)
  if (session !== undefined) conditions.push(sql`i.client_session_id = ${Text.label(session)}`)
  if (model !== undefined) conditions.push(sql`i.model = ${Text.label(model)}`)
  if (from !== undefined) conditions.push(sql`i.started_at >= ${Text.whole(from)}`)
  if (to !== undefined) conditions.push(sql`i.started_at < ${Text.whole(to)}`)
  return conditions
}
