import { assert, describe, it } from "@effect/vitest"
import type { ResponseHeaders } from "../../../src/domain/HeaderRecord.ts"
import * as Exceptions from "../../../src/providers/bedrock/Exceptions.ts"
import * as Splits from "../../Splits.ts"

const translate = (status: number, headers: ResponseHeaders, body: string) => {
  const answer = Exceptions.translate({ status, headers }, Splits.bytes(body))
  return { ...answer, body: Splits.text(answer.body) }
}

const rendered = (type: string, message: string) => JSON.stringify({ type: "error", error: { type, message } })

const messageOf = (answer: { readonly body: string }): unknown => JSON.parse(answer.body).error.message

describe("An exception of Bedrock", () => {
  it.each([
    { exception: "ValidationException", sent: 500, status: 400, type: "invalid_request_error" },
    { exception: "ExpiredTokenException", sent: 403, status: 401, type: "authentication_error" },
    { exception: "ExpiredToken", sent: 400, status: 401, type: "authentication_error" },
    { exception: "UnrecognizedClientException", sent: 403, status: 401, type: "authentication_error" },
    { exception: "InvalidClientTokenId", sent: 403, status: 401, type: "authentication_error" },
    { exception: "InvalidSignatureException", sent: 403, status: 401, type: "authentication_error" },
    { exception: "SignatureDoesNotMatch", sent: 403, status: 401, type: "authentication_error" },
    { exception: "IncompleteSignature", sent: 400, status: 401, type: "authentication_error" },
    { exception: "IncompleteSignatureException", sent: 400, status: 401, type: "authentication_error" },
    { exception: "MissingAuthenticationToken", sent: 403, status: 401, type: "authentication_error" },
    { exception: "MissingAuthenticationTokenException", sent: 403, status: 401, type: "authentication_error" },
    { exception: "AccessDeniedException", sent: 403, status: 403, type: "permission_error" },
    { exception: "AccessDenied", sent: 400, status: 403, type: "permission_error" },
    { exception: "NotAuthorized", sent: 400, status: 403, type: "permission_error" },
    { exception: "OptInRequired", sent: 400, status: 403, type: "permission_error" },
    { exception: "ResourceNotFoundException", sent: 400, status: 404, type: "not_found_error" },
    { exception: "ModelTimeoutException", sent: 408, status: 408, type: "timeout_error" },
    { exception: "modelTimeoutException", sent: 500, status: 408, type: "timeout_error" },
    { exception: "ThrottlingException", sent: 400, status: 429, type: "rate_limit_error" },
    { exception: "throttlingException", sent: 200, status: 429, type: "rate_limit_error" },
    { exception: "TooManyRequestsException", sent: 400, status: 429, type: "rate_limit_error" },
    { exception: "ServiceQuotaExceededException", sent: 400, status: 429, type: "rate_limit_error" },
    { exception: "InternalServerException", sent: 503, status: 500, type: "api_error" },
    { exception: "ModelErrorException", sent: 424, status: 500, type: "api_error" },
    { exception: "ModelStreamErrorException", sent: 424, status: 500, type: "api_error" },
    { exception: "RequestTimeTooSkewed", sent: 403, status: 500, type: "api_error" },
    { exception: "RequestExpired", sent: 400, status: 500, type: "api_error" },
    { exception: "ModelNotReadyException", sent: 429, status: 503, type: "overloaded_error" },
    { exception: "ServiceUnavailableException", sent: 500, status: 503, type: "overloaded_error" },
    { exception: "SomethingNewException", sent: 418, status: 418, type: "invalid_request_error" },
    { exception: "SomethingNewException", sent: 502, status: 502, type: "api_error" },
    { exception: "Exception", sent: 403, status: 403, type: "permission_error" },
    { exception: "constructor", sent: 500, status: 500, type: "api_error" },
    { exception: undefined, sent: 429, status: 429, type: "rate_limit_error" }
  ])("$exception with status $sent is a $type with status $status", ({ exception, sent, status, type }) => {
    const error = Exceptions.toError(exception, "why", sent)

    assert.deepStrictEqual(error, { status, json: rendered(type, "why") })
  })

  it.each([
    { exception: "InvalidSignatureException", message: "Signature expired: 20150830T123600Z is now earlier than" },
    { exception: "SignatureDoesNotMatch", message: "Signature not yet current: 20150830T123600Z is still later than" }
  ])("$exception is no key's fault if it says '$message'", ({ exception, message }) => {
    const error = Exceptions.toError(exception, message, 403)

    assert.deepStrictEqual(error, { status: 500, json: rendered("api_error", message) })
  })

  it.each([
    { message: "The Signature expired: no", shown: "The Signature expired: no" },
    {
      message:
        "Does not match.\n\nThe Canonical String for this request should have been\n'POST\nx-amz-security-token:S",
      shown: "Does not match."
    },
    { message: "Does not match. The String-to-Sign should have been\nS", shown: "Does not match." },
    { message: "Not a valid pair in Authorization header: 'AWS4 S'", shown: "Not a valid pair in" },
    { message: "Requires 'Signature'. Authorization=AWS4 S", shown: "Requires 'Signature'." }
  ])("shows of the message of a wrong signature only '$shown'", ({ message, shown }) => {
    const error = Exceptions.toError("InvalidSignatureException", message, 403)

    assert.deepStrictEqual(error, { status: 401, json: rendered("authentication_error", shown) })
  })
})

