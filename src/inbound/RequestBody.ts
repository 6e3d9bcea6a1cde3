/** A request's body, whole and bounded. */
import * as ByteSize from "effect/ByteSize"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type { HttpServerError } from "effect/http/HttpServerError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { GatewayError } from "../domain/GatewayError.ts"
import * as Refusal from "../domain/GatewayError.ts"

/**
 * Reads all of a body. Fails with `GatewayError`: `BodyTooLarge` over `limit` bytes, `BodyIncomplete` if the client stops in
 * the middle.
 */
export type ReadBody = (request: HttpServerRequest, limit: number) => Effect.Effect<Uint8Array, GatewayError>

/** Reads the body of any server's request. */
export const readAny: ReadBody = (request, limit) =>
  request.arrayBuffer.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(limit)),
    Effect.map((buffer) => new Uint8Array(buffer)),
    Effect.mapError((error) => refusal(error, limit))
  )

/** How bodies are read; a server that has a cheaper way may say so here. Default `readAny`. */
export const BodyReader = Context.Reference<ReadBody>("effect-aibridge/inbound/BodyReader", {
  defaultValue: () => readAny
})

/** As `ReadBody`, but an announced length over the limit is refused without reading, and no body at all is `undefined`. */
export const read = (
  request: HttpServerRequest,
  limit: number,
  readBody: ReadBody
): Effect.Effect<Uint8Array | undefined, GatewayError> => {
  const length = request.headers["content-length"]
  if (Number(length ?? 0) > limit) return Effect.fail(tooLarge(limit))
  const announced = length ?? request.headers["transfer-encoding"]
  if (announced === undefined && (request.method === "GET" || request.method === "HEAD")) return Effect.undefined
  return Effect.map(readBody(request, limit), (body) => (body.length === 0 ? undefined : body))
}

const tooLarge = (limit: number): GatewayError => Refusal.make(new Refusal.BodyTooLarge({ limit }))

const refusal = (error: HttpServerError, limit: number): GatewayError =>
  error.reason._tag === "RequestParseError" && error.reason.reason === "BodyTooLarge"
    ? tooLarge(limit)
    : Refusal.make(new Refusal.BodyIncomplete({}))
