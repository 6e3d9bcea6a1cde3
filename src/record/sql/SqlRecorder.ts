/** Records in SQLite or Postgres, and what was recorded there. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as RcRef from "effect/RcRef"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { MigrationError } from "effect/sql/Migrator"
import { SqlClient } from "effect/sql/SqlClient"
import { isSqlError } from "effect/sql/SqlError"
import type { SqlError } from "effect/sql/SqlError"
import type { InterceptionsError, Page } from "../Interceptions.ts"
import { badCursor, Interceptions, unavailable } from "../Interceptions.ts"
import * as QueuedRecorder from "../QueuedRecorder.ts"
import { layerNoop, Recorder } from "../Recorder.ts"
import { within } from "../Within.ts"
import * as Database from "./Database.ts"
import * as DatabaseUrl from "./DatabaseUrl.ts"
import * as Migrations from "./Migrations.ts"
import * as Retention from "./Retention.ts"
import * as SqlInterceptions from "./SqlInterceptions.ts"
import * as SqlWriter from "./SqlWriter.ts"
import * as Writers from "./Writers.ts"

export interface Options {
  /** `sqlite:<path>`, `postgres://...` or `none`. */
  readonly url: Redacted.Redacted
  /** Whether prompts, the arguments of tools and thoughts are stored. Default true. */
  readonly recordContent?: boolean | undefined
  /** How long an interception is kept, from its start; infinite: for ever. Default 60 days. */
  readonly retention?: Duration.Duration | undefined
  /** What the names of the tables begin with: small letters, digits and `_`. Default `aibridge_`. */
  readonly tablePrefix?: string | undefined
  /** So many events wait at most while they cannot be written. Default 10,000. */
  readonly queueCapacity?: number | undefined
}

