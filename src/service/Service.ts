/** The Node service: a configuration becomes one layer graph behind a listening server. */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { createServer } from "node:http"
import type { Server } from "node:http"
import type { Socket } from "node:net"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { codeOf } from "../domain/UpstreamError.ts"
import * as Gateway from "../Gateway.ts"
import * as GatewayOptions from "../GatewayOptions.ts"
import * as Authenticator from "../inbound/Authenticator.ts"
import * as ConcurrencyLimit from "../inbound/ConcurrencyLimit.ts"
import * as Drain from "../inbound/Drain.ts"
import * as RateLimit from "../inbound/RateLimit.ts"
import type { InvalidKeys } from "../keys/InvalidKeys.ts"
import * as KeyFailurePolicy from "../keys/KeyFailurePolicy.ts"
import type { InvalidProvider } from "../providers/Provider.ts"
import * as Bedrock from "../providers/Bedrock.ts"
import * as Provider from "../providers/Provider.ts"
import * as Providers from "../providers/Providers.ts"
import * as FailureLog from "../record/FailureLog.ts"
import * as Recorder from "../record/Recorder.ts"
import * as UpstreamUndici from "../upstream/UpstreamUndici.ts"
import * as Banner from "./Banner.ts"
import * as NodeRepeatedHeaders from "./NodeRepeatedHeaders.ts"
import * as NodeRequestBody from "./NodeRequestBody.ts"
import type { Limits, ProviderConfig, ServiceConfig } from "./ServiceConfig.ts"
import * as Vendors from "./Vendors.ts"

/** What the service runs with. */
export interface Options {
  readonly config: ServiceConfig
  /** For the banner. */
  readonly nodeVersion: string
  /** Starts what is served if no provider is configured. */
  readonly simulated: Effect.Effect<Simulated, never, Scope.Scope>
  /** Called once with the banner when the service listens. */
  readonly onListening: (banner: string) => Effect.Effect<void>
}

/** A stand-in for providers on this machine. */
export interface Simulated {
  /** Where it listens. */
  readonly url: string
  readonly providers: ReadonlyArray<Pick<ProviderConfig, "name" | "type" | "baseUrl" | "keys" | "bedrock">>
}

/** The address cannot be listened on. */
export class CannotListen extends Schema.TaggedError<CannotListen>()("CannotListen", {
  host: Schema.String,
  port: Schema.Number,
  code: Schema.String
}) {
  override get message(): string {
    const where = `cannot listen on ${this.host}:${this.port} (${this.code})`
    return this.code === "EADDRINUSE" ? `${where}: another program does. Set AIBRIDGE_PORT to a free port` : where
  }
}

/**
 * Listens as long as the layer lives. Then nothing new is accepted, and what is under way may finish within
 * `shutdownTimeout`; streams that have not by then end with an error event, answers that have not begun are a 503, the rest is cut.
 */
export const layer = (options: Options): Layer.Layer<never, CannotListen | InvalidKeys | InvalidProvider> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const simulated = options.config.providers.length === 0 ? yield* options.simulated : undefined
      const config = withChains(simulated === undefined ? options.config : withSimulated(options.config, simulated))
      const drain = Drain.make()
      const gateway = Gateway.layer.pipe(
        Layer.provide([
          Layer.succeed(Drain.Drain, drain),
          Providers.layer(config.providers.map((provider) => configured(provider, config))),
          authenticator(config),
          config.maxConcurrency === 0 ? Layer.empty : ConcurrencyLimit.layer(config.maxConcurrency),
          config.rateLimit === 0 ? Layer.empty : RateLimit.layerMemory(config.rateLimit),
          // What is simulated is on this machine, whatever proxy is set.
          UpstreamUndici.layer({
            ...(simulated === undefined && config.proxy),
            headersTimeout: config.limits.upstreamTimeout,
            idleTimeout: config.limits.idleTimeout
          }),
          Layer.succeed(GatewayOptions.GatewayOptions, {
            ...GatewayOptions.defaults,
            maximumBodyBytes: config.limits.maximumBodySize,
            totalTimeout: config.limits.totalTimeout
          }),
          Recorder.layerNoop,
          NodeRequestBody.layer,
          NodeRepeatedHeaders.layer
        ])
      )
      const nodeServer = makeNodeServer(config.limits)
      return Layer.effectDiscard(
        Effect.andThen(prepare(nodeServer, drain, config), announce({ ...options, config }, simulated?.url))
      ).pipe(
        Layer.provide(HttpServer.serve(Gateway.app)),
        Layer.provide(gateway),
        Layer.provide(server(config, nodeServer))
      )
    })
  )

const authenticator = ({ tokens }: ServiceConfig): Layer.Layer<Authenticator.Authenticator> =>
  tokens.length === 0
    ? Authenticator.layerLoopback
    : Layer.provide(Authenticator.layerTokens(tokens), NodeCrypto.layerDigest)

const withSimulated = (config: ServiceConfig, { providers }: Simulated): ServiceConfig => ({
  ...config,
  providers: providers.map((provider) => ({
    allowByok: config.allowByok,
    keyFailurePolicy: KeyFailurePolicy.strict,
    cooldown: undefined,
    recheck: undefined,
    upstreamTimeout: undefined,
    idleTimeout: undefined,
    totalTimeout: undefined,
    extraHeaders: [],
    circuitBreaker: config.circuitBreaker,
    ...provider
  }))
})

