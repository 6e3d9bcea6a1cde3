/**
 * A simulated Anthropic, OpenAI and Copilot on one loopback port, so that a first run needs no account: a real HTTP server with
 * three keys for each of the first two, which wear off as `SimulatedKeys` has it.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { createServer } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import * as Json from "../domain/Json.ts"
import * as SimulatedAnthropic from "./SimulatedAnthropic.ts"
import * as SimulatedKeys from "./SimulatedKeys.ts"
import * as SimulatedOpenAi from "./SimulatedOpenAi.ts"
import type { Answer, SimulatedVendor } from "./SimulatedVendor.ts"
import { json } from "./SimulatedVendor.ts"

export interface SimulatedProvider {
  /** Where it listens. */
  readonly url: string
  /** What a gateway needs to know to have them for upstreams. */
  readonly providers: ReadonlyArray<{
    readonly type: SimulatedVendor["type"]
    readonly baseUrl: string
    /** None: callers bring their own, and any will do. */
    readonly keys: ReadonlyArray<Redacted.Redacted<string>> | undefined
  }>
}

/** Pause between two events of a stream, in milliseconds. */
const eventPause = 40

/** Runs until the scope closes. */
export const start: Effect.Effect<SimulatedProvider, never, Scope.Scope> = Effect.gen(function* () {
  const anthropic = withKeys(SimulatedAnthropic.vendor)
  const others = [withKeys(SimulatedOpenAi.vendor), withKeys(SimulatedOpenAi.copilot)]

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Json.parse(await readBody(request))
    const [path = ""] = (request.url ?? "").split("?")
    const { vendor, use } = others.find((other) => path.startsWith(`${other.vendor.path}/`)) ?? anthropic
    switch (use(vendor.credential(request.headers))) {
      case "refused":
        return send(response, json(401, vendor.refused))
      case "limited":
        response.setHeader("retry-after", String(SimulatedKeys.limitSeconds))
        return send(response, json(429, vendor.limited))
      case "served": {
        const method = request.method === "HEAD" ? "GET" : request.method
        return send(response, vendor.answer({ route: `${method} ${path.slice(vendor.path.length)}`, body }))
      }
    }
  }

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
  const url = `http://127.0.0.1:${port}`
  const providers = [anthropic, ...others].map(({ vendor: { type, path, keys } }) => ({
    type,
    baseUrl: url + path,
    keys: keys?.map((key) => Redacted.make(key))
  }))
  return { url, providers }
})

const withKeys = (vendor: SimulatedVendor) => ({
  vendor,
  use: vendor.keys === undefined ? anyCredential : SimulatedKeys.make(vendor.keys)
})

const anyCredential = (credential: string | undefined): SimulatedKeys.Outcome =>
  credential === undefined ? "refused" : "served"

const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString("utf8")
}

const send = (response: ServerResponse, answer: Answer): void => {
  switch (answer._tag) {
    case "Json": {
      const text = JSON.stringify(answer.body)
      response.writeHead(answer.status, {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(text)
      })
      return void response.end(text)
    }
    case "Events":
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" })
      return writeSlowly(response, answer.events)
  }
}

const writeSlowly = (response: ServerResponse, events: ReadonlyArray<string>): void => {
  const [event, ...rest] = events
  if (response.destroyed) return
  if (event === undefined) return void response.end()
  response.write(event)
  setTimeout(() => writeSlowly(response, rest), eventPause)
}
