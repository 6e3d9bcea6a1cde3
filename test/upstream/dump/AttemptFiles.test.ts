import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as AttemptFiles from "../../../src/upstream/dump/AttemptFiles.ts"
import * as TestDump from "../TestDump.ts"

const attempt = (body?: Uint8Array) => ({
  request: { method: "POST", origin: "https://api.test", path: "/v1/x", headers: {}, body },
  secret: Redacted.make("sk-secret")
})

describe("The file of a request", () => {
  it.effect.each([
    { what: "not UTF-8", body: Buffer.from(`{"a":"\xff"}`, "latin1") },
    { what: "UTF-8 with a byte order mark", body: Buffer.from(`\ufeff{"a":1}`) },
    {
      what: "so nested that it would be many times as long",
      body: Buffer.from("[".repeat(100_000) + "]".repeat(100_000))
    }
  ])("has a body as it is that is $what", ({ body }) =>
    Effect.gen(function* () {
      const directory = yield* TestDump.directory

      yield* AttemptFiles.writeRequest(join(directory, "a", "b"), attempt(body))

      const file = TestDump.parse(TestDump.only(TestDump.filesIn(directory), "a/b.req.txt"))
      assert.isTrue(file.body.equals(Buffer.concat([body, Buffer.from("\n")])))
      assert.strictEqual(file.headers["content-length"], String(body.length))
    })
  )

  it.effect("takes the place of no other file", () =>
    Effect.gen(function* () {
      const directory = yield* TestDump.directory
      writeFileSync(join(directory, "a.req.txt"), "other")

      const { code } = yield* Effect.flip(AttemptFiles.writeRequest(join(directory, "a"), attempt()))

      assert.strictEqual(code, "EEXIST")
      assert.strictEqual(TestDump.only(TestDump.filesIn(directory), ".txt").toString(), "other")
    })
  )

  it.effect("follows no link that stands in its place", () =>
    Effect.gen(function* () {
      const directory = yield* TestDump.directory
      mkdirSync(join(directory, "in"))
      symlinkSync(join(directory, "elsewhere"), join(directory, "in", "a.req.txt"))

      const { code } = yield* Effect.flip(AttemptFiles.writeRequest(join(directory, "in", "a"), attempt()))

      assert.strictEqual(code, "EEXIST")
      assert.isFalse(existsSync(join(directory, "elsewhere")))
    })
  )
})
