/** The Node server that clients reach: how long they may take, and how it stops. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { createServer } from "node:http"
import type { Server } from "node:http"
import type { Socket } from "node:net"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { codeOf } from "../domain/UpstreamError.ts"
import type * as Drain from "../inbound/Drain.ts"
import type { Limits, ServiceConfig } from "./ServiceConfig.ts"

/** An address cannot be listened on. */
export class CannotListen extends Schema.TaggedError<CannotListen>()("CannotListen", {
  host: Schema.String,
  port: Schema.Number,
  /** The variable that says another one. */
  setting: Schema.String,
  code: Schema.String
}) {
  override get message(): string {
    const where = `cannot listen on ${this.host}:${this.port} (${this.code})`
    return this.code === "EADDRINUSE" ? `${where}: another program does. Set ${this.setting} to a free port` : where
  }
}

/** Where a server listens. */
export interface Address {
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  /** The variable that says so. */
  readonly setting: string
}

/** A server, and those of its connections that have not brought a request so far. */
export interface GatewayServer {
  readonly server: Server
  readonly unused: ReadonlySet<Socket>
}

export const make = ({ requestTimeout, maximumHeaderSize }: Limits): GatewayServer => {
  const millis = Duration.toMillis(requestTimeout)
  const server = createServer({
    keepAliveTimeout: 75_000,
    maxHeaderSize: maximumHeaderSize,
    requestTimeout: millis,
    headersTimeout: Math.min(millis, 60_000),
    // How often Node looks for clients that take too long.
    connectionsCheckingInterval: Math.min(Math.max(millis / 10, 100), 5_000)
  })
  return { server, unused: unusedConnections(server) }
}

/**
 * Listens as long as the layer lives. Fails with `CannotListen`.
 *
 * @param gracefulShutdownTimeout how long requests under way may take when the layer's scope closes
 */
export const layer = (
  nodeServer: Server,
  { host, port, setting }: Address,
  gracefulShutdownTimeout: Duration.Duration
) =>
  NodeHttpServer.layerServer(() => nodeServer, {
    host: host.replace(/^\[|\]$/g, ""),
    port,
    gracefulShutdownTimeout
  }).pipe(
    Layer.catch((error) =>
      Layer.effect(
        HttpServer.HttpServer,
        Effect.fail(new CannotListen({ host, port, setting, code: codeOf(error.cause) }))
      )
    )
  )

/** What streams that must end have for their error event. */
export const lastWords = Duration.seconds(1)

/**
 * Begins the drain when the scope closes. A closing server waits for its connections: those whose last request has been answered
 * by now need not be waited for, nor those without one (clients open them in advance), which Node does not call idle.
 */
export const drainAtEnd = (
  { server, unused }: GatewayServer,
  drain: Drain.DrainControl,
  { shutdownTimeout }: Pick<ServiceConfig, "shutdownTimeout">
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.addFinalizer(() =>
    Effect.sync(() => {
      drain.begin()
      for (const socket of unused) socket.destroy()
      const closing = setInterval(() => server.closeIdleConnections(), 100)
      const waiting = setTimeout(drain.timeUp, Duration.toMillis(shutdownTimeout))
      server.once("close", () => {
        clearInterval(closing)
        clearTimeout(waiting)
      })
    })
  )

const unusedConnections = (nodeServer: Server): ReadonlySet<Socket> => {
  const unused = new Set<Socket>()
  nodeServer.on("connection", (socket) => {
    unused.add(socket)
    socket.once("close", () => unused.delete(socket))
  })
  nodeServer.on("request", ({ socket }) => unused.delete(socket))
  return unused
}
