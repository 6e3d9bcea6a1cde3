import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestService from "./TestService.ts"

const webSocket = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="
}

const clearTextHttp2 = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABkAAQAAP__" }

describe("A WebSocket handshake", () => {
  it.live.each(["/openai/v1/responses", "/openai/v1/models", "/openai/v1/responses/resp_1"])(
    "is answered with 501 in the provider's shape, and nothing goes upstream: %s",
    (path) =>
      Effect.gen(function* () {
        const { url, upstream } = yield* TestService.withUpstream(1, {}, "openai")

        const answer = yield* TestHttp.send(url, { path, headers: webSocket })

        assert.strictEqual(answer.status, 501)
        assert.deepStrictEqual(JSON.parse(yield* answer.text), {
          error: {
            message: "WebSocket and other upgrades are not supported, use HTTP",
            type: "invalid_request_error",
            param: null,
            code: "unsupported"
          }
        })
        assert.strictEqual(yield* upstream.connections, 0)
      })
  )
})

describe("A request that offers HTTP/2 in clear text", () => {
  const body = TestHttp.message()

  it.live.each([
    { what: "with a length", request: { body } },
    { what: "without a length", request: { method: "POST", body: [Buffer.from(body)] } }
  ])("is served over HTTP/1.1 with its body, $what", ({ request }) =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()
      const sending = yield* Effect.forkScoped(TestHttp.send(url, { ...request, headers: clearTextHttp2 }))
      const exchange = yield* upstream.next
      yield* exchange.write(TestAnswer.json(200, {}))

      const answer = yield* Fiber.join(sending)

      assert.strictEqual(answer.status, 200)
      assert.strictEqual(String(exchange.body), body)
      for (const name of ["upgrade", "http2-settings"]) assert.notProperty(exchange.headers, name)
    })
  )
})
