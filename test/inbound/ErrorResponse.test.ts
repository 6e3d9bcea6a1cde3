import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as GatewayError from "../../src/domain/GatewayError.ts"
import * as UpstreamError from "../../src/domain/UpstreamError.ts"
import * as ErrorResponse from "../../src/inbound/ErrorResponse.ts"

const refusals = [
  {
    reason: new GatewayError.InvalidBody({ detail: "why" }),
    status: 400,
    message: "invalid request body: why",
    headers: {}
  },
  { reason: new GatewayError.BodyIncomplete({}), status: 400, message: "request body incomplete", headers: {} },
  { reason: new GatewayError.Unauthorized({ detail: "why" }), status: 401, message: "why", headers: {} },
  {
    reason: new GatewayError.RouteNotFound({ method: "GET", path: "/x" }),
    status: 404,
    message: "route not supported: GET /x",
    headers: {}
  },
  {
    reason: new GatewayError.MethodNotAllowed({ method: "PUT", path: "/x", allow: "GET, HEAD" }),
    status: 405,
    message: "method PUT is not allowed on /x, use GET, HEAD",
    headers: { allow: "GET, HEAD" }
  },
  {
    reason: new GatewayError.ConcurrencyLimited({}),
    status: 429,
    message: "the gateway has as many requests under way as it takes at once, try again",
    headers: { "retry-after": "1", "x-aibridge-error": "concurrency_limited" }
  },
  {
    reason: new GatewayError.RateLimited({ retryAfter: Duration.millis(2001) }),
    status: 429,
    message: "you have sent as many requests as the gateway takes in a minute, try again later",
    headers: { "retry-after": "3", "x-aibridge-error": "rate_limited" }
  },
  { reason: new GatewayError.Unsupported({ detail: "why" }), status: 501, message: "why", headers: {} },
  {
    reason: new GatewayError.BodyTooLarge({ limit: 32 * 1024 * 1024 }),
    status: 413,
    message: "request body too large, the maximum is 32 MiB",
    headers: {}
  },
  {
    reason: new GatewayError.BodyTooLarge({ limit: 1_048_577 }),
    status: 413,
    message: "request body too large, the maximum is 1048577 bytes",
    headers: {}
  }
]

describe("An error of the gateway's own", () => {
  it.each(refusals)("$reason._tag is $status: $message", ({ reason, status, message, headers }) => {
    const shaped = ErrorResponse.fromGatewayError(GatewayError.make(reason))

    assert.deepStrictEqual([shaped.status, shaped.headers], [status, headers])
    assert.deepInclude(JSON.parse(shaped.body), { type: "error" })
    assert.strictEqual(JSON.parse(shaped.body).error.message, message)
  })

  it.each([
    { error: UpstreamError.unreachable("ENOTFOUND"), status: 502, message: "upstream unreachable (ENOTFOUND)" },
    { error: UpstreamError.cut("X"), status: 502, message: "upstream closed the stream early" },
    { error: UpstreamError.timedOut(), status: 504, message: "upstream timed out" },
    { error: UpstreamError.stopped(), status: 503, message: "the gateway is shutting down, try again" }
  ])("about an upstream is $status: $message", ({ error, status, message }) => {
    const shaped = ErrorResponse.fromUpstreamError(error)

    assert.strictEqual(shaped.status, status)
    assert.strictEqual(JSON.parse(shaped.body).error.message, message)
  })

  it("because the gateway stops says when to try again, on another connection", () => {
    assert.deepStrictEqual(ErrorResponse.fromUpstreamError(UpstreamError.stopped()).headers, {
      "retry-after": "1",
      connection: "close"
    })
  })

  it("is JSON with a length in bytes", () => {
    const { status, headers } = ErrorResponse.toResponse(
      { status: 400, headers: { "x-a": "1" }, body: `"ü"` },
      { b: "2" }
    )

    assert.strictEqual(status, 400)
    assert.deepInclude(
      { ...headers },
      { "content-type": "application/json", "content-length": "4", "x-a": "1", b: "2" }
    )
  })
})
