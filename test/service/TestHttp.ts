/** A client that shows what happens on its connection: raw targets, bodies in pieces, answers read bit by bit. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"

export interface Request {
  /** The request target as it goes on the wire. Default `/anthropic/v1/messages`. */
  readonly path?: string
  /** Default `POST` with a body, else `GET`. */
  readonly method?: string
  readonly headers?: Http.OutgoingHttpHeaders
  /** Sent with a length, or in pieces without one. */
  readonly body?: string | Uint8Array | Iterable<Uint8Array>
  /** Default: a connection of its own. */
  readonly agent?: Http.Agent
}

export interface Answer {
  readonly status: number
  readonly headers: Http.IncomingHttpHeaders
  /** All values of a header, as they stand on the wire. */
  readonly fields: (name: string) => ReadonlyArray<string>
  readonly socketPort: number | undefined
  /** The next bytes as text; `undefined` at the end. Fails if the connection breaks. */
  readonly read: Effect.Effect<string | undefined, Error>
  /** The rest of the body. */
  readonly bytes: Effect.Effect<Buffer, Error>
  readonly text: Effect.Effect<string, Error>
}

/** Waits for the head of the answer. Closing the scope is the client leaving. */
export const send = (url: string, request: Request = {}): Effect.Effect<Answer, Error, Scope.Scope> =>
  Effect.gen(function* () {
    const { body } = request
    const whole = typeof body === "string" ? Buffer.from(body) : body instanceof Uint8Array ? body : undefined
    const { hostname, port } = new URL(url)
    const outgoing = yield* Effect.acquireRelease(
      Effect.sync(() =>
        Http.request({
          host: hostname.replaceAll(/[[\]]/g, ""),
          port,
          path: request.path ?? "/anthropic/v1/messages",
          method: request.method ?? (body === undefined ? "GET" : "POST"),
          headers: { ...(whole && { "content-length": whole.length }), ...request.headers },
          agent: request.agent ?? false
        })
      ),
      (acquired) => Effect.sync(() => void acquired.destroy())
    )
    const incoming = yield* Effect.callback<Http.IncomingMessage, Error>((resume) => {
      outgoing.on("response", (response) => resume(Effect.succeed(response)))
      outgoing.on("error", (error) => resume(Effect.fail(error)))
      if (body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array)) {
        for (const piece of body) outgoing.write(piece)
      }
      outgoing.end(whole)
    })
    return answer(incoming)
  })

/** A request whose answer the test waits for later, and a way to leave before. */
export const begin = Effect.fnUntraced(function* (url: string, request: Request = {}) {
  const fiber = yield* Effect.forkScoped(Effect.scoped(Effect.flatMap(send(url, request), ({ text }) => text)), {
    startImmediately: true
  })
  return { leave: Fiber.interrupt(fiber), outcome: Effect.map(Fiber.await(fiber), Exit.isSuccess) }
})

/** The body of a request that a gateway accepts. */
export const message = (members: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ model: "claude-test", max_tokens: 64, messages: [{ role: "user", content: "Hello" }], ...members })

const answer = (incoming: Http.IncomingMessage): Answer => {
  const pieces: AsyncIterator<Buffer> = incoming[Symbol.asyncIterator]()
  const next = Effect.tryPromise({
    try: () => pieces.next(),
    catch: (error) => (error instanceof Error ? error : new Error(String(error)))
  })
  const bytes = Effect.gen(function* () {
    const all: Array<Buffer> = []
    for (let piece = yield* next; piece.done !== true; piece = yield* next) all.push(piece.value)
    return Buffer.concat(all)
  })
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    fields: (name) => incoming.headersDistinct[name] ?? [],
    socketPort: incoming.socket.localPort,
    read: Effect.map(next, (piece) => (piece.done === true ? undefined : piece.value.toString())),
    bytes,
    text: Effect.map(bytes, String)
  }
}
