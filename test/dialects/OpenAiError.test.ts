import { assert, describe, it } from "@effect/vitest"
import * as OpenAiChat from "../../src/dialects/OpenAiChat.ts"
import * as OpenAiError from "../../src/dialects/OpenAiError.ts"
import * as OpenAiResponses from "../../src/dialects/OpenAiResponses.ts"

describe("An error in OpenAI's shape", () => {
  it.each([
    { status: 400, type: "invalid_request_error", code: null },
    { status: 401, type: "invalid_request_error", code: "invalid_api_key" },
    { status: 403, type: "invalid_request_error", code: null },
    { status: 404, type: "invalid_request_error", code: null },
    { status: 405, type: "invalid_request_error", code: "method_not_supported" },
    { status: 413, type: "invalid_request_error", code: null },
    { status: 422, type: "invalid_request_error", code: null },
    { status: 429, type: "rate_limit_error", code: "rate_limit_exceeded" },
    { status: 499, type: "invalid_request_error", code: null },
    { status: 500, type: "api_error", code: "server_error" },
    { status: 501, type: "invalid_request_error", code: "unsupported" },
    { status: 502, type: "api_error", code: "server_error" },
    { status: 503, type: "server_error", code: "service_unavailable" },
    { status: 504, type: "api_error", code: "server_error" },
    { status: 529, type: "api_error", code: "server_error" }
  ])("with status $status is of type $type with code $code, and has all four members", ({ status, type, code }) => {
    assert.deepStrictEqual(OpenAiError.make(status, "why"), { message: "why", type, param: null, code })
    assert.deepStrictEqual(JSON.parse(OpenAiError.render(status, "why")), {
      error: { message: "why", type, param: null, code }
    })
  })

  it.each([OpenAiChat, OpenAiResponses])("is the same in every dialect of OpenAI", ({ dialect }) => {
    for (const status of [400, 401, 429, 502]) {
      assert.strictEqual(dialect.renderError(status, "why"), OpenAiError.render(status, "why"))
    }
  })
})
