import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { dialect } from "../../src/dialects/AnthropicMessages.ts"
import * as Bodies from "./Bodies.ts"

const { bytes } = Bodies

describe("A request of Anthropic Messages", () => {
  it.each([
    { body: `{"model":"claude"}`, summary: { model: "claude", stream: false } },
    { body: `{"model":"claude","stream":true}`, summary: { model: "claude", stream: true } },
    { body: `{"model":"claude","stream":"true"}`, summary: { model: "claude", stream: false } },
    { body: `{"model":"claude","stream":1}`, summary: { model: "claude", stream: false } },
    { body: `{"model":"claude","stream":null}`, summary: { model: "claude", stream: false } },
    { body: `{"model":"claude","background":true}`, summary: { model: "claude", stream: false } },
    { body: `\ufeff{"model":"claude"}`, summary: { model: "claude", stream: false } },
    { body: `{"stream":false,"model":"a","model":"b"}`, summary: { model: "b", stream: false } },
    { body: `{"model":" ","messages":"whatever"}`, summary: { model: " ", stream: false } },
    { body: `{"model":"modèle 👋"}`, summary: { model: "modèle 👋", stream: false } },
    { body: ` {"model":"a"}\n`, summary: { model: "a", stream: false } }
  ])("$body says what is wanted, and goes upstream as it is", ({ body, summary }) => {
    const sent = bytes(body)

    const request = dialect.readRequest(sent)

    assert.deepStrictEqual(request, Result.succeed({ ...Bodies.saysNothing, ...summary, body: sent }))
    assert.strictEqual(Result.getOrThrow(request).body, sent)
  })
})

describe("The user of a request of Anthropic Messages", () => {
  it.each([
    { members: `"metadata":{"user_id":"u_1"}`, userId: "u_1" },
    { members: `"metadata":{"user_id":""}`, userId: "" },
    { members: `"metadata":{"x":1,"user_id":"{\\"session_id\\":\\"s\\"}"}`, userId: `{"session_id":"s"}` },
    { members: `"metadata":{"user_id":"a"},"metadata":{"user_id":"b"}`, userId: "b" },
    { members: `"metadata":{"user_id":1}`, userId: undefined },
    { members: `"metadata":{"user_id":null}`, userId: undefined },
    { members: `"metadata":{"user_id":true}`, userId: undefined },
    { members: `"metadata":{"user_id":["u_1"]}`, userId: undefined },
    { members: `"metadata":{"user_id":{"id":"u_1"}}`, userId: undefined },
    { members: `"metadata":{"userId":"u_1"}`, userId: undefined },
    { members: `"metadata":{}`, userId: undefined },
    { members: `"metadata":null`, userId: undefined },
    { members: `"metadata":"user_id"`, userId: undefined },
    { members: `"metadata":[{"user_id":"u_1"}]`, userId: undefined },
    { members: `"user_id":"u_1","user":"u_1"`, userId: undefined }
  ])("is $userId with $members", ({ members, userId }) => {
    const request = dialect.readRequest(bytes(`{"model":"claude",${members}}`))

    assert.strictEqual(Result.getOrThrow(request).userId, userId)
  })
})

describe("An error in Anthropic's shape", () => {
  it.each([
    { status: 400, type: "invalid_request_error" },
    { status: 401, type: "authentication_error" },
    { status: 403, type: "permission_error" },
    { status: 404, type: "not_found_error" },
    { status: 405, type: "invalid_request_error" },
    { status: 413, type: "request_too_large" },
    { status: 422, type: "invalid_request_error" },
    { status: 429, type: "rate_limit_error" },
    { status: 500, type: "api_error" },
    { status: 502, type: "api_error" },
    { status: 503, type: "overloaded_error" },
    { status: 504, type: "timeout_error" },
    { status: 529, type: "overloaded_error" }
  ])("with status $status is of type $type", ({ status, type }) => {
    assert.strictEqual(
      dialect.renderError(status, "why"),
      `{"type":"error","error":{"type":"${type}","message":"why"}}`
    )
  })

  it("is an event of a stream that has begun", () => {
    const event = new TextDecoder().decode(dialect.renderStreamError("a\nb"))

    assert.strictEqual(event, `event: error\ndata: {"type":"error","error":{"type":"api_error","message":"a\\nb"}}\n\n`)
  })
})

describe("The keep-alive event of Anthropic Messages", () => {
  it("is a ping, as Anthropic documents it", () => {
    assert.strictEqual(new TextDecoder().decode(dialect.keepalive), `event: ping\ndata: {"type": "ping"}\n\n`)
  })
})
