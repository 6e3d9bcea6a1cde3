/** The pipeline, read top to bottom: route > authenticate > credential > limits > body > breaker > failover > relay > record. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import { HttpServerRequest as ServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Dialect, OmittedEvent } from "./dialects/Dialect.ts"
import * as GatewayError from "./domain/GatewayError.ts"
import type { RequestHeaders } from "./domain/HeaderRecord.ts"
import { isEventStream } from "./domain/HeaderRecord.ts"
import * as Interception from "./domain/Interception.ts"
import type { UpstreamError } from "./domain/UpstreamError.ts"
import * as GatewayOptions from "./GatewayOptions.ts"
import { Authenticator, mayAsk } from "./inbound/Authenticator.ts"
import * as Client from "./inbound/Client.ts"
import { ConcurrencyLimit } from "./inbound/ConcurrencyLimit.ts"
import * as Drain from "./inbound/Drain.ts"
import * as FailureAnswer from "./inbound/FailureAnswer.ts"
import { RateLimit } from "./inbound/RateLimit.ts"
import * as RequestBody from "./inbound/RequestBody.ts"
import type { Route } from "./inbound/Router.ts"
import * as Router from "./inbound/Router.ts"
import type { Key } from "./keys/Key.ts"
import * as ExtraHeaders from "./providers/ExtraHeaders.ts"
import type { Provider } from "./providers/Provider.ts"
import { Providers } from "./providers/Providers.ts"
import type { DialectRequest, Translation } from "./providers/Translation.ts"
import * as FailureLog from "./record/FailureLog.ts"
import * as InterceptionLog from "./record/InterceptionLog.ts"
import * as InterceptionMetrics from "./record/InterceptionMetrics.ts"
import { Recorder } from "./record/Recorder.ts"
import * as Tracing from "./record/Tracing.ts"
import { AnswerTap } from "./relay/AnswerTap.ts"
import * as ClientGone from "./relay/ClientGone.ts"
import * as Relay from "./relay/Relay.ts"
import * as ResponseHead from "./relay/ResponseHead.ts"
import { WholeAnswer } from "./relay/WholeAnswer.ts"
import * as AgenticLoop from "./tools/AgenticLoop.ts"
import * as Offer from "./tools/Offer.ts"
import * as ToolCall from "./tools/ToolCall.ts"
import { ToolSources } from "./tools/ToolSources.ts"
import * as ActorHeaders from "./upstream/ActorHeaders.ts"
import * as ApiDump from "./upstream/ApiDump.ts"
import * as CircuitBreakers from "./upstream/CircuitBreakers.ts"
import * as CircuitOutcome from "./upstream/CircuitOutcome.ts"
import * as Credential from "./upstream/Credential.ts"
import * as Failover from "./upstream/Failover.ts"
import * as ForwardHeaders from "./upstream/ForwardHeaders.ts"
import * as RequestLimits from "./upstream/RequestLimits.ts"
import * as Translated from "./upstream/Translated.ts"
import type { UpstreamRequest, UpstreamResponse } from "./upstream/Upstream.ts"
import { Upstream } from "./upstream/Upstream.ts"

/** The pipeline as a service: what an embedder mounts, and a test calls. */
export class Gateway extends Context.Service<
  Gateway,
  {
    /**
     * Answers one request; never fails. The request's scope holds the upstream: closing it aborts what is under way, so the
     * effect must be interruptible and its scope must stay open until the answer's body was sent.
     */
    readonly handle: (
      request: HttpServerRequest
    ) => Effect.Effect<HttpServerResponse.HttpServerResponse, never, Scope.Scope>
  }
>()("effect-aibridge/Gateway") {}

/**
 * Reads `GatewayOptions`, `BodyReader`, `RepeatedHeaders`, `Drain`, `ConcurrencyLimit`, `RateLimit`, `ApiDump` and
 * `CircuitBreakers` where it is built; all have defaults, the last one circuits of its own. So are the `Tracer`, without which
 * there are no spans, and where metrics are counted. One fiber for each total time limit lives as long as it.
 */
