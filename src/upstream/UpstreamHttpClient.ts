/** The `Upstream` over whatever `HttpClient` the host provides: for embedding, other runtimes and tests. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as Layer from "effect/Layer"
import type * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import * as Failure from "../domain/UpstreamError.ts"
import type { UpstreamRequest } from "./Upstream.ts"
import { firstByteGrace, Upstream } from "./Upstream.ts"

/**
 * Asks upstreams not to compress, because some clients decompress and leave the header. Sends no trace context. Time limits
 * are the client's.
 */
export const layer: Layer.Layer<Upstream, never, HttpClient.HttpClient> = Layer.effect(
  Upstream,
  Effect.gen(function* () {
    const client = HttpClient.withScope(yield* HttpClient.HttpClient)
    return Upstream.of({
      send: Effect.fnUntraced(function* (request) {
        const scope = yield* Scope.fork(yield* Effect.scope)
        return yield* Scope.provide(exchange(client, request, scope), scope)
      })
    })
  })
)

const exchange = Effect.fnUntraced(function* (
  client: HttpClient.HttpClient.With<HttpClientError, Scope.Scope>,
  request: UpstreamRequest,
  scope: Scope.Closeable
) {
  const response = yield* client.execute(toClientRequest(request)).pipe(
    Effect.provideService(HttpClient.TracerPropagationEnabled, false),
    Effect.mapError((error) => Failure.unreachable(codeOf(error)))
  )
  const pull = yield* Stream.toPull(Stream.mapError(response.stream, (error) => Failure.cut(codeOf(error))))
  const body = Stream.fromPull(yield* holdFirst(pull, response.status < 400))
  return {
    status: response.status,
    headers: response.headers,
    whole: undefined,
    body: Stream.ensuring(body, Scope.close(scope, Exit.void))
  }
})

const toClientRequest = (request: UpstreamRequest): HttpClientRequest.HttpClientRequest =>
  HttpClientRequest.make(request.method as HttpMethod)(request.origin + request.path, {
    headers: { ...request.headers, "accept-encoding": "identity" },
    ...(request.body && { body: HttpBody.uint8Array(request.body, request.headers["content-type"]) })
  })

type BodyPull = Pull.Pull<readonly [Uint8Array, ...Array<Uint8Array>], UpstreamError>

// Begins to read the body; a failure within the grace is the attempt's. Every pull runs in a fiber of its own, so that
// interrupting a pull never interrupts a read.
const holdFirst = Effect.fnUntraced(function* (pull: BodyPull, wait: boolean) {
  const scope = yield* Effect.scope
  let reading = yield* Effect.forkIn(pull, scope, { startImmediately: true })
  if (wait) {
    const first = yield* Fiber.await(reading).pipe(Effect.timeoutOption(Duration.millis(firstByteGrace)))
    if (first._tag === "Some" && Exit.isFailure(first.value) && !Cause.hasInterrupts(first.value.cause)) {
      const failed = first.value.cause.reasons.find((reason) => reason._tag === "Fail")
      if (failed !== undefined && !Cause.isDone(failed.error)) return yield* Effect.fail(failed.error)
    }
  }
  const next: BodyPull = Effect.flatMap(
    Effect.suspend(() => Fiber.await(reading)),
    (exit) => {
      if (Exit.isFailure(exit)) return exit
      return Effect.map(Effect.forkIn(pull, scope), (fiber) => {
        reading = fiber
        return exit.value
      })
    }
  )
  return Effect.succeed(next)
})

const codeOf = (error: { readonly reason: { readonly _tag: string; readonly cause?: unknown } }): string => {
  const cause = error.reason.cause
  const inner = typeof cause === "object" && cause !== null && "cause" in cause ? cause.cause : cause
  const code = typeof inner === "object" && inner !== null && "code" in inner ? inner.code : undefined
  return typeof code === "string" && /^[A-Z0-9_]{1,60}$/.test(code) ? code : "UNKNOWN"
}