// One chain a provider, so that it can be asked at start.
const withChains = (config: ServiceConfig): ServiceConfig => ({
  ...config,
  providers: config.providers.map((provider) =>
    provider.bedrock === undefined || provider.bedrock.credentials !== undefined
      ? provider
      : { ...provider, bedrock: { defaultChain: Bedrock.defaultChain(provider.bedrock), ...provider.bedrock } }
  )
})

/** Makes a provider as it is configured. */
export const configured = (
  {
    type,
    name,
    keys,
    baseUrl,
    allowByok,
    keyFailurePolicy,
    cooldown,
    recheck,
    upstreamTimeout,
    idleTimeout,
    totalTimeout,
    extraHeaders,
    circuitBreaker,
    bedrock
  }: ProviderConfig,
  { sendActorHeaders }: ServiceConfig
) => {
  const options = {
    name,
    allowByok,
    keyFailurePolicy,
    sendActorHeaders,
    extraHeaders: Object.fromEntries(extraHeaders),
    ...(cooldown && { cooldown: scheduleOf(cooldown) }),
    ...(recheck && { recheck: Schedule.spaced(recheck) }),
    ...(upstreamTimeout && { upstreamTimeout }),
    ...(idleTimeout && { idleTimeout }),
    ...(totalTimeout && { totalTimeout }),
    ...(circuitBreaker && { circuitBreaker })
  }
  return bedrock === undefined
    ? Provider.make(Vendors.vendors[type], { ...options, ...(keys && { keys }), ...(baseUrl && { baseUrl }) })
    : Bedrock.make(bedrock, options)
}

// One time after the other; a pool repeats the last one.
const scheduleOf = (times: ReadonlyArray<Duration.Duration>): Schedule.Schedule<unknown> =>
  times
    .map((time): Schedule.Schedule<unknown> => Schedule.duration(time))
    .reduce((before, next) => Schedule.concat(before, next))

const prepare = Effect.fn("Service.prepare")(function* (
  nodeServer: Server,
  drain: Drain.DrainControl,
  config: ServiceConfig
) {
  // The gateway switches no protocols. Without a listener Node reads a request that offers one like any other, body included.
  nodeServer.removeAllListeners("upgrade")
  const unused = unusedConnections(nodeServer)
  yield* Effect.addFinalizer(() => beginDrain(nodeServer, unused, drain, config))
})

const announce = Effect.fn("Service.announce")(function* (options: Options, simulatedUrl: string | undefined) {
  const { config, nodeVersion, onListening } = options
  const { address } = yield* HttpServer.HttpServer
  yield* Effect.forEach(config.warnings, (warning) => Effect.logWarning(warning))
  yield* Effect.forEach(config.providers, checkChain)
  yield* onListening(Banner.render({ url: HttpServer.formatAddress(address), nodeVersion, config, simulatedUrl }))
})

// Beside the start: an instance's metadata may take its time, and other providers do not depend on it.
const checkChain = ({ name, bedrock }: ProviderConfig): Effect.Effect<void, never, Scope.Scope> =>
  bedrock?.defaultChain === undefined
    ? Effect.void
    : bedrock.defaultChain.current.pipe(
        Effect.asVoid,
        Effect.catch((error) => FailureLog.log(error, { provider: name })),
        Effect.forkScoped,
        Effect.asVoid
      )

const makeNodeServer = ({ requestTimeout, maximumHeaderSize }: Limits): Server => {
  const millis = Duration.toMillis(requestTimeout)
  return createServer({
    keepAliveTimeout: 75_000,
    maxHeaderSize: maximumHeaderSize,
    requestTimeout: millis,
    headersTimeout: Math.min(millis, 60_000),
    // How often Node looks for clients that take too long.
    connectionsCheckingInterval: Math.min(Math.max(millis / 10, 100), 5_000)
  })
}

const server = ({ host, port, shutdownTimeout }: ServiceConfig, nodeServer: Server) =>
  NodeHttpServer.layerServer(() => nodeServer, {
    host: host.replace(/^\[|\]$/g, ""),
    port,
    gracefulShutdownTimeout: Duration.sum(shutdownTimeout, lastWords)
  }).pipe(
    Layer.catch((error) =>
      Layer.effect(HttpServer.HttpServer, Effect.fail(new CannotListen({ host, port, code: codeOf(error.cause) })))
    )
  )

// What streams that must end have for their error event.
const lastWords = Duration.seconds(1)

// A closing server waits for its connections: those whose last request has been answered by now need not be waited for, nor
// those without one (clients open them in advance), which Node does not call idle.
const beginDrain = (
  nodeServer: Server,
  unused: ReadonlySet<Socket>,
  drain: Drain.DrainControl,
  { shutdownTimeout }: ServiceConfig
): Effect.Effect<void> =>
  Effect.sync(() => {
    drain.begin()
    for (const socket of unused) socket.destroy()
    const closing = setInterval(() => nodeServer.closeIdleConnections(), 100)
    const waiting = setTimeout(drain.timeUp, Duration.toMillis(shutdownTimeout))
    nodeServer.once("close", () => {
      clearInterval(closing)
      clearTimeout(waiting)
    })
  })

// The connections that have not brought a request so far.
const unusedConnections = (nodeServer: Server): ReadonlySet<Socket> => {
  const unused = new Set<Socket>()
  nodeServer.on("connection", (socket) => {
    unused.add(socket)
    socket.once("close", () => unused.delete(socket))
  })
  nodeServer.on("request", ({ socket }) => unused.delete(socket))
  return unused
}