export const layer: Layer.Layer<Gateway, never, Providers | Authenticator | Upstream | Recorder> = Layer.effect(
  Gateway,
  Effect.gen(function* () {
    const providers = yield* Providers
    const authenticator = yield* Authenticator
    const upstreamOf = ApiDump.over(yield* ApiDump.ApiDump, yield* Upstream)
    const breakers = yield* Effect.serviceOption(CircuitBreakers.CircuitBreakers).pipe(
      Effect.flatMap(Option.match({ onNone: () => CircuitBreakers.make(), onSome: Effect.succeed }))
    )
    const options = yield* GatewayOptions.GatewayOptions
    const metrics = yield* InterceptionMetrics.make({
      maximumValues: options.maximumMetricValues,
      actorLabel: options.metricsActorLabel
    })
    const tracing = yield* Tracing.make
    const { recordFailure } = options
    const watchers: InterceptionLog.Watchers = { recorder: yield* Recorder, recordFailure, metrics, tracing }
    const parentOf = tracing?.parentOf ?? (() => Effect.undefined)
    const readBody = yield* RequestBody.BodyReader
    const drain = yield* Drain.Drain
    const concurrencyLimit = yield* ConcurrencyLimit
    const rateLimit = yield* RateLimit
    const writeRepeated = yield* ResponseHead.RepeatedHeaders
    const tools = yield* ToolSources
    const router = Router.make(providers.all)
    const failures = FailureAnswer.make()
    const answering = yield* ClientGone.make(options.clientGone)
    const limitsOf = yield* RequestLimits.make({ onTimeUp: drain.onTimeUp, totalTimeout: options.totalTimeout })

    const bridged = Effect.fnUntraced(function* (route: BridgedRoute, request: HttpServerRequest) {
      const { provider, dialect } = route
      const { translation, circuitBreaker } = provider
      const clock = yield* Clock.Clock
      const arrived = clock.currentTimeNanosUnsafe()
      const caller = yield* authenticator.authenticate(request.headers, provider)
      const { actor, shown } = caller
      const credential = yield* Credential.choose(provider, caller.own)
      if (concurrencyLimit !== undefined) yield* concurrencyLimit.enter
      if (rateLimit !== undefined) yield* rateLimit.take(actor)
      const before = clock.currentTimeNanosUnsafe()
      const body = (yield* RequestBody.read(request, options.maximumBodyBytes, readBody)) ?? noBytes
      const receiving = clock.currentTimeNanosUnsafe() - before
      const asked = yield* readRequest(dialect, body, request.headers["content-encoding"])
      yield* mayAsk(caller, asked.model)

      const model = translation?.model(asked.model) ?? asked.model
      const client = Client.detect(request.headers)
      const facts = {
        actor,
        provider: provider.name,
        providerType: provider.type,
        endpoint: endpointOf(route),
        model,
        stream: asked.stream,
        credentialKind: credential.pool.kind,
        client: client.name,
        userAgent: request.headers["user-agent"],
        clientSessionId: client.sessionId(request.headers, asked.userId),
        correlatingToolCallId: asked.toolResultId
      }
      const parent = yield* parentOf(request.headers)
      const arrival = { at: arrived, receiving, parent, prompt: asked.prompt }
      const offer = yield* Offer.make(tools.injected(), dialect, { ...asked, model })
      return yield* answering(InterceptionLog.begin(watchers, facts, arrival), (interception, hold) =>
        Effect.flatMap(limitsOf(provider), (limits) => {
          const headers = headersOf(request, shown)
          headers["accept-encoding"] = "identity"
          if (provider.sendActorHeaders) Object.assign(headers, ActorHeaders.of(actor))
          ExtraHeaders.add(headers, provider.extraHeaders)
          const way = upstreamOf({ provider: provider.name, interception: { id: interception.id, model } })
          const attemptOf = (sent: Uint8Array) =>
            translation === undefined
              ? Effect.succeed((key: Key) =>
                  way(key).send(outgoing(route, request, credential.inject(headers, key), sent, limits))
                )
              : translatedAttempt(route, translation, { model, stream: asked.stream, headers, body: sent }, limits, way)
          const walk = (sent: Uint8Array) =>
            Effect.flatMap(attemptOf(sent), (send) =>
              Failover.walk(
                credential.pool,
                (key) =>
                  interception.attempt((traceparent) => {
                    if (traceparent !== undefined && options.propagateTraceContext) headers["traceparent"] = traceparent
                    return send(key)
                  }),
                interception.progress
              )
            )
          const circuit = new CircuitOutcome.LastPermit()
          const call = (sent: Uint8Array) =>
            Effect.flatMap(breakers.admit(circuitOf(route, model), circuitBreaker), (admitted) => {
              circuit.permit = admitted
              return CircuitOutcome.judged(walk(sent), admitted, circuitBreaker, asked.stream)
            })
          const relayed = { interception, request, dialect, omitted: asked.omitted, circuit, hold }
          const answer =
            offer === undefined
              ? Effect.map(call(asked.body), (response) =>
                  relay(response, { ...relayed, copy: copyOf(response, interception, dialect) })
                )
              : Effect.map(looped(offer, call, limits, relayed, provider), (response) => relay(response, relayed))
          return answer.pipe(
            Effect.catch((error) => {
              interception.failed(error)
              return failures.answer(error, provider, dialect, { [Interception.idHeader]: interception.id })
            }),
            Effect.map((response) => {
              interception.answering(response.status)
              return response
            })
          )
        })
      )
    })

    const headersOf = (request: HttpServerRequest, shown: Parameters<typeof ForwardHeaders.forRequest>[1]) =>
      ForwardHeaders.forRequest(request.headers, shown, options.propagateTraceContext)

    const responseHeaders = (response: UpstreamResponse, request: HttpServerRequest) =>
      ForwardHeaders.forResponse(response.headers, (name, values) => writeRepeated(request, name, values))

    const relay = (
      response: UpstreamResponse,
      { interception, request, dialect, omitted, circuit, hold, copy }: Relayed
    ): HttpServerResponse.HttpServerResponse => {
      const headers = responseHeaders(response, request)
      headers[Interception.idHeader] = interception.id
      if (isEventStream(response.status, response.headers)) {
        delete headers["content-length"]
        const { keepaliveInterval } = options
        const events = Relay.events(response, {
          dialect,
          omitted,
          keepaliveInterval,
          onEnd: (failure, isError) => {
            interception.answered(failure, isError)
            circuit.tell(CircuitOutcome.ofEnd(failure, isError))
          },
          copy
        })
        return ResponseHead.stream(response.status, headers, hold(events))
      }
      const { whole } = response
      if (whole !== undefined) {
        copy?.(whole)
        interception.answered(undefined)
        return ResponseHead.whole(response.status, headers, whole)
      }
      const bytes = Relay.bytes(response.body, (failure) => interception.answered(failure), copy)
      return ResponseHead.stream(response.status, headers, hold(bytes))
    }

    /** With tools of our own: as many upstream calls as it takes, each read for records on its own. */
    const looped = (
      offer: Offer.Offer,
      call: AgenticLoop.Loop<LateFailure>["call"],
      limits: RequestLimits.RequestLimits,
      { interception, dialect, circuit }: Relayed,
      provider: Provider
    ) => {
      interception.isInjected = offer.isInjected
      return AgenticLoop.answer(
        {
          dialect,
          turns: offer.turns,
          call: (body) =>
            Effect.map(call(body), (response) => copied(response, copyOf(response, interception, dialect))),
          run: ToolCall.runner({
            find: offer.find,
            started: (called) => {
              // The answer that calls has ended well.
              circuit.tell("success")
              return interception.invoked(called)
            },
            request: limits,
            timeout: options.toolTimeout,
            maximumResultBytes: options.maximumToolResultBytes
          }),
          maximumIterations: options.maximumToolIterations,
          isAbandoned: () => interception.progress.isAbandoned,
          failed: (error) => {
            interception.failed(error)
            return failures.textOf(error, provider, dialect)
          }
        },
        offer.body
      )
    }

    const passthrough = Effect.fnUntraced(function* (route: PassthroughRoute, request: HttpServerRequest) {
      const { provider, path } = route
      const arrived = yield* Clock.currentTimeNanos
      const { actor, own, shown } = yield* authenticator.authenticate(request.headers, provider)
      const credential = yield* Credential.choose(provider, own)
      if (concurrencyLimit !== undefined) yield* concurrencyLimit.enter
      if (rateLimit !== undefined) yield* rateLimit.take(actor)
      const body = yield* RequestBody.read(request, options.maximumBodyBytes, readBody)
      const limits = yield* limitsOf(provider)

      const logFailure = (error: UpstreamError) => FailureLog.log(error, { provider: provider.name, path: route.path })
      metrics.passedThrough(provider.name, path, request.method)
      const outgoingHeaders = headersOf(request, shown)
      if (tracing !== undefined) {
        const { headers, method } = request
        const upstreamUrl = provider.baseUrl.origin + provider.baseUrl.path + path
        const of = { provider: provider.name, path: `/${provider.name}${path}`, upstreamUrl, method, headers, arrived }
        const traceparent = yield* tracing.passthrough(of)
        if (options.propagateTraceContext) outgoingHeaders["traceparent"] = traceparent
      }
      ExtraHeaders.add(outgoingHeaders, provider.extraHeaders)
      const way = upstreamOf({ provider: provider.name })
      const response = yield* Failover.walk(credential.pool, (key) =>
        way(key).send(outgoing(route, request, credential.inject(outgoingHeaders, key), body, limits))
      ).pipe(Effect.tapErrorTag("UpstreamError", logFailure))
      const headers = responseHeaders(response, request)
      const { whole } = response
      return whole === undefined
        ? ResponseHead.stream(response.status, headers, Stream.tapError(response.body, logFailure))
        : ResponseHead.whole(response.status, headers, whole)
    })

    return Gateway.of({
      handle: (request) => {
        const found = router.route(request)
        if (Result.isFailure(found)) return failures.refuse(found.failure)
        const route = found.success
        if (drain.isDraining()) return failures.refuse(refusedBecauseDraining(route))
        switch (route._tag) {
          case "Probe":
            return Effect.succeed(alive)
          case "Bridged":
            return failures.answered(bridged(route, request), route.provider, route.dialect)
          case "Passthrough":
            return failures.answered(passthrough(route, request), route.provider, route.provider.dialect)
        }
      }
    })
  })
)

