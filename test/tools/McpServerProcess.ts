/**
 * An MCP server of the library's in a process of its own: `node McpServerProcess.ts <port> <revision>`. Says `listening on <port>`, and a line for each call and for what ends it.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as McpProtocol from "effect/ai/McpProtocol"
import * as McpSchema from "effect/ai/McpSchema"
import * as McpServer from "effect/ai/McpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"

const [port = "0", revision = ""] = process.argv.slice(2)

const protocols: Readonly<Record<string, McpProtocol.ProtocolAdapter>> = {
  "2026-07-28": McpProtocol.v2026_07_28,
  "2025-11-25": McpProtocol.v2025_11_25,
  "2025-06-18": McpProtocol.v2025_06_18,
  "2025-03-26": McpProtocol.v2025_03_26
}

const say = (line: string) => Effect.sync(() => void process.stdout.write(`${line}\n`))

type Result = ConstructorParameters<typeof McpSchema.CallToolResult>[0]

const add = Effect.fnUntraced(function* (
  name: string,
  run: (args: Readonly<Record<string, unknown>>) => Effect.Effect<Result>
) {
  const server = yield* McpServer.McpServer
  yield* server.addTool({
    tool: McpSchema.Tool.make({
      name,
      description: `Can ${name}`,
      inputSchema: { type: "object", properties: { owner: { type: "string" } } }
    }),
    annotations: Context.empty(),
    handle: (args: Readonly<Record<string, unknown>>) =>
      say(`call of ${name}`).pipe(
        Effect.andThen(run(args)),
        Effect.map((result) => McpSchema.CallToolResult.make(result)),
        Effect.onInterrupt(() => say(`cancelled ${name}`))
      )
  })
})

const text = (said: string): Result => ({ content: [{ type: "text", text: said }] })

const bytes = new Uint8Array([0, 255, 1])

const registrations = Layer.effectDiscard(
  Effect.gen(function* () {
    const server = yield* McpServer.McpServer
    yield* add("echo", (args) => Effect.succeed(text(JSON.stringify(args))))
    yield* add("refuse", () => Effect.succeed({ ...text("no such workspace"), isError: true }))
    yield* add("structured", () => Effect.succeed({ ...text("3"), structuredContent: { sum: 3 } }))
    yield* add("media", () =>
      Effect.succeed({
        content: [
          { type: "image", data: bytes, mimeType: "image/png" },
          { type: "audio", data: bytes, mimeType: "audio/wav" },
          { type: "resource", resource: { uri: "file:///a", mimeType: "text/plain", text: "a" } },
          { type: "resource", resource: { uri: "file:///b", blob: bytes } },
          { type: "resource_link", uri: "file:///c", name: "c" }
        ]
      })
    )
    yield* add("hang", () => Effect.never)
    yield* add("crash", () =>
      Effect.sync(() => process.kill(process.pid, "SIGKILL")).pipe(Effect.andThen(Effect.never))
    )
    yield* add("grow", ({ owner = "grown" }) =>
      add(String(owner), () => Effect.succeed(text("grown"))).pipe(
        Effect.provideService(McpServer.McpServer, server),
        Effect.as(text("done"))
      )
    )
  })
)

const server = Http.createServer()
server.on("listening", () => {
  process.stdout.write(`listening on ${(server.address() as AddressInfo).port}\n`)
})

const app = HttpRouter.serve(
  McpServer.layerHttp({
    name: "test",
    version: "1.0.0",
    path: "/mcp",
    protocols: [protocols[revision] ?? McpProtocol.v2026_07_28],
    registrations
  }),
  { disableLogger: true, disableListenLog: true }
).pipe(Layer.provide(NodeHttpServer.layer(() => server, { port: Number(port), host: "127.0.0.1" })))

await Effect.runPromise(Layer.launch(app))