/** An option that cannot be meant. */
export class SqlRecorderError extends Schema.TaggedError<SqlRecorderError>()("SqlRecorderError", {
  option: Schema.Literals(["url", "tablePrefix"]),
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.option} ${this.detail}`
  }
}

/**
 * Writes through a bounded queue and reads. The tables are made before the first use. A database that is absent, at the start
 * or later, is tried again: the start does not wait for it, and the queue keeps.
 */
export const layer = (options: Options): Layer.Layer<Recorder | Interceptions, SqlRecorderError> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const url = DatabaseUrl.parse(Redacted.value(options.url))
      if (Result.isFailure(url)) return yield* new SqlRecorderError({ option: "url", detail: url.failure })
      const { tablePrefix = "aibridge_" } = options
      if (!/^[a-z_][a-z0-9_]{0,31}$/.test(tablePrefix)) {
        const detail = "must be of 1 to 32 small letters, digits and _, and not begin with a digit"
        return yield* new SqlRecorderError({ option: "tablePrefix", detail })
      }
      return url.success._tag === "None"
        ? layerNone
        : layerDatabase(url.success, Migrations.tables(tablePrefix), options)
    })
  )

const noDatabase = Effect.fail(unavailable("no database is configured"))

const layerNone: Layer.Layer<Recorder | Interceptions> = Layer.merge(
  layerNoop,
  Layer.succeed(Interceptions, { list: () => noDatabase, get: () => noDatabase, sums: () => noDatabase })
)

// A statement that takes longer is as good as none; the connection is not used again.
const writeLimit = Duration.seconds(30)
const readLimit = Duration.seconds(30)
const migrationLimit = Duration.hours(1)
// The end does not wait for a database that is away: a writer that is not seen is missed soon.
const farewellLimit = Duration.seconds(1)

const layerDatabase = (
  url: Database.Address,
  tables: Migrations.Tables,
  options: Options
): Layer.Layer<Recorder | Interceptions> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const use = yield* makeUse(url, tables)
      const { recordContent = true, retention = Duration.days(60) } = options
      const writerId = Writers.newId()
      const writer = SqlWriter.make({ tables, recordContent, writerId })
      // After the queue has written what was left.
      yield* Effect.addFinalizer(() =>
        Effect.ignoreCause(use((sql) => Writers.remove(sql, tables, writerId), farewellLimit))
      )
      const recorder = yield* QueuedRecorder.make({
        write: (batch) => use((sql) => writer.write(sql, batch), writeLimit),
        capacity: options.queueCapacity,
        describe
      })
      yield* Effect.forkScoped(Writers.run(tables, (work) => use(work, writeLimit), writerId))
      if (Duration.isFinite(retention)) {
        yield* Effect.forkScoped(Retention.run(tables, (work) => use(work, writeLimit), retention, describe))
      }
      const reader = SqlInterceptions.make(tables)
      const read = <A>(work: (sql: SqlClient) => Effect.Effect<A, SqlError>): Effect.Effect<A, InterceptionsError> =>
        Effect.catchCause(use(work, readLimit), (cause) =>
          Cause.hasInterruptsOnly(cause) ? Effect.interrupt : Effect.fail(unavailable(describe(cause)))
        )
      return Context.make(Recorder, recorder).pipe(
        Context.add(Interceptions, {
          list: (filter, paging = {}) =>
            Effect.flatMap(
              read((sql) => reader.list(sql, filter, paging)),
              (page): Effect.Effect<Page, InterceptionsError> =>
                page === undefined ? Effect.fail(badCursor) : Effect.succeed(page)
            ),
          get: (id) => read((sql) => reader.get(sql, id)),
          sums: (filter) => read((sql) => reader.sums(sql, filter))
        })
      )
    })
  )

type Failure = SqlError | MigrationError | TimedOut

class TimedOut extends Schema.TaggedError<TimedOut>()("TimedOut", {}) {}

type Use = <A>(
  work: (sql: SqlClient) => Effect.Effect<A, SqlError>,
  limit: Duration.Duration
) => Effect.Effect<A, Failure>

// One client for all, opened when it is needed. One that has failed is not used again.
const makeUse = (url: Database.Address, tables: Migrations.Tables): Effect.Effect<Use, never, Scope.Scope> =>
  Effect.gen(function* () {
    const client: RcRef.RcRef<SqlClient, Failure> = yield* RcRef.make({
      acquire: Effect.tap(Database.open(url), (sql) =>
        Effect.andThen(
          Effect.suspend(() => announceMigrations(tables, Effect.scoped(RcRef.get(client)))),
          Migrations.run(tables)
        ).pipe(Effect.provideService(SqlClient, sql))
      ),
      idleTimeToLive: Duration.infinity
    })
    return (work, limit) =>
      within(limit)(Effect.scoped(Effect.flatMap(RcRef.get(client), work))).pipe(
        Effect.flatMap(
          Option.match({
            onNone: () => Effect.fail(new TimedOut()),
            onSome: (value) => Effect.succeed(value)
          })
        ),
        Effect.onError((cause) => (Cause.hasInterruptsOnly(cause) ? Effect.void : RcRef.invalidate(client)))
      )
  })

// Nobody who reads or writes waits for as long as it may take to change large tables. An opening that nobody waits for is given
// up, so this waits.
const announceMigrations = (tables: Migrations.Tables, wait: Effect.Effect<unknown, Failure>) =>
  Effect.gen(function* () {
    if (!(yield* Migrations.areOld(tables))) return
    yield* Effect.logInfo(
      "tables of an older version are changed, which may take long: records are kept until it is done"
    )
    yield* Effect.forkDetach(Effect.ignoreCause(within(migrationLimit)(wait)))
  })

// Short, and without anything of what was to be written.
const describe = (cause: Cause.Cause<Failure>): string => {
  const error = Cause.squash(cause)
  if (!isSqlError(error)) return error instanceof Error ? error.message.slice(0, 200) : "unknown"
  const { reason } = error
  const detail = reason.cause instanceof Error ? reason.cause.message : reason.message
  return `${reason._tag}: ${detail}`.slice(0, 200)
}
