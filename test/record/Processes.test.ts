/** Processes that share a database, or are killed. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { spawn } from "node:child_process"
import type { ChildProcessWithoutNullStreams } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { Interceptions } from "../../src/record/Interceptions.ts"
import * as Migrations from "../../src/record/sql/Migrations.ts"
import * as TestDatabase from "./TestDatabase.ts"

interface Child {
  readonly process: ChildProcessWithoutNullStreams
  readonly stdout: () => string
  readonly stderr: () => string
}

const script = fileURLToPath(new URL("./WriterProcess.ts", import.meta.url))

/** A writer that is ready to begin. */
const writer = (place: TestDatabase.Place, mode: string): Effect.Effect<Child, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const child = spawn(process.execPath, [script, place.url, place.tablePrefix, mode])
      const said = { stdout: "", stderr: "" }
      child.stderr.on("data", (data) => {
        said.stderr += String(data)
      })
      const ready = once(child.stdout, "data")
      await Promise.race([ready, once(child, "exit")])
      child.stdout.on("data", (data) => {
        said.stdout += String(data)
      })
      return { process: child, stdout: () => said.stdout, stderr: () => said.stderr }
    }),
    (child) => Effect.sync(() => child.process.kill("SIGKILL"))
  )

const exitOf = ({ process: child, stderr }: Child) =>
  Effect.promise(async () => {
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit")
    return { code: child.exitCode, stderr: stderr() }
  })

const begin = (child: Child) => Effect.sync(() => child.process.stdin.write("go\n"))

/** What it has begun, once it is written. */
const openOf = ({ stdout }: Child) =>
  TestClock.withLive(
    Effect.gen(function* () {
      for (;;) {
        const [, id] = /^open (\S{36})$/m.exec(stdout()) ?? []
        if (id !== undefined) return id
        yield* Effect.sleep("20 millis")
      }
    })
  )

const found = (place: TestDatabase.Place) =>
  Effect.provide(
    Effect.gen(function* () {
      const interceptions = yield* Interceptions
      const ids = new Set<string>()
      for (let cursor: string | undefined; ;) {
        const page = yield* interceptions.list({}, { limit: 200, cursor })
        for (const { id } of page.interceptions) ids.add(id)
        if (page.next === undefined) return ids
        cursor = page.next
      }
    }),
    TestDatabase.recorder(place),
    { local: true }
  )

describe.each(TestDatabase.places)("On $name", ({ name, place: newPlace }) => {
  it.live("processes that start at once on an empty database all make its tables and record", () =>
    Effect.gen(function* () {
      const place = yield* newPlace
      const children = yield* Effect.all(
        [0, 1, 2, 3].map(() => writer(place, "once")),
        { concurrency: 4 }
      )

      yield* Effect.forEach(children, begin)
      const ends = yield* Effect.forEach(children, exitOf)

      // Nothing on stderr: no warning of the runtime either.
      assert.deepStrictEqual(
        ends,
        children.map(() => ({ code: 0, stderr: "" }))
      )
      assert.notInclude(children.map((child) => child.stdout()).join(), "cannot be written")
      assert.strictEqual((yield* found(place)).size, 4)
    })
  )

  it.effect("what a killed process has left open ends with the next start; what a living one answers does not", () =>
    Effect.gen(function* () {
      const place = yield* newPlace
      const children = yield* Effect.all([writer(place, "open"), writer(place, "open")], { concurrency: 2 })
      yield* Effect.forEach(children, begin)
      const [killed = "", living = ""] = yield* Effect.forEach(children, openOf)
      const [first] = children
      first?.process.kill("SIGKILL")
      yield* Effect.forEach(children.slice(0, 1), exitOf)
      const { interceptions, writers } = Migrations.tables(place.tablePrefix)
      // As if it was two minutes ago.
      yield* TestDatabase.inDatabase(
        place,
        (sql) => sql`UPDATE ${sql(writers)} SET last_seen_at = last_seen_at - 120000 WHERE writer_id = (
          SELECT writer_id FROM ${sql(interceptions)} WHERE id = ${killed}
        )`
      )
      yield* TestClock.setTime(Date.now())

      const ends = yield* Effect.provide(
        Effect.gen(function* () {
          const { get } = yield* Interceptions
          while ((yield* get(killed))?.end === undefined) yield* TestClock.withLive(Effect.sleep("20 millis"))
          return [(yield* get(killed))?.end, (yield* get(living))?.end]
        }),
        TestDatabase.recorder(place),
        { local: true }
      )

      assert.deepInclude(ends[0], { reason: "unknown", usageQuality: "none", status: undefined })
      assert.isUndefined(ends[1])
    })
  )

  it.live("a process that is killed loses at most its last second, and the database opens clean", () =>
    Effect.gen(function* () {
      const place = yield* newPlace
      const child = yield* writer(place, "forever")

      yield* begin(child)
      yield* Effect.sleep("3500 millis")
      const killedAt = Date.now()
      child.process.kill("SIGKILL")
      yield* exitOf(child)

      const recorded = Array.from(child.stdout().matchAll(/^(\S{36}) (\d+)$/gm), ([, id, at]) => ({
        id,
        at: Number(at)
      }))
      const ids = yield* found(place)
      const lost = recorded.filter(({ id }) => id === undefined || !ids.has(id))
      assert.isAbove(recorded.length, 100)
      assert.deepStrictEqual(
        lost.filter(({ at }) => at < killedAt - 1000),
        []
      )
      if (name === "SQLite") {
        const check = yield* TestDatabase.inDatabase(place, (sql) => sql`PRAGMA integrity_check`)
        assert.deepStrictEqual(check, [{ integrity_check: "ok" }])
      }
    })
  )
})
