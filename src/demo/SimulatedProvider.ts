/**
 * A simulated Anthropic on a loopback port, so that a first run needs no account: a real HTTP server with three keys, of which
 * the first is rate-limited now and then and the second gets revoked.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { createServer } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import * as SimulatedAnswer from "./SimulatedAnswer.ts"

export interface SimulatedProvider {
  /** Where it listens. */
  readonly url: string
  /** What a gateway needs to know to have it for an upstream. */
  readonly providers: ReadonlyArray<{
    readonly type: "anthropic"
    readonly baseUrl: string
    readonly keys: ReadonlyArray<Redacted.Redacted<string>>
  }>
  /** Its keys. They open nothing. */
  readonly keys: readonly [string, string, string]
}

/** Every third request with the first key, beginning with the second one, is over its limit. */
const limitedEvery = 3
const limitSeconds = 10

/** The second key works once. */
const servedBeforeRevoked = 1

/** Pause between two events of a stream, in milliseconds. */
const eventPause = 40

/** Runs until the scope closes. */
export const start: Effect.Effect<SimulatedProvider, never, Scope.Scope> = Effect.gen(function* () {
  const keys = ["sk-simulated-primary-0001", "sk-simulated-second-0002", "sk-simulated-third-0003"] as const
  const uses = new Map<string, number>(keys.map((key) => [key, 0]))

  const server = yield* Effect.acquireRelease(
    Effect.sync(() =>
      createServer((request, response) => {
        // A client that leaves in the middle of its request.
        answer(request, response).catch(() => response.destroy())
      })
    ),
    (running) =>
      Effect.callback<void>((resume) => {
        running.close(() => resume(Effect.void))
        running.closeAllConnections()
      })
  )
  const port = yield* Effect.callback<number>((resume) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request)
    const key = String(request.headers["x-api-key"] ?? "")
    const use = (uses.get(key) ?? -1) + 1
    if (use > 0) uses.set(key, use)
    const path = request.url?.split("?")[0]
    if (use === 0 || (key === keys[1] && use > servedBeforeRevoked)) {
      return send(response, 401, SimulatedAnswer.error("authentication_error", "invalid x-api-key"))
    }
    if (key === keys[0] && use % limitedEvery === 2) {
      const headers = { "retry-after": String(limitSeconds) }
      return send(response, 429, SimulatedAnswer.error("rate_limit_error", "this key is over its limit"), headers)
    }
    if (path === "/v1/models") return send(response, 200, SimulatedAnswer.models)
    if (path === "/v1/messages/count_tokens") return send(response, 200, { input_tokens: 12 })
    if (path !== "/v1/messages") return send(response, 404, SimulatedAnswer.error("not_found_error", "not found"))
    const { model, stream } = SimulatedAnswer.read(body)
    if (!stream) return send(response, 200, SimulatedAnswer.message(model))
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" })
    writeSlowly(response, SimulatedAnswer.events(model))
  }
  const url = `http://127.0.0.1:${port}`
  const redacted = keys.map((key) => Redacted.make(key))
  return { url, keys, providers: [{ type: "anthropic", baseUrl: url, keys: redacted }] }
})

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString("utf8")
}

const send = (response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void => {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    ...headers
  })
  response.end(text)
}

const writeSlowly = (response: ServerResponse, events: ReadonlyArray<string>): void => {
  const [event, ...rest] = events
  if (response.destroyed) return
  if (event === undefined) return void response.end()
  response.write(event)
  setTimeout(() => writeSlowly(response, rest), eventPause)
}
