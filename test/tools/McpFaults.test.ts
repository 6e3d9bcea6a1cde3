/** What MCP servers do wrong, or rarely. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Tracer from "effect/Tracer"
import type { ToolResult } from "../../src/domain/ToolResult.ts"
import type * as McpToolSource from "../../src/tools/McpToolSource.ts"
import * as Logs from "../gateway/Logs.ts"
import * as Odd from "./OddMcpServer.ts"
import * as TestMcp from "./TestMcp.ts"

const ok: ToolResult = { isError: false, content: [{ type: "text", text: "ok" }] }

/** A source that has its tools, and is refreshed only if it is told to. */
const started = Effect.fnUntraced(function* (
  change: (server: Odd.OddMcpServer) => void = () => undefined,
  options: Partial<McpToolSource.Options> = {}
) {
  const server = yield* Odd.start
  change(server)
  const lines: Array<Logs.Line> = []
  const source = yield* TestMcp.source(server.port, { refreshInterval: "1 hour", ...options }, lines)
  yield* TestMcp.until(() => lines.length > 0 && lines.at(-1)?.level === "INFO")
  return { server, source, lines, warnings: () => lines.filter(({ level }) => level !== "INFO") }
})

const timesOf = ({ seen }: Odd.OddMcpServer, method: string) => seen.filter((one) => one === method).length

describe("A list of tools", () => {
  it.live("is read to its last page, is sorted, and has each name once", () =>
    Effect.gen(function* () {
      const { source } = yield* started((server) => {
        server.pages = [[Odd.tool("c"), Odd.tool("b")], [], [Odd.tool("a"), Odd.tool("b")]]
      })

      assert.deepStrictEqual(TestMcp.names(source), ["a", "b", "c"])
    })
  )

  it.live.each([
    { what: "no schema", broken: { name: "b" } },
    { what: "a schema that is no object's", broken: { name: "b", inputSchema: { type: "string" } } },
    { what: "properties that are none", broken: { name: "b", inputSchema: { type: "object", properties: [1] } } }
  ])("is without a tool with $what, which is logged once", ({ broken }) =>
    Effect.gen(function* () {
      const { server, source, warnings } = yield* started(
        (odd) => {
          odd.pages = [[Odd.tool("a"), broken]]
        },
        { refreshInterval: "20 millis" }
      )
      yield* TestMcp.until(() => timesOf(server, "tools/list") > 2)

      assert.deepStrictEqual(TestMcp.names(source), ["a"])
      assert.deepStrictEqual(
        warnings().map(({ level, annotations }) => [level, annotations["tool"]]),
        [["WARN", "b"]]
      )
    })
  )

  it.live("is the same array if the order of tools and what models do not see change", () =>
    Effect.gen(function* () {
      const { server, source } = yield* started(
        (odd) => {
          odd.pages = [[Odd.tool("a"), Odd.tool("b")]]
        },
        { refreshInterval: "20 millis" }
      )
      const before = source.tools()

      server.pages = [[Odd.tool("b"), { ...Object(Odd.tool("a")), _meta: { at: 1 } }]]
      const lists = timesOf(server, "tools/list")
      yield* TestMcp.until(() => timesOf(server, "tools/list") > lists + 1)
      assert.strictEqual(source.tools(), before)

      server.pages = [[Odd.tool("a"), { ...Object(Odd.tool("b")), description: "Can more" }]]
      yield* TestMcp.until(() => source.tools() !== before)
    })
  )

  it.live("is filtered", () =>
    Effect.gen(function* () {
      const { source, warnings } = yield* started(
        (odd) => {
          odd.pages = [["get", "get_all", "set"].map(Odd.tool)]
        },
        { allow: [/^get/], deny: [/all$/] }
      )

      assert.deepStrictEqual(TestMcp.names(source), ["get"])
      assert.deepStrictEqual(
        warnings().map(({ message, annotations }) => [message, annotations["tool"]]),
        [["a tool is both allowed and denied, and not offered", "get_all"]]
      )
    })
  )
})

