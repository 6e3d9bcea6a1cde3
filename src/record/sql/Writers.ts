/**
 * The processes that write, each with its sign of life, so that interceptions whose process was killed get an end, too: the
 * reason `unknown`, from whichever process looks next.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { InterceptionEnded } from "../../domain/RecordEvent.ts"
import * as Ends from "./Ends.ts"
import type { Tables } from "./Migrations.ts"

/** How often a writer says that it lives. */
export const heartbeatInterval = Duration.seconds(10)

/** How often it looks for those that do no longer. */
export const sweepInterval = Duration.minutes(1)

/**
 * A writer that was not seen for so long is gone. Each says so by its own clock: those of replicas may differ by as much as
 * this leaves beyond the time between two signs of life. If one is taken for gone and is not, the real ends replace the others.
 */
export const goneAfter = Duration.minutes(1)

/**
 * An interception whose writer is not known, as those of older versions, is over after this time from its start. A request
 * that takes longer replaces its end by the real one.
 */
export const overAfter = Duration.days(1)

/** So many interceptions are ended in one transaction. */
export const batchSize = 1000

/** A name that no other process has. */
export const newId = (): string => crypto.randomUUID().slice(0, 18)

/** The writer lives at this instant (epoch milliseconds). Part of each batch with starts, so that none is without its writer. */
export const beat = (sql: SqlClient, tables: Tables, id: string, now: number): Effect.Effect<void, SqlError> =>
  Effect.asVoid(
    sql`INSERT INTO ${sql(tables.writers)} ${sql.insert({ writer_id: id, last_seen_at: now })}
      ON CONFLICT (writer_id) DO UPDATE SET last_seen_at = excluded.last_seen_at`
  )

/** The writer ends in order. Kept if any of its interceptions has no end: another ends them later. */
export const remove = (sql: SqlClient, tables: Tables, id: string): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`DELETE FROM ${sql(tables.writers)} WHERE writer_id = ${id} AND ${hasNone(sql, tables)}`)

/**
 * Ends the interceptions of other writers that are gone, and forgets those; answers how many there were. Each is ended once,
 * however many processes do this at once. One call ends `batchSize` at most.
 */
export const sweep = (sql: SqlClient, tables: Tables, id: string, now: number): Effect.Effect<number, SqlError> =>
  sql.withTransaction(
    Effect.gen(function* () {
      const gone = sql`last_seen_at < ${now - Duration.toMillis(goneAfter)} AND writer_id <> ${id}`
      const orphans = yield* sql<Orphan>`SELECT ${orphanColumns(sql)}, w.last_seen_at
        FROM (SELECT * FROM ${sql(tables.writers)} WHERE ${gone}) w
        JOIN ${sql(tables.interceptions)} i ON i.writer_id = w.writer_id
        WHERE i.ended_at IS NULL LIMIT ${batchSize} ${unlocked(sql)}`
      // The plus keeps SQLite from going through all that are older.
      const strays = yield* sql<Orphan>`SELECT ${orphanColumns(sql)}, i.started_at AS last_seen_at
        FROM ${sql(tables.interceptions)} i
        WHERE i.ended_at IS NULL AND +i.started_at < ${now - Duration.toMillis(overAfter)}
        AND NOT EXISTS (SELECT 1 FROM ${sql(tables.writers)} w WHERE w.writer_id = i.writer_id)
        LIMIT ${batchSize - orphans.length} ${unlocked(sql)}`
      const all = [...orphans, ...strays]
      yield* Ends.write(sql, tables, all.map(end), new Map(all.map(({ id: orphan, call }) => [orphan, call])))
      yield* sql`DELETE FROM ${sql(tables.writers)} WHERE ${gone} AND ${hasNone(sql, tables)}`
      return all.length
    })
  )

/** Lends a client. */
export type Use<E> = <A>(work: (sql: SqlClient) => Effect.Effect<A, SqlError>) => Effect.Effect<A, E | SqlError>

/** Says every 10 seconds that the writer lives, and looks for others that are gone, now and every minute. Failures are tried again. */
export const run = <E>(tables: Tables, use: Use<E>, id: string): Effect.Effect<never> => {
  const live = Effect.flatMap(Clock.currentTimeMillis, (now) => use((sql) => beat(sql, tables, id, now)))
  const endOthers = Effect.gen(function* () {
    for (let ended = 0; ;) {
      const now = yield* Clock.currentTimeMillis
      const count = yield* use((sql) => sweep(sql, tables, id, now))
      ended += count
      if (count === batchSize) continue
      if (ended === 0) return
      yield* Effect.annotateLogs(Effect.logWarning("interceptions of a process that is gone have no known end"), {
        interceptions: ended
      })
      return
    }
  })
  const beats = Duration.toMillis(sweepInterval) / Duration.toMillis(heartbeatInterval)
  return Effect.gen(function* () {
    for (let turn = 0; ; turn++) {
      // That the database is away is said where it matters: where records wait.
      yield* Effect.ignoreCause(turn % beats === 0 ? Effect.andThen(live, endOthers) : live)
      yield* Effect.sleep(heartbeatInterval)
    }
  })
}

interface Orphan {
  readonly id: string
  readonly call: string | null
  readonly started_at: number | string | bigint
  /** Of its writer. */
  readonly last_seen_at: number | string | bigint
}

const orphanColumns = (sql: SqlClient) => sql.literal("i.id, i.correlating_tool_call_id AS call, i.started_at")

// Of what another process is about to end, nothing.
const unlocked = (sql: SqlClient) =>
  sql.literal(sql.onDialectOrElse({ pg: () => "FOR UPDATE SKIP LOCKED", orElse: () => "" }))

const hasNone = (sql: SqlClient, tables: Tables) =>
  sql`NOT EXISTS (
    SELECT 1 FROM ${sql(tables.interceptions)} i
    WHERE i.writer_id = ${sql(tables.writers)}.writer_id AND i.ended_at IS NULL
  )`

const end = ({ id, started_at, last_seen_at }: Orphan): InterceptionEnded => ({
  _tag: "InterceptionEnded",
  id,
  at: Math.max(Number(started_at), Number(last_seen_at)),
  reason: "unknown",
  status: undefined,
  attempts: 0,
  credentialHint: undefined,
  usageQuality: "none"
})
