/** Deletes what is older than it is to be kept. */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Tables } from "./Migrations.ts"

/** So many interceptions are deleted in one transaction. */
export const batchSize = 1000

/** Between two batches the database belongs to others. */
export const pause = Duration.millis(100)

/** How often it is done. */
export const interval = Duration.hours(1)

/**
 * Deletes the interceptions that started before this instant (epoch milliseconds), with all that belongs to them, and answers
 * how many there were. `use` lends a client for one batch.
 */
export const deleteOlderThan = <E>(tables: Tables, use: Use<E>, instant: number): Effect.Effect<number, E | SqlError> =>
  Effect.gen(function* () {
    for (let deleted = 0; ;) {
      const count = yield* use((sql) => deleteBatch(sql, tables, instant))
      deleted += count
      if (count < batchSize) return deleted
      yield* Effect.sleep(pause)
    }
  })

/** Lends a client. */
export type Use<E> = <A>(work: (sql: SqlClient) => Effect.Effect<A, SqlError>) => Effect.Effect<A, E | SqlError>

/** Does so now and every hour. `describe` says for the log why it failed; the next hour does what was left. */
export const run = <E>(
  tables: Tables,
  use: Use<E>,
  retention: Duration.Duration,
  describe: (cause: Cause.Cause<E | SqlError>) => string
): Effect.Effect<never> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const deleted = yield* deleteOlderThan(tables, use, now - Duration.toMillis(retention))
    if (deleted > 0) yield* Effect.annotateLogs(Effect.logInfo("old records are deleted"), { interceptions: deleted })
  }).pipe(
    Effect.catchCause((cause) =>
      Effect.annotateLogs(Effect.logWarning("old records could not be deleted: this is tried again in an hour"), {
        reason: describe(cause)
      })
    ),
    Effect.andThen(Effect.sleep(interval)),
    Effect.forever
  )

// Replicas that do the same leave each other's rows alone.
const deleteBatch = (sql: SqlClient, tables: Tables, instant: number): Effect.Effect<number, SqlError> =>
  Effect.map(
    sql`DELETE FROM ${sql(tables.interceptions)} WHERE id IN (
      SELECT id FROM ${sql(tables.interceptions)} WHERE started_at < ${instant} ORDER BY started_at LIMIT ${batchSize}
      ${sql.literal(sql.onDialectOrElse({ pg: () => "FOR UPDATE SKIP LOCKED", orElse: () => "" }))}
    ) RETURNING id`,
    (rows) => rows.length
  )
