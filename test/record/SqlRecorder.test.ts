/** The recorder on a database: absent at first, locked, old records, addresses. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { SqlClient } from "effect/sql/SqlClient"
import * as TestClock from "effect/testing/TestClock"
import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Interceptions } from "../../src/record/Interceptions.ts"
import { Recorder } from "../../src/record/Recorder.ts"
import * as DatabaseUrl from "../../src/record/sql/DatabaseUrl.ts"
import * as Migrations from "../../src/record/sql/Migrations.ts"
import * as Retention from "../../src/record/sql/Retention.ts"
import * as SqlRecorder from "../../src/record/sql/SqlRecorder.ts"
import * as Logs from "../gateway/Logs.ts"
import { ended, noon, prompt, started, tokens } from "./Events.ts"
import * as FirstVersion from "./FirstVersion.ts"
import * as TestDatabase from "./TestDatabase.ts"

/** Real work goes on while the virtual time stands: moves it until this holds. */
const until = <E>(condition: Effect.Effect<boolean, E>): Effect.Effect<void, E> =>
  Effect.gen(function* () {
    while (!(yield* condition)) {
      yield* TestClock.adjust("500 millis")
      yield* TestClock.withLive(Effect.sleep("10 millis"))
    }
  })

const fileOf = ({ url }: TestDatabase.Place): string => url.slice("sqlite:".length)

describe("A database that is not there", () => {
  it.effect("is no reason not to start: it is tried again, and then has all that was kept", () =>
    Effect.gen(function* () {
      const place = yield* TestDatabase.sqlitePlace
      const directory = dirname(fileOf(place))
      // A file is where the directory should be.
      writeFileSync(directory, "")
      const lines: Array<Logs.Line> = []

      yield* Effect.gen(function* () {
        const context = yield* Layer.build(TestDatabase.recorder(place))
        const { record } = Context.get(context, Recorder)
        const interceptions = Context.get(context, Interceptions)
        const refused = yield* Effect.flip(interceptions.list({}))
        assert.isTrue(yield* record(started("i1")))
        yield* until(Effect.sync(() => lines.some(({ message }) => message.startsWith("records cannot be written"))))
        assert.isTrue(yield* record(ended("i1")))
        rmSync(directory)
        yield* until(
          Effect.map(
            Effect.orElseSucceed(interceptions.get("i1"), () => undefined),
            (details) => details?.end !== undefined
          )
        )
        assert.strictEqual(refused.reason._tag, "Unavailable")
      }).pipe(Effect.provide(Logs.into(lines)))

      assert.include(
        lines.map(({ message }) => message),
        "records are written again"
      )
    })
  )

  it.effect("may be made anew while the recorder runs", () =>
    Effect.gen(function* () {
      const place = yield* TestDatabase.sqlitePlace
      const context = yield* Layer.build(TestDatabase.recorder(place))
      const { record } = Context.get(context, Recorder)
      const interceptions = Context.get(context, Interceptions)
      const isThere = (id: string) =>
        Effect.map(
          Effect.orElseSucceed(interceptions.get(id), () => undefined),
          (details) => details !== undefined
        )
      yield* record(started("i1"))
      yield* until(isThere("i1"))

      yield* TestDatabase.inDatabase(place, (sql) =>
        Effect.forEach(
          Object.values(Migrations.tables("aibridge_")).toReversed(),
          (name) => sql`DROP TABLE ${sql(name)}`
        )
      )
      yield* record(started("i2"))
      yield* until(isThere("i2"))

      assert.isFalse(yield* isThere("i1"))
    })
  )

  it.effect("does not answer: neither the log nor an error tells the password, and the end does not wait for it", () =>
    Effect.gen(function* () {
      const lines: Array<Logs.Line> = []
      const url = Redacted.make("postgres://user:hunter2-secret@127.0.0.1:1/test")

      const error = yield* Effect.gen(function* () {
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(SqlRecorder.layer({ url }), scope)
        yield* Context.get(context, Recorder).record(started("i1"))
        yield* until(Effect.sync(() => lines.some(({ message }) => message.startsWith("records cannot be written"))))
        const reading = yield* Effect.forkChild(Effect.flip(Context.get(context, Interceptions).sums({})))
        yield* until(Effect.sync(() => reading.pollUnsafe() !== undefined))
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
        yield* until(Effect.sync(() => closing.pollUnsafe() !== undefined))
        return yield* Fiber.join(reading)
      }).pipe(Effect.provide(Logs.into(lines)))

      assert.include(error.message, "records cannot be read: ConnectionError")
      assert.deepInclude(lines.at(-1)?.annotations, { lost: 1 })
      assert.notInclude(JSON.stringify([lines, error.message]), "hunter2")
    })
  )
})

