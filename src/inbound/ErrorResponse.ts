/** Answers of our own on the wire: JSON in the dialect of the prefix that was called, with a length. */
import * as Duration from "effect/Duration"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import type { GatewayError } from "../domain/GatewayError.ts"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import * as AnthropicMessages from "../dialects/AnthropicMessages.ts"
import type { Dialect, ShapedResponse } from "../dialects/Dialect.ts"
import { retryAfter, shapeError } from "../dialects/Dialect.ts"

/** Outside all prefixes: the one whose shape clients of the other dialects can read too. */
export const defaultDialect: Dialect = AnthropicMessages.dialect

export const toResponse = (
  shaped: ShapedResponse,
  headers: Readonly<Record<string, string>> = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(shaped.body, {
    status: shaped.status,
    contentType: "application/json",
    headers: { ...headers, ...shaped.headers }
  })

/** Says that a status is the gateway's own where the provider could have sent the same. */
const errorHeader = "x-aibridge-error"

/** A refusal of the gateway. 405 names the allowed methods; 429, which is not the provider's, and 503 say when to try again. */
export const fromGatewayError = (error: GatewayError, dialect: Dialect = defaultDialect): ShapedResponse =>
  shapeError(dialect, error.status, error.message, headersOf(error.reason))

const headersOf = (reason: GatewayError["reason"]): Readonly<Record<string, string>> => {
  switch (reason._tag) {
    case "MethodNotAllowed":
      return { allow: reason.allow }
    case "CircuitOpen":
      return retryAfter(reason.retryAfter)
    case "ConcurrencyLimited":
      return { ...retryAfter(Duration.zero), [errorHeader]: "concurrency_limited" }
    case "RateLimited":
      return { ...retryAfter(reason.retryAfter), [errorHeader]: "rate_limited" }
    case "NotRecorded":
      return retryAfter(Duration.zero)
    case "Draining":
      return stopping
    default:
      return {}
  }
}

/** An upstream that gave no usable answer: 504 if it took too long, 503 as of `Draining` if the gateway has stopped, else 502. */
export const fromUpstreamError = (error: UpstreamError, dialect: Dialect = defaultDialect): ShapedResponse => {
  switch (error.reason._tag) {
    case "Stopped":
      return shapeError(dialect, 503, error.message, stopping)
    case "TimedOut":
      return shapeError(dialect, 504, error.message)
    default:
      return shapeError(dialect, 502, error.message)
  }
}

const stopping = { ...retryAfter(Duration.zero), connection: "close" }