/** The gateway as a whole application, for a server of its own: every path is its, and what it does not know is a 404. */
export const app: Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  never,
  Gateway | HttpServerRequest | Scope.Scope
> = Effect.interruptible(
  Effect.flatMap(Gateway, (gateway) => Effect.flatMap(ServerRequest, (request) => gateway.handle(request)))
)

/**
 * The mount points, of the providers that are there at start, as routes beside those of a host. A path with a malformed escape is
 * the host's own 404.
 */
export const routes: Layer.Layer<never, never, HttpRouter.HttpRouter | Gateway | Providers> = Layer.effectDiscard(
  Effect.gen(function* () {
    const router = yield* HttpRouter.HttpRouter
    const gateway = yield* Gateway
    const providers = yield* Providers
    for (const { name } of providers.all()) {
      yield* router.add("*", `/${name}/*`, gateway.handle)
    }
  })
)

type LateFailure = Exclude<FailureAnswer.Failure, UpstreamError>

// What is known of a request when its answer comes.
interface Relayed {
  readonly interception: InterceptionLog.InterceptionLog
  readonly request: HttpServerRequest
  readonly dialect: Dialect
  readonly omitted: OmittedEvent | undefined
  readonly circuit: CircuitOutcome.LastPermit
  readonly hold: ClientGone.Hold
  /** Of the upstream's bytes, for records; none if they are read elsewhere. */
  readonly copy?: Relay.Copy | undefined
}