describe("A server that says that its tools have changed", () => {
  it.live("is asked at once, also after its stream has ended", () =>
    Effect.gen(function* () {
      const { server, source } = yield* started((odd) => {
        odd.hasStream = true
      })
      yield* TestMcp.until(() => server.streams() === 1 && timesOf(server, "tools/list") === 2)

      server.pages = [[Odd.tool("b")]]
      server.announce()
      yield* TestMcp.until(() => TestMcp.names(source)[0] === "b")
      server.endStreams()
      yield* TestMcp.until(() => server.streams() === 1 && timesOf(server, "tools/list") === 4)
      server.pages = [[Odd.tool("c")]]
      server.announce()

      yield* TestMcp.until(() => TestMcp.names(source)[0] === "c")
    })
  )

  it.live("is not asked for a stream again when it has none", () =>
    Effect.gen(function* () {
      const { server } = yield* started(undefined, { refreshInterval: "20 millis" })
      yield* TestMcp.until(() => timesOf(server, "tools/list") > 4)

      assert.strictEqual(timesOf(server, "GET"), 1)
    })
  )
})

describe("A call", () => {
  it.live("is repeated once in a new session if the server has forgotten the old one", () =>
    Effect.gen(function* () {
      const { server, source, lines } = yield* started()
      const before = source.tools()
      server.forget()

      const result = yield* TestMcp.call(source, "a")

      assert.deepStrictEqual(result, ok)
      assert.strictEqual(timesOf(server, "tools/call"), 2)
      assert.strictEqual(source.tools(), before)
      assert.strictEqual(lines.length, 1)
    })
  )

  it.live("fails if the server cannot be reached for a new session", () =>
    Effect.gen(function* () {
      const { server, source, warnings } = yield* started()
      server.forget()
      server.isFull = true

      const { message } = yield* Effect.flip(TestMcp.call(source, "a"))

      assert.strictEqual(message, "server srv cannot be reached")
      yield* TestMcp.until(() => warnings().length > 0)
      assert.deepStrictEqual(
        warnings().map((line) => line.message),
        ["MCP server srv cannot be used: MCP HTTP status 503"]
      )
    })
  )

  it.live("that the server refuses makes the source look at once whether it is there, and use it when it is", () =>
    Effect.gen(function* () {
      const { server, source, lines } = yield* started()
      server.status = 503

      const { message } = yield* Effect.flip(TestMcp.call(source, "a"))

      assert.strictEqual(message, "server srv: MCP HTTP status 503")
      yield* TestMcp.until(() => lines.length === 2)
      server.status = undefined
      yield* TestMcp.until(() => lines.length === 3)
      assert.deepStrictEqual(
        lines.map(({ level }) => level),
        ["INFO", "WARN", "INFO"]
      )
      assert.deepStrictEqual(yield* TestMcp.call(source, "a"), ok)
    })
  )

  it.live("has the message of an error of the protocol", () =>
    Effect.gen(function* () {
      const { server, source } = yield* started()
      server.answer = { error: { code: -32602, message: "no such owner" } }

      const { message } = yield* Effect.flip(TestMcp.call(source, "a"))

      assert.strictEqual(message, "server srv: no such owner")
    })
  )

  it.live("has a result without what nobody knows", () =>
    Effect.gen(function* () {
      const { server, source } = yield* started()
      server.answer = { result: { content: [{ type: "hologram", data: 1 }, { type: "image" }, ...ok.content] } }

      assert.deepStrictEqual(yield* TestMcp.call(source, "a"), ok)
    })
  )

  it.live("fails if what comes is no result", () =>
    Effect.gen(function* () {
      const { server, source } = yield* started()
      server.answer = { result: { content: "ok" } }

      const { message } = yield* Effect.flip(TestMcp.call(source, "a"))

      assert.strictEqual(message, "server srv: Invalid MCP payload")
    })
  )

  it.live("that hangs is told to the server when it is interrupted", () =>
    Effect.gen(function* () {
      const { server, source } = yield* started()
      server.answer = undefined
      const fiber = yield* Effect.forkChild(TestMcp.call(source, "a"))
      yield* TestMcp.until(() => timesOf(server, "tools/call") === 1)

      yield* Fiber.interrupt(fiber)

      assert.strictEqual(timesOf(server, "notifications/cancelled"), 1)
    })
  )

  it.live.each([
    { what: "interrupts itself", ends: Effect.interrupt },
    { what: "breaks by a defect", ends: Effect.die(new Error("a defect")) }
  ])("fails if the client $what, which is not the caller's interruption", ({ ends }) =>
    Effect.gen(function* () {
      const server = yield* Odd.start
      const source = yield* TestMcp.source(server.port, {}, [], (sent, request) =>
        JSON.stringify(request.body.toJSON()).includes("tools/call") ? ends : sent
      )
      yield* TestMcp.hasTools(source)

      const { message } = yield* Effect.flip(TestMcp.call(source, "a"))

      assert.match(message, /^server srv cannot be reached or has broken off/)
    }).pipe(Effect.provide(Logs.into([])))
  )

  it.live("goes on while the server is connected to anew", () =>
    Effect.gen(function* () {
      const { server, source, lines } = yield* started(undefined, { refreshInterval: "20 millis" })
      server.answer = undefined
      const fiber = yield* Effect.forkChild(TestMcp.call(source, "a"))
      yield* TestMcp.until(() => timesOf(server, "tools/call") === 1)
      const sessions = timesOf(server, "initialize")

      server.forget()
      yield* TestMcp.until(() => timesOf(server, "initialize") > sessions && lines.length === 1)

      assert.isUndefined(fiber.pollUnsafe())
      yield* Fiber.interrupt(fiber)
    })
  )
})