describe("A database of the first version", () => {
  it.effect("has the time that it takes to change it, and then has all that was kept", () =>
    Effect.gen(function* () {
      const place = yield* TestDatabase.sqlitePlace
      yield* TestDatabase.inDatabase(place, (sql) =>
        Effect.provideService(FirstVersion.fill(Migrations.tables(place.tablePrefix)), SqlClient, sql)
      )
      const other = new DatabaseSync(fileOf(place))
      yield* Effect.addFinalizer(() => Effect.sync(() => other.close()))
      const lines: Array<Logs.Line> = []
      const begun = (text: string) => lines.filter(({ message }) => message.startsWith(text)).length

      yield* Effect.gen(function* () {
        other.exec("BEGIN IMMEDIATE")
        const context = yield* Layer.build(TestDatabase.recorder(place, { retention: TestDatabase.ever }))
        const interceptions = Context.get(context, Interceptions)
        yield* Context.get(context, Recorder).record(started("i1"))
        yield* until(
          Effect.sync(() => begun("tables of an older version") > 0 && begun("records cannot be written") > 0)
        )
        other.exec("COMMIT")
        yield* until(
          Effect.map(
            Effect.orElseSucceed(interceptions.get("i1"), () => undefined),
            (details) => details !== undefined
          )
        )
        assert.strictEqual((yield* interceptions.get("first"))?.attempts.length, 2)
      }).pipe(Effect.provide(Logs.into(lines)))

      assert.strictEqual(begun("tables of an older version"), 1)
    })
  )
})

describe("SQLite", () => {
  it.effect("keeps the file for its owner alone, in WAL mode", () =>
    Effect.gen(function* () {
      const place = yield* TestDatabase.sqlitePlace

      const pragmas = yield* TestDatabase.inDatabase(place, (sql) =>
        Effect.all([
          sql`PRAGMA journal_mode`,
          sql`PRAGMA synchronous`,
          sql`PRAGMA foreign_keys`,
          sql`PRAGMA busy_timeout`
        ])
      )

      assert.deepStrictEqual(pragmas, [
        [{ journal_mode: "wal" }],
        [{ synchronous: 1 }],
        [{ foreign_keys: 1 }],
        [{ timeout: 5000 }]
      ])
      assert.strictEqual(statSync(fileOf(place)).mode & 0o777, 0o600)
    })
  )

  it.live("waits for another process's lock without holding up anything else", () =>
    Effect.gen(function* () {
      const place = yield* TestDatabase.sqlitePlace
      const path = fileOf(place)
      mkdirSync(dirname(path))
      const other = new DatabaseSync(path)
      yield* Effect.addFinalizer(() => Effect.sync(() => other.close()))
      let turns = 0

      yield* TestDatabase.inDatabase(place, (sql) =>
        Effect.gen(function* () {
          other.exec("BEGIN IMMEDIATE")
          const turning = yield* Effect.forkChild(
            Effect.forever(
              Effect.andThen(
                Effect.sync(() => turns++),
                Effect.sleep("5 millis")
              )
            )
          )
          yield* Effect.forkChild(
            Effect.delay(
              Effect.sync(() => other.exec("COMMIT")),
              "300 millis"
            )
          )
          yield* sql.withTransaction(sql`CREATE TABLE x (id INTEGER)`)
          turning.interruptUnsafe()
        })
      )

      assert.isAbove(turns, 20)
    })
  )

  it.effect("says what is wrong with a statement, and goes on", () =>
    Effect.gen(function* () {
      const place = yield* TestDatabase.sqlitePlace

      const result = yield* TestDatabase.inDatabase(place, (sql) =>
        Effect.gen(function* () {
          yield* sql`CREATE TABLE x (id INTEGER PRIMARY KEY)`
          yield* sql`INSERT INTO x VALUES (1)`
          const twice = yield* Effect.flip(sql.withTransaction(sql`INSERT INTO x VALUES (2), (1)`))
          const wrong = yield* Effect.flip(sql`SELECT missing`)
          return [twice.reason._tag, wrong.message, yield* sql`SELECT id FROM x`.values]
        })
      )

      assert.deepStrictEqual(result, ["ConstraintError", "no such column: missing", [[1]]])
    })
  )
})

