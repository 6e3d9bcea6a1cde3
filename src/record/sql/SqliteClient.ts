/**
 * A `SqlClient` over `node:sqlite`: one connection in a thread of its own. To be dropped for `@effect/sql-sqlite-node` once
 * that has a release for this version of Effect.
 */
import * as Effect from "effect/Effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, ConnectionError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import type { SQLInputValue } from "node:sqlite"
import { Worker } from "node:worker_threads"
import type { Answer, Request } from "./SqliteWorker.ts"

export interface Options {
  /** Made with its directory if there is none, for its owner alone. `:memory:`: kept in memory. */
  readonly filename: string
}

/**
 * Opens the database: WAL, `synchronous` NORMAL, foreign keys on. A lock of another process is waited for 5 seconds. A
 * transaction takes the right to write at its begin, so that it never fails for having to wait in between.
 */
export const make = ({ filename }: Options): Effect.Effect<SqlClient.SqlClient, SqlError, Scope.Scope> =>
  Effect.gen(function* () {
    const thread = yield* Effect.acquireRelease(start(filename), (opened) => opened.close)
    yield* thread.opened
    const connection = connect(thread)
    const semaphore = yield* Semaphore.make(1)
    const acquirers = SqlClient.makeSqliteAcquirers({
      connection: Effect.succeed(connection),
      semaphore,
      isTransaction: thread.isTransaction
    })
    return yield* SqlClient.make({
      ...acquirers,
      compiler: Statement.makeCompilerSqlite(),
      driver: "node-sqlite",
      beginTransaction: "BEGIN IMMEDIATE",
      releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
      prepareTransactionControls: true,
      spanAttributes: [["db.system.name", "sqlite"]]
    })
  }).pipe(Effect.provide(Reactivity.layer))

/** As the only parameter: the statement is run once for each row, a JSON array of arrays of values. It belongs in a transaction. */
export class EachRow {
  readonly json: string
  constructor(json: string) {
    this.json = json
  }
}

interface Thread {
  readonly opened: Effect.Effect<unknown, SqlError>
  readonly run: (
    sql: string,
    params: ReadonlyArray<unknown>,
    values: boolean
  ) => Effect.Effect<ReadonlyArray<unknown>, SqlError>
  readonly isTransaction: () => boolean
  readonly close: Effect.Effect<void>
}

const extension = import.meta.url.endsWith(".ts") ? "ts" : "js"

const start = (filename: string): Effect.Effect<Thread> =>
  Effect.sync(() => {
    const worker = new Worker(new URL(`./SqliteWorker.${extension}`, import.meta.url), {
      workerData: filename,
      // Node calls its SQLite experimental, which is none of the user's business.
      execArgv: ["--disable-warning=ExperimentalWarning"]
    })
    const waiting = new Map<number, (answer: Effect.Effect<ReadonlyArray<unknown>, SqlError>) => void>()
    let lastId = 0
    let isTransaction = false
    let first: Answer | undefined
    let gone: SqlError | undefined
    const leave = (cause: unknown): void => {
      gone ??= new SqlError({
        reason: new ConnectionError({ cause, message: "the thread of the database has ended", operation: "execute" })
      })
      for (const resume of waiting.values()) resume(Effect.fail(gone))
      waiting.clear()
    }
    worker.on("message", (answer: Answer) => {
      isTransaction = answer.isTransaction
      first ??= answer
      waiting.get(answer.id)?.(outcome(answer))
      waiting.delete(answer.id)
    })
    worker.on("error", leave)
    worker.on("exit", (code) => leave(new Error(`exit code ${code}`)))

    const wait = (id: number, send: () => void): Effect.Effect<ReadonlyArray<unknown>, SqlError> =>
      Effect.callback((resume) => {
        if (id === 0 && first !== undefined) return resume(outcome(first))
        if (gone !== undefined) return resume(Effect.fail(gone))
        waiting.set(id, resume)
        send()
      })

    const request = (message: Omit<Request, "id">): Effect.Effect<ReadonlyArray<unknown>, SqlError> =>
      Effect.suspend(() => {
        const id = ++lastId
        return wait(id, () => worker.postMessage({ id, ...message }, []))
      })

    return {
      opened: wait(0, () => {}),
      run: (sql, params, values) => {
        const [only] = params
        return only instanceof EachRow
          ? request({ sql, params: [], rows: only.json, values })
          : request({ sql, params: params.map(bindable), rows: undefined, values })
      },
      isTransaction: () => isTransaction,
      close: request({ sql: undefined, params: [], rows: undefined, values: false }).pipe(
        // Whatever becomes of it, the thread ends.
        Effect.timeoutOption("5 seconds"),
        Effect.interruptible,
        Effect.exit,
        Effect.andThen(Effect.promise(() => worker.terminate())),
        Effect.asVoid
      )
    }
  })

const outcome = ({ rows, failure }: Answer): Effect.Effect<ReadonlyArray<unknown>, SqlError> =>
  failure === undefined
    ? Effect.succeed(rows)
    : Effect.fail(
        new SqlError({ reason: classifySqliteError(failure, { message: failure.message, operation: "execute" }) })
      )

const bindable = (value: unknown): SQLInputValue => {
  switch (typeof value) {
    case "string":
    case "number":
    case "bigint":
      return value
    case "boolean":
      return value ? 1 : 0
    default:
      return value instanceof Uint8Array ? value : null
  }
}

const connect = ({ run }: Thread): Connection => {
  const execute: Connection["execute"] = (sql, params, transformRows) =>
    Effect.map(run(sql, params, false), (rows) => {
      const objects = rows.filter((row) => typeof row === "object" && row !== null)
      return transformRows === undefined ? objects : transformRows(objects)
    })
  const executeValues: Connection["executeValues"] = (sql, params) =>
    Effect.map(run(sql, params, true), (rows) => rows.filter((row) => Array.isArray(row)))
  return {
    execute,
    executeUnprepared: execute,
    executeRaw: (sql, params) => run(sql, params, false),
    executeValues,
    executeValuesUnprepared: executeValues,
    executeStream: (sql, params, transformRows) => Stream.fromIterableEffect(execute(sql, params, transformRows))
  }
}