describe("What is secret", () => {
  it.live("is sent, and is in no log line, error, span or record", () => {
    const spans: Array<string> = []
    const tracer = Tracer.make({
      span: (options) => {
        spans.push(options.name)
        return new Tracer.NativeSpan(options)
      }
    })
    const test = Effect.gen(function* () {
      const server = yield* Odd.start
      const secrets = ["secret-key-1", "secret-word-2", "secret-query-3"]
      const url = new URL(`http://user:secret-word-2@127.0.0.1:${server.port}/mcp?key=secret-query-3`)
      const headers = { "X-Key": Redacted.make("Bearer secret-key-1") }
      const lines: Array<Logs.Line> = []
      server.status = 401
      const source = yield* TestMcp.source(server.port, { url, headers, retry: Schedule.spaced("20 millis") }, lines)
      yield* TestMcp.until(() => lines.length === 1)
      server.status = undefined
      yield* TestMcp.hasTools(source)
      server.answer = { error: { code: -32602, message: `not allowed with ${secrets.join(" and ")}` } }

      const { message } = yield* Effect.flip(TestMcp.call(source, "a"))

      assert.strictEqual(message, "server srv: not allowed with <secret> and <secret> and <secret>")
      assert.strictEqual(source.url, `http://127.0.0.1:${server.port}/mcp`)
      const said = JSON.stringify([lines, message, source.url])
      for (const secret of secrets) assert.notInclude(said, secret)
      for (const sent of server.headers) {
        assert.strictEqual(sent["x-key"], "Bearer secret-key-1")
        assert.strictEqual(sent.authorization, `Basic ${Buffer.from("user:secret-word-2").toString("base64")}`)
        assert.isUndefined(sent["traceparent"])
      }
      assert.deepStrictEqual(spans, ["caller"])
    })
    return Effect.withTracer(Effect.withSpan(test, "caller"), tracer)
  })
})

describe("A redirect", () => {
  it.live("is not followed, so that no header goes elsewhere", () =>
    Effect.gen(function* () {
      const server = yield* Odd.start
      server.status = 307
      const lines: Array<Logs.Line> = []

      yield* TestMcp.source(server.port, { headers: { "x-key": Redacted.make("1") } }, lines)

      yield* TestMcp.until(() => lines.length === 1)
      assert.strictEqual(lines[0]?.message, "MCP server srv cannot be used: MCP HTTP status 307")
      assert.notInclude(server.paths, "/elsewhere")
    })
  )
})

describe("A source that ends", () => {
  it.live("ends its session without a word", () =>
    Effect.gen(function* () {
      const server = yield* Odd.start

      const lines: Array<Logs.Line> = []

      // It could be asked for its tools in vain meanwhile.
      server.endMillis = 300

      yield* Effect.scoped(
        Effect.flatMap(TestMcp.source(server.port, { refreshInterval: "1 millis" }, lines), TestMcp.hasTools)
      )

      assert.strictEqual(timesOf(server, "DELETE"), 1)
      assert.deepStrictEqual(
        lines.map(({ level }) => level),
        ["INFO"]
      )
    })
  )
})
