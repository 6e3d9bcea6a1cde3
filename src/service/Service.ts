/** The Node service: a configuration becomes one layer graph behind a listening server. */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpMiddleware from "effect/http/HttpMiddleware"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Gateway from "../Gateway.ts"
import * as GatewayOptions from "../GatewayOptions.ts"
import * as Drain from "../inbound/Drain.ts"
import type { InvalidKeys } from "../keys/InvalidKeys.ts"
import * as KeyFailurePolicy from "../keys/KeyFailurePolicy.ts"
import type { InvalidProvider } from "../providers/Provider.ts"
import * as Providers from "../providers/Providers.ts"
import * as Recorder from "../record/Recorder.ts"
import * as SqlRecorder from "../record/sql/SqlRecorder.ts"
import * as ApiDumpFiles from "../upstream/ApiDumpFiles.ts"
import * as CircuitBreakers from "../upstream/CircuitBreakers.ts"
import * as ToolSources from "../tools/ToolSources.ts"
import * as UpstreamUndici from "../upstream/UpstreamUndici.ts"
import * as AdminServer from "./admin/AdminServer.ts"
import * as Banner from "./Banner.ts"
import * as Callers from "./Callers.ts"
import * as McpServers from "./McpServers.ts"
import * as NodeRepeatedHeaders from "./NodeRepeatedHeaders.ts"
import * as NodeRequestBody from "./NodeRequestBody.ts"
import type { CannotListen } from "./NodeServer.ts"
import * as NodeServer from "./NodeServer.ts"
import * as ProviderSet from "./ProviderSet.ts"
import * as Reload from "./Reload.ts"
import type { ProviderConfig, ServiceConfig } from "./ServiceConfig.ts"
import * as Telemetry from "./Telemetry.ts"