// What an answer says of itself is read from a copy, when it is over.
const copyOf = (
  { status, headers }: UpstreamResponse,
  interception: InterceptionLog.InterceptionLog,
  dialect: Dialect
): Relay.Copy | undefined => {
  if (status >= 300) return undefined
  const tap = isEventStream(status, headers) ? new AnswerTap(dialect) : new WholeAnswer(dialect)
  interception.reads(() => tap.end())
  return (chunk) => {
    if (chunk.length > 0) interception.received()
    tap.push(chunk)
  }
}

// An answer that is read before it is known whether it is the client's.
const copied = (response: UpstreamResponse, copy: Relay.Copy | undefined): UpstreamResponse => {
  const { status, headers, nudge, whole } = response
  if (copy === undefined) return response
  if (whole === undefined) return { status, headers, nudge, whole, body: Relay.bytes(response.body, () => {}, copy) }
  copy(whole)
  return response
}

// How an attempt is made for a vendor with a wire format of its own.
const translatedAttempt = (
  route: BridgedRoute,
  translation: Translation,
  asked: DialectRequest,
  limits: RequestLimits.RequestLimits,
  way: ApiDump.Way
) => {
  const { provider } = route
  const { origin } = provider.baseUrl
  const { path, headers, body, warnings } = translation.request(asked)
  const request = { method: "POST", origin, path: provider.baseUrl.path + path, headers, body, ...limits }
  const logged = Effect.forEach(warnings, (warning) => Effect.logWarning(warning), { discard: true })
  return Effect.as(Effect.annotateLogs(logged, { provider: provider.name }), (key: Key) =>
    Translated.send(way(key), translation, request, key)
  )
}

