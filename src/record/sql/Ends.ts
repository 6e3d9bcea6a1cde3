/** Writes how interceptions ended, and which others they belong to. */
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { InterceptionEnded } from "../../domain/RecordEvent.ts"
import * as EventRows from "./EventRows.ts"
import type { Tables } from "./Migrations.ts"
import * as RowSource from "./RowSource.ts"
import * as Threads from "./Threads.ts"

/** Interceptions that are there, with the tool call whose result each brings. */
export type Known = ReadonlyMap<string, string | null>

/** Writes these, in order; each is one of `known`. One that had ended before has this end from now on. */
export const write = (
  sql: SqlClient,
  tables: Tables,
  events: ReadonlyArray<InterceptionEnded>,
  known: Known
): Effect.Effect<void, SqlError> => {
  if (events.length === 0) return Effect.void
  const { update, relink, parameter } = RowSource.of(sql)
  return Effect.gen(function* () {
    const links = Threads.resolve(
      events.map(({ id }) => id),
      yield* parentsOf(sql, tables, events, known)
    )
    const rows = events.map((event) => {
      const { parent = null, root = event.id } = links.get(event.id) ?? {}
      return EventRows.endRow(event, parent, root)
    })
    yield* sql.unsafe(update(tables.interceptions, EventRows.endColumns), [parameter(EventRows.endColumns, rows)])
    // Those that ended before their parent did have it as their root.
    const moved = rows.filter(({ id, root_id }) => id !== root_id).map(({ id, root_id }) => ({ from: id, to: root_id }))
    if (moved.length === 0) return
    yield* sql.unsafe(relink(tables.interceptions), [parameter(EventRows.relinkColumns, moved)])
  })
}

const parentsOf = (
  sql: SqlClient,
  tables: Tables,
  events: ReadonlyArray<InterceptionEnded>,
  known: Known
): Effect.Effect<ReadonlyMap<string, Threads.Parent>, SqlError> => {
  const pairs = events.flatMap(({ id }) => {
    const call = known.get(id) ?? null
    return call === null ? [] : [[id, call]]
  })
  if (pairs.length === 0) return Effect.succeed(new Map<string, Threads.Parent>())
  const statement = RowSource.of(sql).parents(tables)
  return Effect.map(
    sql.unsafe<{ id: string; parent: string; root: string | null }>(statement, [JSON.stringify(pairs)]),
    (rows) => new Map(rows.map(({ id, parent, root }) => [id, { id: parent, root }]))
  )
}