describe("An error answer of Bedrock", () => {
  const json = { "content-type": "application/x-amz-json-1.1" }

  it.each([
    { where: "the header", headers: { "x-amzn-errortype": "ThrottlingException" }, body: `{"message":"why"}` },
    {
      where: "the header before a link",
      headers: { "x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/coral/#x" },
      body: `{"message":"why"}`
    },
    {
      where: "the header behind a namespace",
      headers: { "x-amzn-errortype": "com.amazon.coral.service#ThrottlingException" },
      body: `{"message":"why"}`
    },
    {
      where: "the header and not in the body",
      headers: { "x-amzn-errortype": "ThrottlingException" },
      body: `{"__type":"AccessDeniedException","message":"why"}`
    },
    { where: "a header with several values", headers: { "x-amzn-errortype": ["ThrottlingException", "Other"] } },
    { where: "the body's __type", body: `{"__type":"ThrottlingException","message":"why"}` },
    {
      where: "the body's __type, namespaced",
      body: `{"__type":"com.amazon.coral#ThrottlingException","message":"why"}`
    },
    { where: "the body's code", body: `{"code":"ThrottlingException","Message":"why"}` },
    {
      where: "the body under a blank header",
      headers: { "x-amzn-errortype": " " },
      body: `{"code":"ThrottlingException","message":"why"}`
    }
  ])("is known by the name in $where", ({ headers, body = `{"message":"why"}` }) => {
    const answer = translate(400, { ...json, ...headers }, body)

    assert.strictEqual(answer.status, 429)
    assert.strictEqual(answer.body, rendered("rate_limit_error", "why"))
  })

  it.each([
    { body: `{"message":"why"}`, message: "why" },
    { body: `{"Message":"why"}`, message: "why" },
    { body: `{"message":"","Message":"why"}`, message: "why" },
    { body: `{"message":null,"Message":"why"}`, message: "why" },
    { body: `{"message":"a","Message":"b"}`, message: "a" },
    { body: `{"message":"grüße\\n👋"}`, message: "grüße\n👋" },
    { body: `{"error":"why"}`, message: `{"error":"why"}` },
    { body: `{"message":{"a":1}}`, message: `{"message":{"a":1}}` },
    { body: "  why\n", message: "why" },
    { body: "x".repeat(1000), message: "x".repeat(1000) },
    { body: "x".repeat(1001), message: "x".repeat(1000) },
    { body: `${"x".repeat(999)}👋`, message: `${"x".repeat(999)}\ufffd` },
    { body: "null", message: "null" },
    { body: "", message: "Bedrock answered with status 418" },
    { body: " \n", message: "Bedrock answered with status 418" },
    { body: "<html><body>why</body></html>", message: "Bedrock answered with status 418" },
    { body: "\n<!DOCTYPE html>", message: "Bedrock answered with status 418" }
  ])("says '$message' for the body '$body'", ({ body, message }) => {
    const answer = translate(418, json, body)

    assert.strictEqual(messageOf(answer), message)
    assert.strictEqual(answer.status, 418)
  })

  it("says its status and name if it has no text", () => {
    const answer = translate(403, { "x-amzn-errortype": "AccessDeniedException" }, "")

    assert.strictEqual(messageOf(answer), "Bedrock answered with status 403 (AccessDeniedException)")
  })

  it("is JSON, and keeps the headers that still hold", () => {
    const kept = {
      "x-amzn-requestid": "r1",
      "retry-after": "3",
      "x-amzn-errortype": "ThrottlingException",
      vary: ["a", "b"]
    }
    const gone = {
      "content-length": "17",
      "content-encoding": "identity",
      etag: `"x"`,
      "content-md5": "x",
      digest: "x",
      "content-digest": "x"
    }

    const answer = translate(429, { ...kept, ...gone, ...json }, `{"message":"why"}`)

    assert.deepStrictEqual(answer.headers, { ...kept, "content-type": "application/json" })
  })

  it("is not read if it is compressed", () => {
    const headers = { "content-encoding": "gzip", "x-amzn-errortype": "ThrottlingException" }

    const answer = translate(400, headers, "\u001f\u0008")

    assert.strictEqual(answer.status, 429)
    assert.strictEqual(messageOf(answer), "Bedrock answered with status 400 (ThrottlingException)")
    assert.notProperty(answer.headers, "content-encoding")
  })

  it("stays as it is if it is in Anthropic's shape already", () => {
    const head = { status: 400, headers: { "content-type": "application/json", "content-length": "70" } }
    const body = Splits.bytes(`{ "type":"error", "error":{"type":"rate_limit_error","message":"why"}, "more":1 }\n`)

    const answer = Exceptions.translate(head, body)

    assert.deepStrictEqual(answer, { ...head, body })
    assert.strictEqual(answer.body, body)
  })

  it.each([
    { body: `{"type":"error","error":"why"}` },
    { body: `{"type":"error","error":null}` },
    { body: `{"type":"fault","error":{"type":"a","message":"b"}}` }
  ])("is not yet in Anthropic's shape as $body", ({ body }) => {
    const answer = translate(400, {}, body)

    assert.strictEqual(answer.body, rendered("invalid_request_error", body))
  })
})
