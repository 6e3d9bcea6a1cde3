/** An MCP server of revision 2025-11-25 that a test lets do what servers should not do. Requests of other revisions get 400. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type { AddressInfo } from "node:net"

export interface OddMcpServer {
  readonly port: number
  /** The methods of what came, with `GET` and `DELETE` for what has none. */
  readonly seen: ReadonlyArray<string>
  readonly headers: ReadonlyArray<Http.IncomingHttpHeaders>
  readonly paths: ReadonlyArray<string>
  /** What it lists: pages of tools as they are sent. */
  pages: ReadonlyArray<ReadonlyArray<unknown>>
  /** What a call has for a result, or an error of the protocol; nothing is sent at all if it is `undefined`. */
  answer: { readonly result: unknown } | { readonly error: unknown } | undefined
  /** The status of every answer but 200, if set; 307 leads to `/elsewhere`. */
  status: number | undefined
  /** How long it takes to end a session, in milliseconds. */
  endMillis: number
  /** Whether it refuses new sessions with 503. */
  isFull: boolean
  /** Whether it has a stream of what changes; it answers 405 if not. */
  hasStream: boolean
  /** Forgets all sessions. */
  readonly forget: () => void
  /** Says on all streams that tools have changed. */
  readonly announce: () => void
  /** Ends all streams. */
  readonly endStreams: () => void
  readonly streams: () => number
}

export const tool = (name: string): unknown => ({ name, description: `Can ${name}`, inputSchema: { type: "object" } })

interface Message {
  readonly id?: number
  readonly method: string
  readonly params?: { readonly cursor?: string }
}

/** Until the scope closes. */
export const start: Effect.Effect<OddMcpServer, never, Scope.Scope> = Effect.gen(function* () {
  const seen: Array<string> = []
  const headers: Array<Http.IncomingHttpHeaders> = []
  const paths: Array<string> = []
  const sessions = new Set<string>()
  const streams = new Set<Http.ServerResponse>()
  let count = 0

  const answer = (message: Message, response: Http.ServerResponse) => {
    const result = (value: unknown) => json(response, 200, { jsonrpc: "2.0", id: message.id, result: value })
    switch (message.method) {
      case "initialize": {
        if (odd.isFull) return json(response, 503, {})
        const session = `session-${++count}`
        sessions.add(session)
        response.setHeader("mcp-session-id", session)
        return result({
          protocolVersion: "2025-11-25",
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: "odd", version: "1" }
        })
      }
      case "tools/list": {
        const page = Number(message.params?.cursor ?? "0")
        const nextCursor = page + 1 < odd.pages.length ? String(page + 1) : undefined
        return result({ tools: odd.pages[page] ?? [], nextCursor })
      }
      case "tools/call":
        return odd.answer && json(response, 200, { jsonrpc: "2.0", id: message.id, ...odd.answer })
      case "DELETE":
        return setTimeout(() => response.writeHead(204).end(), odd.endMillis)
      default:
        return response.writeHead(202).end()
    }
  }

  const server = Http.createServer((request, response) => {
    headers.push(request.headers)
    paths.push(request.url ?? "")
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString()
      const message: Message = text === "" ? { method: request.method ?? "" } : JSON.parse(text)
      seen.push(message.method)
      const session = request.headers["mcp-session-id"]
      if (odd.status === 307) response.setHeader("location", "/elsewhere")
      if (odd.status !== undefined) return json(response, odd.status, {})
      if (request.headers["mcp-protocol-version"] !== "2025-11-25") return json(response, 400, {})
      if (message.method !== "initialize" && !sessions.has(String(session))) return json(response, 404, {})
      if (message.method !== "GET") return answer(message, response)
      if (!odd.hasStream) return json(response, 405, {})
      streams.add(response)
      response.on("close", () => streams.delete(response))
      return response.writeHead(200, { "content-type": "text/event-stream" }).write(": hello\n\n")
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  const odd: OddMcpServer = {
    port: (server.address() as AddressInfo).port,
    seen,
    headers,
    paths,
    pages: [[tool("a")]],
    answer: { result: { content: [{ type: "text", text: "ok" }] } },
    status: undefined,
    endMillis: 0,
    isFull: false,
    hasStream: false,
    forget: () => sessions.clear(),
    announce: () => {
      const event = { jsonrpc: "2.0", method: "notifications/tools/list_changed" }
      for (const stream of streams) stream.write(`event: message\ndata: ${JSON.stringify(event)}\n\n`)
    },
    endStreams: () => {
      for (const stream of streams) stream.end()
    },
    streams: () => streams.size
  }
  return odd
})

const json = (response: Http.ServerResponse, status: number, value: unknown) =>
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value))
