import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { existsSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { ApiDump } from "../../src/upstream/ApiDump.ts"
import * as ApiDumpFiles from "../../src/upstream/ApiDumpFiles.ts"
import * as Logs from "../gateway/Logs.ts"
import * as TestDump from "./TestDump.ts"

/** One attempt without an answer. */
const attempt = Effect.fnUntraced(function* (model: string, size: number) {
  const dump = yield* ApiDump
  const begin = dump?.request({ provider: "p", interception: { id: "i", model } })
  if (begin === undefined) return assert.fail("there is no dump")
  const request = { method: "POST", origin: "https://api.test", path: "/v1/x", headers: {}, body: new Uint8Array(size) }
  const answer = yield* begin({ request, secret: Redacted.make("sk-secret") })
  answer.end()
})

/** Lets the system go on with what it is at. */
const turn = Effect.promise(() => new Promise<void>((done) => setImmediate(done)))

const modelsIn = (directory: string) => readdirSync(join(directory, "p")).toSorted()

describe("Requests that wait for the disk", () => {
  it.effect("are left out when they would fill the memory, and taken again when there is room", () =>
    Effect.gen(function* () {
      const directory = yield* TestDump.directory
      const lines: Array<Logs.Line> = []
      yield* Effect.gen(function* () {
        for (const model of ["one", "two", "three"]) yield* attempt(model, 30 * 1024 * 1024)

        for (let tries = 0; tries < 10_000 && !existsSync(join(directory, "p", "later")); tries++) {
          yield* turn
          yield* attempt("later", 5 * 1024 * 1024)
        }
      }).pipe(Effect.provide(ApiDumpFiles.layer(() => directory)), Effect.provide(Logs.into(lines)))

      assert.deepStrictEqual(modelsIn(directory), ["later", "one", "two"])
      assert.deepStrictEqual(
        lines.slice(1).map(({ level, message }) => [level, message]),
        [["WARN", "dumps are not complete: the disk is slower than what comes"]]
      )
    })
  )
})
