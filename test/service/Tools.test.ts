/** Tools of an MCP server in another process, run for a client of the service. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { join } from "node:path"
import * as OddMcpServer from "../tools/OddMcpServer.ts"
import * as TestMcp from "../tools/TestMcp.ts"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestDump from "../upstream/TestDump.ts"
import * as TestServer from "../upstream/TestServer.ts"
import * as TestAdmin from "./admin/TestAdmin.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestMessages from "./TestMessages.ts"
import * as TestService from "./TestService.ts"

const echo = "bmcp_srv_echo"

const call = TestAnswer.json(200, {
  ...TestMessages.message(""),
  content: [{ type: "tool_use", id: "toolu_1", name: echo, input: { owner: "admin" } }],
  stop_reason: "tool_use"
})

const namesIn = ({ tools }: { readonly tools: ReadonlyArray<{ readonly name: string }> }) =>
  tools.map(({ name }) => name)

const settings = (port: number, more = {}) => ({
  AIBRIDGE_MCP_0_NAME: "srv",
  AIBRIDGE_MCP_0_URL: `http://127.0.0.1:${port}/mcp`,
  AIBRIDGE_MCP_0_ALLOW: "^(echo|hang)$",
  ...more
})

/** A service whose provider gives these answers, with the tools of the server. */
const started = Effect.fnUntraced(function* (answers: ReadonlyArray<TestMessages.Answer>, more = {}) {
  const mcp = yield* TestMcp.serve("2026-07-28")
  const upstream = yield* TestServer.start
  const seen = yield* TestMessages.script(upstream, answers)
  const service = yield* TestService.before(upstream, 1, settings(mcp.port, more))
  yield* TestMcp.until(() => service.lines().some((line) => line.includes("MCP server srv is there")))
  const ask = Effect.gen(function* () {
    const answer = yield* TestHttp.send(service.url, { body: TestHttp.message({}) })
    const id = answer.headers["x-aibridge-interception-id"]
    return { id, status: answer.status, body: JSON.parse(yield* answer.text) }
  })
  return { mcp, service, ask, bodies: () => seen.map(({ body }) => JSON.parse(body.toString())) }
})

describe("A service with an MCP server", () => {
  it.live("offers the tools that are allowed, runs what the model calls, and answers once", () =>
    Effect.gen(function* () {
      const { ask, bodies, service } = yield* started([call, TestMessages.blocking("Here.")])

      const { status, body } = yield* ask

      assert.strictEqual(status, 200)
      assert.deepStrictEqual(body.content, [{ type: "text", text: "Here." }])
      const [first, second] = bodies()
      assert.deepStrictEqual(namesIn(first), [echo, "bmcp_srv_hang"])
      assert.deepStrictEqual(second.messages.at(-1).content[0].content, [{ type: "text", text: `{"owner":"admin"}` }])
      assert.strictEqual(service.lines().filter((line) => line.includes("level=WARN")).length, 0)
    })
  )

  it.live("records whose tool it was, and says so", () =>
    Effect.gen(function* () {
      const directory = yield* TestDump.directory
      const { ask, mcp, service } = yield* started([call, TestMessages.blocking("Here.")], {
        AIBRIDGE_DATABASE_URL: `sqlite:${join(directory, "records.db")}`
      })
      const { id } = yield* ask

      const show = TestAdmin.ask(service.adminUrl, `GET /interceptions/${id}`)
      const { body } = yield* Effect.repeat(show, {
        until: (answer) => Object(answer.body).tools?.length > 0,
        schedule: Schedule.spaced("20 millis"),
        times: 200
      })
      assert.deepStrictEqual(Object(body).tools, [
        {
          id: "toolu_1",
          name: "echo",
          args: `{"owner":"admin"}`,
          injected: true,
          serverUrl: `http://127.0.0.1:${mcp.port}/mcp`,
          error: null
        }
      ])
      assert.lengthOf(Object(body).tokens, 2)
    })
  )

  it.live("tells the model that a call took too long", () =>
    Effect.gen(function* () {
      const hang = call.toString().replace(echo, "bmcp_srv_hang")
      const { ask, bodies, mcp } = yield* started([Buffer.from(hang), TestMessages.blocking("Sorry.")], {
        AIBRIDGE_TOOL_TIMEOUT: "200ms"
      })

      const { body } = yield* ask

      assert.deepStrictEqual(body.content, [{ type: "text", text: "Sorry." }])
      assert.include(JSON.stringify(bodies()[1].messages.at(-1)), "no result within 200ms")
      yield* mcp.says(/cancelled hang/)
    })
  )

  it.live("tells the model that a result is too large", () =>
    Effect.gen(function* () {
      const large = call.toString().replace("admin", "x".repeat(1200))
      const length = Number(/content-length: (\d+)/i.exec(large)?.[1]) - "admin".length + 1200
      const answer = large.replace(/(content-length: )\d+/i, `$1${length}`)
      const { ask, bodies } = yield* started([Buffer.from(answer), TestMessages.blocking("Sorry.")], {
        AIBRIDGE_TOOL_RESULT_SIZE: "1KiB"
      })

      yield* ask

      assert.match(JSON.stringify(bodies()[1].messages.at(-1)), /the result has \d+ bytes, more than 1024/)
    })
  )

  it.live("tells the model to do without after so many calls", () =>
    Effect.gen(function* () {
      const { ask, bodies, mcp } = yield* started([call, call, TestMessages.blocking("Well.")], {
        AIBRIDGE_TOOL_ITERATIONS: "1"
      })

      const { body } = yield* ask

      assert.deepStrictEqual(body.content, [{ type: "text", text: "Well." }])
      assert.include(JSON.stringify(bodies()[2].messages.at(-1)), "tools were called 1 times")
      assert.lengthOf(mcp.output().match(/call of echo/g) ?? [], 1)
    })
  )

  it.live("sends it its headers, and offers nothing that is denied", () =>
    Effect.gen(function* () {
      const odd = yield* OddMcpServer.start
      odd.pages = [["get", "get_secret"].map(OddMcpServer.tool)]
      const { ask, bodies } = yield* started([TestMessages.blocking("Here.")], {
        AIBRIDGE_MCP_0_URL: `http://127.0.0.1:${odd.port}/mcp`,
        AIBRIDGE_MCP_0_HEADERS: "Authorization=Bearer one",
        AIBRIDGE_MCP_0_ALLOW: "^get",
        AIBRIDGE_MCP_0_DENY: "secret"
      })

      yield* ask

      assert.deepStrictEqual(namesIn(bodies()[0]), ["bmcp_srv_get"])
      assert.isTrue(odd.headers.every(({ authorization }) => authorization === "Bearer one"))
    })
  )
})