const endpointOf = ({ provider, path }: BridgedRoute): string =>
  provider.routePrefix.slice(provider.name.length + 1) + path

const circuitOf = (route: BridgedRoute, model: string): CircuitBreakers.CircuitKey => ({
  provider: route.provider.name,
  endpoint: endpointOf(route),
  model
})

type BridgedRoute = Extract<Route, { readonly _tag: "Bridged" }>
type PassthroughRoute = Extract<Route, { readonly _tag: "Passthrough" }>

const refusedBecauseDraining = (route: Route): Router.NoRoute => ({
  error: GatewayError.make(new GatewayError.Draining({})),
  provider: route._tag === "Probe" ? undefined : route.provider,
  dialect: route._tag === "Bridged" ? route.dialect : route._tag === "Passthrough" ? route.provider.dialect : undefined
})

const alive = HttpServerResponse.text("effect-aibridge\n")

const noBytes = new Uint8Array(0)

const readRequest = (dialect: Dialect, body: Uint8Array, encoding = "identity") => {
  if (encoding !== "identity") {
    const detail = `it has the content-encoding "${encoding}", send it without one`
    return Effect.fail(GatewayError.make(new GatewayError.InvalidBody({ detail })))
  }
  return Result.match(dialect.readRequest(body), {
    onFailure: (reason) => Effect.fail(GatewayError.make(reason)),
    onSuccess: Effect.succeed
  })
}

const outgoing = (
  { provider, path }: BridgedRoute | PassthroughRoute,
  request: HttpServerRequest,
  headers: RequestHeaders,
  body: Uint8Array | undefined,
  { timeouts, whenStopped }: RequestLimits.RequestLimits
): UpstreamRequest => ({
  method: request.method,
  origin: provider.baseUrl.origin,
  path: provider.baseUrl.path + path + Router.queryOf(request.url),
  headers,
  body,
  timeouts,
  whenStopped
})