describe.each(TestDatabase.places)("Old records on $name", ({ place: newPlace }) => {
  const day = 24 * 3600 * 1000

  it.effect("are deleted at the start and every hour, with all that belongs to them", () =>
    Effect.gen(function* () {
      const place = yield* newPlace
      yield* TestClock.setTime(noon)
      const context = yield* Layer.build(TestDatabase.recorder(place, { retention: Duration.days(60) }))
      const { record } = Context.get(context, Recorder)
      const interceptions = Context.get(context, Interceptions)
      const old = started("old", { at: noon - 60 * day + 1 })
      yield* Effect.forEach([old, prompt("old", "x"), tokens("old"), started("new")], record)
      yield* until(Effect.map(interceptions.get("new"), (details) => details !== undefined))
      const before = yield* interceptions.get("old")

      yield* TestClock.adjust("1 hour")
      yield* until(Effect.map(interceptions.get("old"), (details) => details === undefined))

      const left = yield* TestDatabase.inDatabase(
        place,
        (sql) => sql`SELECT interception_id FROM ${sql(`${place.tablePrefix}user_prompts`)}`
      )
      assert.strictEqual(before?.prompts.length, 1)
      assert.deepStrictEqual(left, [])
      assert.isDefined(yield* interceptions.get("new"))
    })
  )

  it.effect("are deleted 1000 at a time, with a pause in between", () =>
    Effect.gen(function* () {
      const place = yield* newPlace
      const tables = Migrations.tables(place.tablePrefix)
      const context = yield* Layer.build(TestDatabase.recorder(place, { retention: Duration.days(36_500) }))
      const { record } = Context.get(context, Recorder)
      const interceptions = Context.get(context, Interceptions)
      yield* Effect.forEach(
        Array.from({ length: 2500 }, (_, index) => started(`i${index}`, { at: noon + index })),
        record
      )
      yield* until(Effect.map(interceptions.get("i2499"), (details) => details !== undefined))

      const counts: Array<number> = []
      const fiber = yield* TestDatabase.inDatabase(place, (sql) =>
        Retention.deleteOlderThan(
          tables,
          (work) => Effect.tap(work(sql), (result) => Effect.sync(() => counts.push(Number(result)))),
          noon + 2400
        )
      ).pipe(Effect.forkChild)
      yield* TestClock.withLive(Effect.sleep("500 millis"))
      const beforePause = [...counts]
      yield* until(Effect.sync(() => fiber.pollUnsafe() !== undefined))
      const page = yield* interceptions.list({}, { limit: 200 })

      assert.deepStrictEqual(beforePause, [1000])
      assert.deepStrictEqual(counts, [1000, 1000, 400])
      assert.lengthOf(page.interceptions, 100)
    })
  )
})

describe("The address of the database", () => {
  const postgres = "postgres://user:secret@db.example:5432/bridge"

  const accepted: ReadonlyArray<readonly [string, DatabaseUrl.DatabaseUrl]> = [
    ["none", { _tag: "None" }],
    ["sqlite:data/aibridge.db", { _tag: "Sqlite", filename: "data/aibridge.db" }],
    ["sqlite:/var/lib/a.db", { _tag: "Sqlite", filename: "/var/lib/a.db" }],
    ["sqlite:///var/lib/a.db", { _tag: "Sqlite", filename: "/var/lib/a.db" }],
    [postgres, { _tag: "Postgres", url: Redacted.make(postgres) }]
  ]

  it.each(accepted)("may be %s", (text, url) => {
    assert.deepStrictEqual(DatabaseUrl.parse(text), Result.succeed(url))
  })

  it.each(["", "sqlite:", "sqlite://host/x.db", "data.db", "mysql://u:hunter2@h/d", "postgres:hunter2"])(
    "is refused as '%s', without saying it again",
    (text) => {
      const refused = DatabaseUrl.parse(text)

      assert.isTrue(Result.isFailure(refused))
      assert.include(JSON.stringify(refused), "must be sqlite:<path>, postgres://")
      assert.notInclude(JSON.stringify(refused), "hunter2")
    }
  )

  it.effect("that is none records nothing and has nothing to read", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(SqlRecorder.layer({ url: Redacted.make("none") }))

      const error = yield* Effect.flip(Context.get(context, Interceptions).list({}))

      assert.isFalse(Context.get(context, Recorder).keeps)
      assert.strictEqual(error.message, "records cannot be read: no database is configured")
    })
  )

  it.effect("that cannot be meant is an error of the layer, and so is a prefix", () =>
    Effect.gen(function* () {
      const url = yield* Effect.flip(Layer.build(SqlRecorder.layer({ url: Redacted.make("hunter2") })))
      const prefix = yield* Effect.flip(
        Layer.build(SqlRecorder.layer({ url: Redacted.make("sqlite:x.db"), tablePrefix: "a; DROP" }))
      )

      assert.include(url.message, "url must be sqlite:<path>")
      assert.notInclude(url.message, "hunter2")
      assert.include(prefix.message, "tablePrefix must be")
    })
  )
})