/** What the service runs with. */
export interface Options {
  readonly config: ServiceConfig
  /** Where the configuration stands, to be read again. Default: it cannot be. */
  readonly reloadFrom?: Reload.Source
  /** Of the gateway, for the admin API. */
  readonly version: string
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

/**
 * Listens as long as the layer lives. Then nothing new is accepted, and what is under way may finish within
 * `shutdownTimeout`; streams that have not by then end with an error event, answers that have not begun are a 503, the rest is
 * cut. The admin API listens until all of that is over. Interceptions go to the `Recorder` that is there where the layer is built.
 */
export const layer = (options: Options): Layer.Layer<never, CannotListen | InvalidKeys | InvalidProvider> =>
  Layer.effectDiscard(start(options))

// Each stops before those that were started before it. Without a span, which every request would then be a part of.
const start = Effect.fnUntraced(function* (options: Options) {
  const simulated = options.config.providers.length === 0 ? yield* options.simulated : undefined
  const config = simulated === undefined ? options.config : withSimulated(options.config, simulated)
  const set = yield* ProviderSet.make(config)
  const callers = yield* Callers.make(config)
  const drain = Drain.make()
  const telemetry = yield* Telemetry.make(config.telemetry, options.version)
  const own = yield* Effect.serviceOption(Recorder.Recorder)
  const shared = yield* Layer.build(
    Layer.merge(Providers.layer(set.map(({ provider }) => Effect.succeed(provider))), CircuitBreakers.layer())
  )
  const records = yield* Layer.build(Layer.orDie(recordsOf(config)))
  const recorder = Option.getOrElse(own, () => Context.get(records, Recorder.Recorder))
  const reload = yield* Reload.make({
    config,
    set,
    providers: Context.get(shared, Providers.Providers),
    callers,
    breakers: Context.get(shared, CircuitBreakers.CircuitBreakers),
    source: options.reloadFrom,
    simulated: simulated && ((read) => withSimulated(read, simulated))
  })
  const tools = yield* McpServers.sources(config.tools.servers)
  const nodeServer = NodeServer.make(config.limits)
  const admin = yield* Layer.build(
    AdminServer.layer({
      ...options,
      admin: config.admin,
      drain,
      isListening: () => nodeServer.server.listening,
      canRecord: () => config.record.failure === "continue" || recorder.isUsable()
    }).pipe(
      Layer.provide([
        Layer.succeedContext(Context.merge(records, Context.add(shared, Reload.Reload, reload))),
        withoutServerSpans
      ])
    )
  )
  const gateway = yield* Layer.build(
    HttpServer.serve(Gateway.app).pipe(
      // Only here, so that nothing else makes spans that are sent.
      Layer.provide(Layer.provide(Gateway.layer, telemetry.tracer)),
      Layer.provide([
        Layer.succeedContext(shared),
        Layer.succeed(Drain.Drain, drain),
        callers.layer,
        ApiDumpFiles.layer((provider) => reload.config().providers.find(({ name }) => name === provider)?.dumpDir),
        UpstreamUndici.layer({
          ...config.proxy,
          // What is simulated is on this machine.
          ...(simulated && { noProxy: withHost(config.proxy.noProxy, simulated.url) }),
          headersTimeout: config.limits.upstreamTimeout,
          idleTimeout: config.limits.idleTimeout
        }),
        Layer.succeed(GatewayOptions.GatewayOptions, {
          ...GatewayOptions.defaults,
          maximumBodyBytes: config.limits.maximumBodySize,
          recordFailure: config.record.failure,
          clientGone: config.record.clientGone,
          totalTimeout: config.limits.totalTimeout,
          maximumToolIterations: config.tools.iterations,
          toolTimeout: config.tools.timeout,
          maximumToolResultBytes: config.tools.resultSize,
          maximumMetricValues: config.telemetry.maximumModels,
          metricsActorLabel: config.telemetry.actorLabel,
          propagateTraceContext: config.telemetry.propagate
        }),
        ToolSources.layer(tools),
        Layer.succeed(Recorder.Recorder, recorder),
        NodeRequestBody.layer,
        NodeRepeatedHeaders.layer,
        telemetry.genAi,
        withoutServerSpans
      ]),
      Layer.provideMerge(
        NodeServer.layer(
          nodeServer.server,
          { host: config.host, port: config.port, setting: "AIBRIDGE_PORT" },
          Duration.sum(config.shutdownTimeout, NodeServer.lastWords)
        )
      )
    )
  )
  // The gateway switches no protocols. Without a listener Node reads a request that offers one like any other, body included.
  nodeServer.server.removeAllListeners("upgrade")
  yield* NodeServer.drainAtEnd(nodeServer, drain, config)
  if (options.reloadFrom !== undefined) yield* Effect.forkScoped(Reload.whenAsked(options.reloadFrom, reload))
  yield* ProviderSet.checkChains(set)
  yield* Effect.forEach(config.warnings, (warning) => Effect.logWarning(warning))
  yield* options.onListening(
    Banner.render({
      url: urlOf(gateway),
      adminUrl: urlOf(admin),
      nodeVersion: options.nodeVersion,
      config,
      simulatedUrl: simulated?.url
    })
  )
})

// The spans of Effect's HTTP server hold more of a request than is to be seen, and the gateway has its own.
const withoutServerSpans = Layer.succeed(HttpMiddleware.TracerDisabledWhen, () => true)

// The URL was checked when it was read.
const recordsOf = ({ record }: ServiceConfig) =>
  SqlRecorder.layer({ url: record.url, recordContent: record.content, retention: record.retention })

const urlOf = (context: Context.Context<HttpServer.HttpServer>): string =>
  HttpServer.formatAddress(Context.get(context, HttpServer.HttpServer).address)

const withHost = (noProxy: string | undefined, url: string): string =>
  [noProxy ?? "", new URL(url).host].filter((part) => part !== "").join(",")

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
    dumpDir: config.dumpDir,
    circuitBreaker: config.circuitBreaker,
    ...provider
  }))
})
