/**
 * The one place where the head of an upstream's answer becomes the head of ours. Whoever makes a response here has committed:
 * from then on there is no status to change, and a failure can only be an event in the body.
 */
import * as Context from "effect/Context"
import * as HttpBody from "effect/http/HttpBody"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type * as Stream from "effect/Stream"

/** Puts all values of a header into a response's head, if the server can; answers whether it did. */
export type WriteRepeated = (request: HttpServerRequest, name: string, values: ReadonlyArray<string>) => boolean

/** How repeated headers go out. Default: joined by commas, as RFC 9110 section 5.3 allows. */
export const RepeatedHeaders = Context.Reference<WriteRepeated>("effect-aibridge/relay/RepeatedHeaders", {
  defaultValue: () => () => false
})

/** A body that comes bit by bit. */
export const stream = (
  status: number,
  headers: Record<string, string>,
  body: Stream.Stream<Uint8Array, unknown>
): HttpServerResponse.HttpServerResponse => {
  if (headers["content-type"] !== undefined) return HttpServerResponse.stream(body, { status, headers })
  const length = headers["content-length"]
  return untyped(status, headers, new HttpBody.Stream(body, "", length === undefined ? undefined : Number(length)))
}

/** A body that is already here; none at all (as after `HEAD`) leaves the upstream's headers alone. */
export const whole = (
  status: number,
  headers: Record<string, string>,
  body: Uint8Array
): HttpServerResponse.HttpServerResponse => {
  if (body.length === 0) return HttpServerResponse.empty({ status, headers })
  if (headers["content-type"] !== undefined) return HttpServerResponse.uint8Array(body, { status, headers })
  return untyped(status, headers, new HttpBody.Uint8Array(body, "", body.length))
}

// An answer without a content type gets none from us: an empty one is not written again once it is removed.
const untyped = (
  status: number,
  headers: Record<string, string>,
  body: HttpBody.HttpBody
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.empty({ status, headers }).pipe(
    HttpServerResponse.setBody(body),
    HttpServerResponse.removeHeader("content-type")
  )
