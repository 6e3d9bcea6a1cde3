/**
 * The thread that holds a SQLite database: a statement, a checkpoint or a lock of another process may take its time there
 * without holding up a request. Answers `Request`s one after the other.
 */
import { closeSync, mkdirSync, openSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { SQLInputValue, StatementSync } from "node:sqlite"
import { parentPort, workerData } from "node:worker_threads"

export interface Request {
  readonly id: number
  /** `undefined`: close the database. */
  readonly sql: string | undefined
  readonly params: ReadonlyArray<SQLInputValue>
  /** A JSON array of arrays: the statement is run with each of these in place of `params`, and answers nothing. */
  readonly rows: string | undefined
  /** Rows as arrays of values, not as objects. */
  readonly values: boolean
}

/** The first one, with the id 0, says whether the database is open. */
export interface Answer {
  readonly id: number
  readonly rows: ReadonlyArray<unknown>
  /** Whether a transaction is open. */
  readonly isTransaction: boolean
  readonly failure: { readonly message: string; readonly errno: number } | undefined
}

/** How long a lock of another connection is waited for, in milliseconds. */
const busyTimeout = 5000

const statementsKept = 100

const open = (filename: string): DatabaseSync => {
  if (filename !== ":memory:") {
    mkdirSync(dirname(filename), { recursive: true })
    // What is recorded is private: a new file is its owner's alone, and SQLite gives its companions the same mode.
    closeSync(openSync(filename, "a", 0o600))
  }
  const database = new DatabaseSync(filename)
  database.exec(`PRAGMA busy_timeout = ${busyTimeout}`)
  useWal(database)
  database.exec("PRAGMA synchronous = NORMAL")
  database.exec("PRAGMA foreign_keys = ON")
  return database
}

// The change to WAL does not wait for locks by itself.
const useWal = (database: DatabaseSync): void => {
  for (let waited = 0; ; waited += 20) {
    try {
      database.exec("PRAGMA journal_mode = WAL")
      return
    } catch (error) {
      if (waited >= busyTimeout || (failureOf(error).errno & 0xff) !== 5) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    }
  }
}

const failureOf = (error: unknown): { readonly message: string; readonly errno: number } => {
  const message = error instanceof Error ? error.message : String(error)
  if (typeof error !== "object" || error === null) return { message, errno: 1 }
  if ("errcode" in error && typeof error.errcode === "number") return { message, errno: error.errcode }
  // Of the file system: SQLITE_CANTOPEN.
  return { message, errno: "syscall" in error ? 14 : 1 }
}

const serve = (database: DatabaseSync, port: NonNullable<typeof parentPort>): void => {
  const statements = new Map<string, StatementSync>()

  // The least recently used one goes first.
  const prepare = (sql: string): StatementSync => {
    const statement = statements.get(sql) ?? database.prepare(sql)
    statements.delete(sql)
    statements.set(sql, statement)
    const [first] = statements.keys()
    if (statements.size > statementsKept && first !== undefined) statements.delete(first)
    return statement
  }

  const run = ({ sql, params, rows, values }: Request): ReadonlyArray<unknown> => {
    if (sql === undefined) {
      database.close()
      port.close()
      return []
    }
    const statement = prepare(sql)
    if (rows !== undefined) {
      for (const row of JSON.parse(rows)) statement.run(...row)
      return []
    }
    statement.setReturnArrays(values)
    return statement.all(...params)
  }

  const isTransaction = (): boolean => database.isOpen && database.isTransaction

  const answer = (request: Request): Answer => {
    const { id } = request
    try {
      return { id, rows: run(request), isTransaction: isTransaction(), failure: undefined }
    } catch (error) {
      return { id, rows: [], isTransaction: isTransaction(), failure: failureOf(error) }
    }
  }

  port.on("message", (request: Request) => port.postMessage(answer(request), []))
}

if (parentPort !== null) {
  const opened: Answer = { id: 0, rows: [], isTransaction: false, failure: undefined }
  try {
    serve(open(String(workerData)), parentPort)
    parentPort.postMessage(opened, [])
  } catch (error) {
    parentPort.postMessage({ ...opened, failure: failureOf(error) }, [])
  }
}
