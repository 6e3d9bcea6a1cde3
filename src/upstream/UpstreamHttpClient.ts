/** The `Upstream` over whatever `HttpClient` the host provides: for embedding, other runtimes and tests. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Failure from "../domain/UpstreamError.ts"
import * as EarlyEnd from "./EarlyEnd.ts"
import * as NudgeableBody from "./NudgeableBody.ts"
import type { UpstreamRequest } from "./Upstream.ts"
import { firstByteGrace, Upstream } from "./Upstream.ts"

/**
 * Asks upstreams not to compress, because some clients decompress and leave the header. Sends no trace context and follows no
 * redirects. Time limits are those of the request, else the client's.
 */
export const layer: Layer.Layer<Upstream, never, HttpClient.HttpClient> = Layer.effect(
  Upstream,
  Effect.gen(function* () {
    const client = HttpClient.withScope(yield* HttpClient.HttpClient)
    const hostsOptions = Option.getOrElse(yield* Effect.serviceOption(FetchHttpClient.RequestInit), () => ({}))
    const fetchOptions = { ...hostsOptions, redirect: "manual" } as const
    return Upstream.of({
      send: Effect.fnUntraced(function* (request) {
        const scope = yield* Scope.fork(yield* Effect.scope)
        return yield* Scope.provide(exchange(client, fetchOptions, request, scope), scope)
      })
    })
  })
)

const exchange = Effect.fnUntraced(function* (
  client: HttpClient.HttpClient.With<HttpClientError, Scope.Scope>,
  fetchOptions: RequestInit,
  request: UpstreamRequest,
  scope: Scope.Closeable
) {
  const { headers = 0, idle = 0 } = request.timeouts ?? {}
  const end = yield* EarlyEnd.register(request, scope)
  const sent = client.execute(toClientRequest(request)).pipe(
    Effect.provideService(HttpClient.TracerPropagationEnabled, false),
    Effect.provideService(FetchHttpClient.RequestInit, fetchOptions),
    Effect.mapError((error) => Failure.unreachable(codeOf(error))),
    Effect.timeoutOrElse({ duration: headers || Duration.infinity, orElse: timedOut })
  )
  const response = yield* Effect.raceFirst(end.wait, sent).pipe(Effect.tapError(() => Scope.close(scope, Exit.void)))
  const stream = Stream.catch(response.stream, (error) =>
    error.reason._tag === "EmptyBodyError" ? Stream.empty : Stream.fail(Failure.cut(codeOf(error)))
  )
  const limited = Stream.timeoutOrElse(stream, { duration: idle || Duration.infinity, orElse: silentTooLong })
  const { body, nudge, first } = yield* NudgeableBody.make(limited, scope, end)
  // A failure within the grace is the attempt's.
  if (response.status < 400) yield* Effect.timeoutOption(first, firstByteGrace)
  return { status: response.status, headers: response.headers, whole: undefined, body, nudge }
})

const timedOut = () => Effect.fail(Failure.timedOut())
const silentTooLong = () => Stream.fail(Failure.timedOut())

const toClientRequest = (request: UpstreamRequest): HttpClientRequest.HttpClientRequest =>
  HttpClientRequest.make(request.method as HttpMethod)(request.origin + request.path, {
    headers: { ...request.headers, "accept-encoding": "identity" },
    ...(request.body && { body: HttpBody.uint8Array(request.body, request.headers["content-type"]) })
  })

// Clients wrap the system's error once or twice.
const codeOf = (error: { readonly reason: { readonly cause?: unknown } }): string => {
  const cause = error.reason.cause
  return Failure.codeOf(typeof cause === "object" && cause !== null && "cause" in cause ? cause.cause : cause)
}
