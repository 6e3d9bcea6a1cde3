/** An OpenTelemetry collector that a test reads: it takes everything and answers with one status. */
import * as Effect from "effect/Effect"
import * as TestServer from "../upstream/TestServer.ts"
import type { Received } from "../upstream/RequestReader.ts"

/** Listens on a free port until the scope closes. `head`: what it answers, as it goes on the wire. */
export const start = Effect.fnUntraced(function* (head = "200 OK") {
  const server = yield* TestServer.start
  const received: Array<Received> = []
  yield* server.eventually.pipe(
    Effect.tap((exchange) => Effect.sync(() => void received.push(exchange))),
    Effect.flatMap((exchange) => exchange.write(`HTTP/1.1 ${head}\r\ncontent-length: 0\r\n\r\n`)),
    Effect.forever,
    Effect.forkScoped
  )
  return {
    origin: server.origin,
    received: (): ReadonlyArray<Received> => received,
    /** What has come to a path: texts stand in Protobuf as they are. */
    text: (path: string): string =>
      received
        .filter(({ target }) => target === path)
        .map(({ body }) => body.toString("latin1"))
        .join("\n")
  }
})
