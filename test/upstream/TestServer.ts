/** A server that a test plays itself, byte by byte: each request is handed to the test, which writes what comes back. */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import type { Received } from "./RequestReader.ts"
import { RequestReader } from "./RequestReader.ts"

/** One request and the connection it came on. */
export interface Exchange extends Received {
  /** Connections are counted from 1. */
  readonly connection: number
  readonly socket: Net.Socket
  /** Writes these bytes and waits until the system has taken them. */
  readonly write: (data: string | Uint8Array) => Effect.Effect<void>
  /** Ends the connection in order. */
  readonly end: Effect.Effect<void>
  /** Ends it with a reset. */
  readonly reset: Effect.Effect<void>
  /** Waits until the connection is closed; a defect if it still is open after a second. */
  readonly closed: Effect.Effect<void>
  readonly closedWithin: (limit: Duration.Input) => Effect.Effect<void>
}

export interface TestServer {
  readonly port: number
  readonly origin: string
  /** Waits for the next request, on whatever connection; a defect if none comes in five seconds. */
  readonly next: Effect.Effect<Exchange>
  /** The same, however long it takes: for who answers beside a test. */
  readonly eventually: Effect.Effect<Exchange>
  /** How many requests nobody has taken. */
  readonly waiting: Effect.Effect<number>
  /** How many connections there have been. */
  readonly connections: Effect.Effect<number>
}

/** Listens on a free port until the scope closes. */
export const start: Effect.Effect<TestServer, never, Scope.Scope> = Effect.gen(function* () {
  const requests = yield* Queue.unbounded<Exchange>()
  const sockets = new Set<Net.Socket>()
  let connections = 0

  const server = Net.createServer((socket) => {
    connections++
    sockets.add(socket)
    const connection = connections
    const closed = Deferred.makeUnsafe<void>()
    const reader = new RequestReader()
    socket.on("data", (chunk) => {
      for (const request of reader.push(chunk)) {
        Queue.offerUnsafe(requests, exchange(socket, connection, closed, request))
      }
    })
    socket.on("error", () => socket.destroy())
    socket.on("close", () => {
      sockets.delete(socket)
      Deferred.doneUnsafe(closed, Effect.void)
    })
  })
  const port = yield* Effect.acquireRelease(listen(server), () => stop(server, sockets))
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    next: Queue.take(requests).pipe(Effect.timeout("5 seconds"), Effect.orDie),
    eventually: Queue.take(requests),
    waiting: Queue.size(requests),
    connections: Effect.sync(() => connections)
  }
})

/** A port that nobody listens on. */
export const unusedPort: Effect.Effect<number> = Effect.scoped(
  Effect.suspend(() => {
    const server = Net.createServer()
    return Effect.acquireRelease(listen(server), () => stop(server, new Set()))
  })
)

const exchange = (
  socket: Net.Socket,
  connection: number,
  closed: Deferred.Deferred<void>,
  request: Received
): Exchange => {
  const closedWithin = (limit: Duration.Input) => Deferred.await(closed).pipe(Effect.timeout(limit), Effect.orDie)
  return {
    ...request,
    connection,
    socket,
    write: (data) =>
      Effect.callback<void>((resume) => {
        socket.write(data, () => resume(Effect.void))
      }),
    end: Effect.sync(() => void socket.end()),
    reset: Effect.sync(() => void socket.resetAndDestroy()),
    closed: closedWithin("1 second"),
    closedWithin
  }
}

const listen = (server: Net.Server): Effect.Effect<number> =>
  Effect.callback<number>((resume) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resume(
        typeof address === "object" && address !== null ? Effect.succeed(address.port) : Effect.die("no TCP address")
      )
    })
  })

const stop = (server: Net.Server, sockets: ReadonlySet<Net.Socket>): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    for (const socket of sockets) socket.destroy()
  })
