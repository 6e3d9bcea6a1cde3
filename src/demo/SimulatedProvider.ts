/**
 * A simulated Anthropic, OpenAI, Copilot and Bedrock on one loopback port, so that a first run needs no account: a real HTTP
 * server with three keys for each of them but Copilot, which wear off as `SimulatedKeys` has it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { randomUUID } from "node:crypto"
import { createServer } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import * as Json from "../domain/Json.ts"
import * as SimulatedAnthropic from "./SimulatedAnthropic.ts"
import * as SimulatedBedrock from "./SimulatedBedrock.ts"
import * as SimulatedKeys from "./SimulatedKeys.ts"
import * as SimulatedOpenAi from "./SimulatedOpenAi.ts"
import type { Answer, Request, SimulatedVendor } from "./SimulatedVendor.ts"

export interface SimulatedProvider {
  /** Where it listens. */
  readonly url: string
  readonly providers: ReadonlyArray<Settings>
}

/** What a gateway needs to know of a vendor to have it for an upstream. */
export interface Settings extends Pick<SimulatedVendor, "name" | "type"> {
  /** None: Bedrock has one of its own. */
  readonly baseUrl: string | undefined
  /** None: callers bring their own, and any will do. Bedrock has credentials instead. */
  readonly keys: ReadonlyArray<Redacted.Redacted<string>> | undefined
  readonly bedrock: (SimulatedBedrock.Settings & { readonly baseUrl: string }) | undefined
}

/** Pause between two events of a stream, in milliseconds. */
const eventPause = 40

/** Runs until the scope closes. */
export const start: Effect.Effect<SimulatedProvider, never, Scope.Scope> = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const anthropic = withKeys(SimulatedAnthropic.vendor)
  const others = [SimulatedOpenAi.vendor, SimulatedOpenAi.copilot, SimulatedBedrock.vendor].map(withKeys)

  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { vendor, answer } = others.find(({ vendor: { path } }) => incoming.url?.startsWith(`${path}/`)) ?? anthropic
    const request = requestOf(incoming, await readBody(incoming), vendor.path)
    if (vendor.requestIdHeader !== undefined) response.setHeader(vendor.requestIdHeader, randomUUID())
    send(response, answer(request, new Date(clock.currentTimeMillisUnsafe())))
  }

  const server = yield* Effect.acquireRelease(
    Effect.sync(() =>
      createServer((request, response) => {
        // A client that leaves in the middle of its request.
        serve(request, response).catch(() => response.destroy())
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
  const settings = ({ name, type, path, keys }: SimulatedVendor): Settings =>
    name === "bedrock"
      ? {
          name,
          type,
          baseUrl: undefined,
          keys: undefined,
          bedrock: { ...SimulatedBedrock.settings, baseUrl: url + path }
        }
      : { name, type, baseUrl: url + path, keys: keys?.map((key) => Redacted.make(key)), bedrock: undefined }
  return { url, providers: [anthropic, ...others].map(({ vendor }) => settings(vendor)) }
})

/** A vendor whose keys wear off as its answers are asked for. */
const withKeys = (vendor: SimulatedVendor) => {
  const use = vendor.keys === undefined ? anyCredential : SimulatedKeys.make(vendor.keys)
  const answer = (request: Request, now: Date): Answer => {
    const refusal = vendor.check?.(request, now)
    if (refusal !== undefined) return refusal
    switch (use(vendor.credential(request))) {
      case "refused":
        return vendor.refused
      case "limited":
        return vendor.limited
      case "served":
        return vendor.answer(request)
    }
  }
  return { vendor, answer }
}

const anyCredential = (credential: string | undefined): SimulatedKeys.Outcome =>
  credential === undefined ? "refused" : "served"

const readBody = async (incoming: IncomingMessage): Promise<Buffer> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of incoming) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const requestOf = (incoming: IncomingMessage, bytes: Buffer, basePath: string): Request => {
  const { method = "", url: target = "", headers, rawHeaders } = incoming
  const [path = ""] = target.split("?")
  return {
    method,
    target,
    headers,
    rawHeaders,
    bytes,
    route: `${method === "HEAD" ? "GET" : method} ${path.slice(basePath.length)}`,
    body: Json.parse(bytes.toString("utf8"))
  }
}

const send = (response: ServerResponse, answer: Answer): void => {
  switch (answer._tag) {
    case "Json": {
      const text = JSON.stringify(answer.body)
      response.writeHead(answer.status, {
        ...answer.headers,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(text)
      })
      return void response.end(text)
    }
    case "Events":
      response.writeHead(200, { "content-type": answer.contentType, "cache-control": "no-cache" })
      return writeSlowly(response, answer.events)
  }
}

const writeSlowly = (response: ServerResponse, events: ReadonlyArray<string | Uint8Array>): void => {
  const [event, ...rest] = events
  if (response.destroyed) return
  if (event === undefined) return void response.end()
  response.write(event)
  setTimeout(() => writeSlowly(response, rest), eventPause)
}
