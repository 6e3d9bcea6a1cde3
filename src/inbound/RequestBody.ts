/** A request's body, whole and bounded. */
import * as Effect from "effect/Effect"
import * as ByteSize from "effect/ByteSize"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type { HttpServerError } from "effect/http/HttpServerError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { GatewayError } from "../domain/GatewayError.ts"
import * as Refusal from "../domain/GatewayError.ts"

/**
 * Reads the body once. No body at all is `undefined`. Fails with `GatewayError`: `BodyTooLarge` over `limit` bytes (without
 * reading if the length is announced), `BodyIncomplete` if the client stops in the middle.
 */
export const read = (
  request: HttpServerRequest,
  limit: number
): Effect.Effect<Uint8Array | undefined, GatewayError> => {
  const length = request.headers["content-length"]
  if (Number(length ?? 0) > limit) return Effect.fail(tooLarge(limit))
  const announced = length ?? request.headers["transfer-encoding"]
  if (announced === undefined && (request.method === "GET" || request.method === "HEAD")) return Effect.undefined
  return request.arrayBuffer.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(limit)),
    Effect.map((buffer) => (buffer.byteLength === 0 ? undefined : new Uint8Array(buffer))),
    Effect.mapError((error) => refusal(error, limit))
  )
}

const tooLarge = (limit: number): GatewayError => Refusal.make(new Refusal.BodyTooLarge({ limit }))

const refusal = (error: HttpServerError, limit: number): GatewayError =>
  error.reason._tag === "RequestParseError" && error.reason.reason === "BodyTooLarge"
    ? tooLarge(limit)
    : Refusal.make(new Refusal.BodyIncomplete({}))
