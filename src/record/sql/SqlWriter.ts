/** Writes events of interceptions into the tables. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type {
  AttemptEnded,
  InterceptionEnded,
  InterceptionStarted,
  ModelThought,
  PromptUsage,
  RecordEvent,
  TokenUsage,
  ToolUsage
} from "../../domain/RecordEvent.ts"
import * as Ends from "./Ends.ts"
import * as EventRows from "./EventRows.ts"
import type { Tables } from "./Migrations.ts"
import type { Columns, Row } from "./RowSource.ts"
import * as RowSource from "./RowSource.ts"
import * as Text from "./Text.ts"
import * as Writers from "./Writers.ts"

export interface SqlWriter {
  /**
   * Writes a batch, all of it or nothing. A batch that may have been written or not can be written again: its events are
   * known by identity and nothing is stored twice. What belongs to an interception whose start is not there is left out.
   */
  readonly write: (sql: SqlClient, batch: ReadonlyArray<RecordEvent>) => Effect.Effect<void, SqlError>
}

export interface Options {
  readonly tables: Tables
  /** Whether prompts, the arguments of tools and thoughts are stored. */
  readonly recordContent: boolean
  /** This process, as `Writers` knows it. */
  readonly writerId: string
}

export const make = ({ tables, recordContent, writerId }: Options): SqlWriter => {
  // All that happens in an interception comes through one writer: with its id this is the key of a row.
  const positions = new WeakMap<RecordEvent, number>()
  let lastPosition = 0
  const positionOf = (event: RecordEvent): number => {
    const position = positions.get(event) ?? ++lastPosition
    positions.set(event, position)
    return position
  }

  const present = (sql: SqlClient, { starts, ids }: Sorted): Effect.Effect<Ends.Known, SqlError> => {
    const known = new Map<string, string | null>(
      starts.map(({ id, correlatingToolCallId }) => [id, Text.optional(Text.label, correlatingToolCallId)])
    )
    const others = [...ids].filter((id) => !known.has(id))
    if (others.length === 0) return Effect.succeed(known)
    return Effect.map(
      sql.unsafe<{ id: string; call: string | null }>(
        RowSource.of(sql).select(tables.interceptions, "id, correlating_tool_call_id AS call"),
        [JSON.stringify(others)]
      ),
      (rows) => {
        for (const { id, call } of rows) known.set(id, call)
        return known
      }
    )
  }

  const writeIn = (sql: SqlClient, events: Sorted): Effect.Effect<void, SqlError> =>
    Effect.gen(function* () {
      if (events.starts.length > 0) yield* Writers.beat(sql, tables, writerId, yield* Clock.currentTimeMillis)
      const starts = events.starts.map((event) => EventRows.startRow(event, writerId))
      yield* insert(sql, tables.interceptions, EventRows.startColumns, starts)
      const known = yield* present(sql, events)
      const rows = <E extends Child>(of: ReadonlyArray<E>, row: (event: E) => Row): ReadonlyArray<Row> =>
        of
          .filter(({ interceptionId }) => known.has(interceptionId))
          .map((event) =>
            Object.assign(row(event), {
              interception_id: event.interceptionId,
              created_at: Text.whole(event.at),
              position: positionOf(event)
            })
          )
      yield* insert(sql, tables.attempts, EventRows.attemptColumns, rows(events.attempts, EventRows.attemptRow))
      yield* insert(sql, tables.tokenUsages, EventRows.tokenColumns, rows(events.tokens, EventRows.tokenRow))
      yield* insert(
        sql,
        tables.toolUsages,
        EventRows.toolColumns,
        rows(events.tools, (event) => EventRows.toolRow(event, recordContent))
      )
      if (recordContent) {
        yield* insert(sql, tables.userPrompts, EventRows.promptColumns, rows(events.prompts, EventRows.promptRow))
        yield* insert(sql, tables.modelThoughts, EventRows.thoughtColumns, rows(events.thoughts, EventRows.thoughtRow))
      }
      yield* Ends.write(
        sql,
        tables,
        events.ends.filter(({ id }) => known.has(id)),
        known
      )
    })

  return {
    write: (sql, batch) => Effect.suspend(() => sql.withTransaction(writeIn(sql, sort(batch))))
  }
}

const insert = (
  sql: SqlClient,
  table: string,
  columns: Columns,
  rows: ReadonlyArray<Row>
): Effect.Effect<void, SqlError> => {
  if (rows.length === 0) return Effect.void
  const statements = RowSource.of(sql)
  return Effect.asVoid(sql.unsafe(statements.insert(table, columns), [statements.parameter(columns, rows)]))
}

type Child = Exclude<RecordEvent, InterceptionStarted | InterceptionEnded>

interface Sorted {
  readonly starts: Array<InterceptionStarted>
  readonly attempts: Array<AttemptEnded>
  readonly prompts: Array<PromptUsage>
  readonly tokens: Array<TokenUsage>
  readonly tools: Array<ToolUsage>
  readonly thoughts: Array<ModelThought>
  readonly ends: Array<InterceptionEnded>
  /** Of the interceptions whose start must be there. */
  readonly ids: Set<string>
}

const sort = (batch: ReadonlyArray<RecordEvent>): Sorted => {
  const sorted: Sorted = {
    starts: [],
    attempts: [],
    prompts: [],
    tokens: [],
    tools: [],
    thoughts: [],
    ends: [],
    ids: new Set()
  }
  for (const event of batch) {
    if (event._tag !== "InterceptionStarted") {
      sorted.ids.add(event._tag === "InterceptionEnded" ? event.id : event.interceptionId)
    }
    switch (event._tag) {
      case "InterceptionStarted":
        sorted.starts.push(event)
        break
      case "AttemptEnded":
        sorted.attempts.push(event)
        break
      case "PromptUsage":
        sorted.prompts.push(event)
        break
      case "TokenUsage":
        sorted.tokens.push(event)
        break
      case "ToolUsage":
        sorted.tools.push(event)
        break
      case "ModelThought":
        sorted.thoughts.push(event)
        break
      case "InterceptionEnded":
        sorted.ends.push(event)
        break
    }
  }
  return sorted
}
