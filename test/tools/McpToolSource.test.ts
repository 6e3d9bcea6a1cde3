/** Tools of a real MCP server in another process. What servers do wrong is in `McpFaults.test.ts`. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Logs from "../gateway/Logs.ts"
import * as TestServer from "../upstream/TestServer.ts"
import type { Revision } from "./TestMcp.ts"
import * as TestMcp from "./TestMcp.ts"

const revisions: ReadonlyArray<{ readonly revision: Revision }> = [
  { revision: "2026-07-28" },
  { revision: "2025-11-25" }
]

const older: ReadonlyArray<{ readonly revision: Revision }> = [{ revision: "2025-06-18" }, { revision: "2025-03-26" }]

const all = ["crash", "echo", "grow", "hang", "media", "refuse", "structured"]

const data = Buffer.from([0, 255, 1]).toString("base64")

describe.each(revisions)("A server of revision $revision", ({ revision }) => {
  it.live("has its tools listed", () =>
    Effect.gen(function* () {
      const server = yield* TestMcp.serve(revision)
      const source = yield* TestMcp.source(server.port)

      yield* TestMcp.hasTools(source)

      assert.deepStrictEqual(TestMcp.names(source), all)
      const { description, inputSchema } = yield* TestMcp.tool(source, "echo")
      assert.strictEqual(description, "Can echo")
      assert.deepStrictEqual(inputSchema, { type: "object", properties: { owner: { type: "string" } } })
      assert.strictEqual(source.url, `http://127.0.0.1:${server.port}/mcp`)
    })
  )

  it.live("has its tools called", () =>
    Effect.gen(function* () {
      const server = yield* TestMcp.serve(revision)
      const source = yield* TestMcp.source(server.port)
      yield* TestMcp.hasTools(source)

      assert.deepStrictEqual(yield* TestMcp.call(source, "echo", { owner: "admin" }), {
        isError: false,
        content: [{ type: "text", text: `{"owner":"admin"}` }]
      })
      assert.deepStrictEqual(yield* TestMcp.call(source, "refuse"), {
        isError: true,
        content: [{ type: "text", text: "no such workspace" }]
      })
      assert.deepStrictEqual(yield* TestMcp.call(source, "structured"), {
        isError: false,
        content: [{ type: "text", text: "3" }],
        structuredContent: { sum: 3 }
      })
      assert.deepStrictEqual(yield* TestMcp.call(source, "media"), {
        isError: false,
        content: [
          { type: "image", data, mimeType: "image/png" },
          { type: "audio", data, mimeType: "audio/wav" },
          { type: "resource", resource: { uri: "file:///a", mimeType: "text/plain", text: "a" } },
          { type: "resource", resource: { uri: "file:///b", blob: data } },
          { type: "resource_link", uri: "file:///c", name: "c" }
        ]
      })
    })
  )

  it.live("is not asked for arguments that are no object", () =>
    Effect.gen(function* () {
      const server = yield* TestMcp.serve(revision)
      const source = yield* TestMcp.source(server.port)
      yield* TestMcp.hasTools(source)

      for (const args of [null, [], "a", 1]) {
        const error = yield* Effect.flip(TestMcp.call(source, "echo", args))
        assert.strictEqual(error.message, "the arguments must be a JSON object")
      }
      assert.notInclude(server.output(), "call of echo")
    })
  )

  it.live("hears when a call is cancelled", () =>
    Effect.gen(function* () {
      const server = yield* TestMcp.serve(revision)
      const source = yield* TestMcp.source(server.port)
      yield* TestMcp.hasTools(source)
      const fiber = yield* Effect.forkChild(TestMcp.call(source, "hang"))
      yield* server.says(/call of hang/)

      yield* Fiber.interrupt(fiber)

      yield* server.says(/cancelled hang/)
    })
  )

  it.live("has the same tools as long as they do not change, and new ones when they do", () =>
    Effect.gen(function* () {
      const server = yield* TestMcp.serve(revision)
      const source = yield* TestMcp.source(server.port)
      yield* TestMcp.hasTools(source)
      const before = source.tools()
      yield* Effect.sleep("300 millis")
      assert.strictEqual(source.tools(), before)

      yield* TestMcp.call(source, "grow")

      yield* TestMcp.until(() => source.tools() !== before)
      assert.deepStrictEqual(TestMcp.names(source), all.toSpliced(3, 0, "grown"))
    })
  )

  it.live("that dies in a call makes it fail, keeps its tools, and is used again when it is back", () =>
    Effect.gen(function* () {
      const server = yield* TestMcp.serve(revision)
      const lines: Array<Logs.Line> = []
      const source = yield* TestMcp.source(server.port, { refreshInterval: "1 hour" }, lines)
      yield* TestMcp.until(() => lines.length === 1)
      const before = source.tools()

      const broken = yield* Effect.flip(TestMcp.call(source, "crash"))
      yield* TestMcp.until(() => lines.some(({ level }) => level === "WARN"))
      const away = yield* Effect.flip(TestMcp.call(source, "echo"))
      yield* TestMcp.serve(revision, server.port)
      yield* TestMcp.until(() => lines.length === 3)

      assert.match(broken.message, /^server srv cannot be reached or has broken off/)
      assert.strictEqual(away.message, "server srv cannot be reached")
      assert.strictEqual(source.tools(), before)
      assert.deepStrictEqual(
        lines.map(({ level, message }) => [level, message]),
        [
          ["INFO", "MCP server srv is there, with 7 tools"],
          ["WARN", "MCP server srv cannot be used: no connection (ECONNREFUSED)"],
          ["INFO", "MCP server srv is there, with 7 tools"]
        ]
      )
      assert.isFalse((yield* TestMcp.call(source, "echo")).isError)
    })
  )
})

describe.each(older)("A server of no later revision than $revision", ({ revision }) => {
  it.live("has its tools listed and called", () =>
    Effect.gen(function* () {
      const server = yield* TestMcp.serve(revision)
      const source = yield* TestMcp.source(server.port)

      yield* TestMcp.hasTools(source)

      assert.deepStrictEqual(TestMcp.names(source), all)
      assert.deepStrictEqual(yield* TestMcp.call(source, "echo", { owner: "admin" }), {
        isError: false,
        content: [{ type: "text", text: `{"owner":"admin"}` }]
      })
    })
  )
})

describe("A server that says that its tools have changed", () => {
  it.live("is asked at once", () =>
    Effect.gen(function* () {
      const server = yield* TestMcp.serve("2026-07-28")
      const source = yield* TestMcp.source(server.port, { refreshInterval: "1 hour" })
      yield* TestMcp.hasTools(source)

      // The first change may be seen when it begins to listen.
      for (const owner of ["first", "second"]) {
        yield* TestMcp.call(source, "grow", { owner })

        yield* TestMcp.until(() => TestMcp.names(source).includes(owner))
      }
    })
  )
})

describe("A server that is down at the start", () => {
  it.live("stops nothing, and has its tools when it comes up", () =>
    Effect.gen(function* () {
      const port = yield* TestServer.unusedPort
      const lines: Array<Logs.Line> = []
      const source = yield* TestMcp.source(port, {}, lines)
      yield* TestMcp.until(() => lines.length > 0)
      assert.deepStrictEqual(source.tools(), [])

      yield* TestMcp.serve("2026-07-28", port)

      yield* TestMcp.hasTools(source)
      assert.deepStrictEqual(
        lines.map(({ level }) => level),
        ["WARN", "INFO"]
      )
    })
  )
})
