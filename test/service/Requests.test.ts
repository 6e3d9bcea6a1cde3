import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Http from "node:http"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestService from "./TestService.ts"

const mebibyte = 1024 * 1024
const limit = 32 * mebibyte
const piece = Buffer.alloc(mebibyte, "x")

/** So many bytes in pieces of a mebibyte, and one more byte. */
const pieces = (bytes: number): ReadonlyArray<Uint8Array> => [
  ...Array.from({ length: bytes / mebibyte }, () => piece),
  Buffer.from("x")
]

const tooLarge = {
  type: "error",
  error: { type: "request_too_large", message: "request body too large, the maximum is 32 MiB" }
}

describe("A request to the service", () => {
  it.live.each([
    { what: "announced", request: { headers: { "content-length": limit + 1 }, body: pieces(limit) } },
    { what: "not announced", request: { headers: { "transfer-encoding": "chunked" }, body: pieces(limit) } }
  ])("over 32 MiB, $what, is answered with a 413 that the client can read", ({ request }) =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()

      const answer = yield* TestHttp.send(url, request)

      assert.strictEqual(answer.status, 413)
      assert.deepStrictEqual(JSON.parse(yield* answer.text), tooLarge)
      assert.strictEqual(yield* upstream.connections, 0)
    })
  )

  it.live("over 32 MiB is answered before its body has come if its length is announced", () =>
    Effect.gen(function* () {
      const { url } = yield* TestService.withUpstream()

      const answer = yield* TestHttp.send(url, { headers: { "content-length": limit + 1 }, body: [Buffer.from("{")] })

      assert.strictEqual(answer.status, 413)
    })
  )

  it.live("of exactly 32 MiB goes through", () =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()
      const empty = TestHttp.message({ text: "" })
      const body = TestHttp.message({ text: "x".repeat(limit - empty.length) })
      const sending = yield* Effect.forkScoped(TestHttp.send(url, { body }))
      const exchange = yield* upstream.next
      yield* exchange.write(TestAnswer.json(200, {}))

      const answer = yield* Fiber.join(sending)

      assert.strictEqual(answer.status, 200)
      assert.lengthOf(exchange.body, limit)
    })
  )

  it.live("may come in pieces without a length, and goes on with one", () =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()
      const body = TestHttp.message()
      const sending = yield* Effect.forkScoped(
        TestHttp.send(url, { method: "POST", body: [...body].map((letter) => Buffer.from(letter)) })
      )
      const exchange = yield* upstream.next
      yield* exchange.write(TestAnswer.json(200, {}))

      const answer = yield* Fiber.join(sending)

      assert.strictEqual(answer.status, 200)
      assert.strictEqual(String(exchange.body), body)
      assert.strictEqual(exchange.headers["content-length"], String(body.length))
      assert.notProperty(exchange.headers, "transfer-encoding")
    })
  )

  it.live("that waits for 100 Continue gets it", () =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()
      const body = TestHttp.message()
      const answered = yield* Effect.forkScoped(expectContinue(url, { "content-length": body.length }, body))
      const exchange = yield* upstream.next
      yield* exchange.write(TestAnswer.json(200, {}))

      assert.deepStrictEqual(yield* Fiber.join(answered), { continued: true, status: 200 })
      assert.strictEqual(String(exchange.body), body)
      assert.notProperty(exchange.headers, "expect")
    })
  )

  it.live("that waits for 100 Continue gets its 413 instead if it is over 32 MiB", () =>
    Effect.gen(function* () {
      const { url } = yield* TestService.withUpstream()

      const answered = yield* expectContinue(url, { "content-length": limit + 1 }, "")

      assert.deepStrictEqual(answered, { continued: false, status: 413 })
    })
  )

  it.live.each([
    { method: "HEAD", path: "/" },
    { method: "HEAD", path: "/anthropic" },
    { method: "HEAD", path: "/anthropic/" },
    { method: "GET", path: "/" },
    { method: "GET", path: "/anthropic" }
  ])("that asks whether anybody is there is answered without the upstream: $method $path", ({ method, path }) =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream(1, { AIBRIDGE_TOKENS: "ada=token-1" })

      const answer = yield* TestHttp.send(url, { method, path })

      assert.strictEqual(answer.status, 200)
      assert.strictEqual((yield* answer.text) === "", method === "HEAD")
      assert.strictEqual(yield* upstream.connections, 0)
    })
  )

  it.live("may have a whole URL for its target", () =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()
      const sending = yield* Effect.forkScoped(TestHttp.send(url, { path: `${url}/anthropic/v1/models?limit=1` }))
      const exchange = yield* Effect.raceFirst(
        upstream.next,
        Effect.flatMap(Fiber.join(sending), ({ status }) => Effect.die(status))
      )
      yield* exchange.write(TestAnswer.json(200, {}))

      assert.strictEqual((yield* Fiber.join(sending)).status, 200)
      assert.strictEqual(exchange.target, "/v1/models?limit=1")
    })
  )

  it.live.each([
    "http://HOST/anthropic/v1/models/../../admin",
    "http://HOST/anthropic/v1/models/%2e%2e/admin",
    "http://HOST/admin",
    "http://HOST//anthropic/v1/models",
    "http://HOST",
    "/anthropic/v1/models/../../admin",
    "/anthropic/v1/models/..%2fadmin",
    "/anthropic/v1//models",
    "//HOST/anthropic/v1/models"
  ])("whose target leads elsewhere reaches nothing upstream: %s", (path) =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()

      const answer = yield* TestHttp.send(url, { path: path.replace("HOST", new URL(url).host) })

      assert.strictEqual(answer.status, path === "http://HOST" ? 200 : 404)
      assert.strictEqual(yield* upstream.connections, 0)
    })
  )

  it.live("with HEAD on a passthrough route gets the upstream's head", () =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()
      const sending = yield* Effect.forkScoped(TestHttp.send(url, { method: "HEAD", path: "/anthropic/v1/models" }))
      const exchange = yield* upstream.next
      yield* exchange.write(
        TestAnswer.head(200, [
          ["content-length", "1234"],
          ["request-id", "req_1"]
        ])
      )

      const { status, headers } = yield* Fiber.join(sending)

      assert.strictEqual(`${exchange.method} ${exchange.target}`, "HEAD /v1/models")
      assert.strictEqual(status, 200)
      assert.strictEqual(headers["content-length"], "1234")
      assert.strictEqual(headers["request-id"], "req_1")
    })
  )

  it.live("that is no HTTP is answered with a 400, and the service goes on", () =>
    Effect.gen(function* () {
      const { url } = yield* TestService.withUpstream()

      const answer = yield* TestHttp.send(url, { path: "/anthropic", headers: { "content-length": "many" } })
      const next = yield* TestHttp.send(url, { path: "/" })

      assert.strictEqual(answer.status, 400)
      assert.strictEqual(next.status, 200)
    })
  )
})

/** Sends the body only when the server says so. */
const expectContinue = (url: string, headers: Http.OutgoingHttpHeaders, body: string) =>
  Effect.callback<{ readonly continued: boolean; readonly status: number | undefined }, Error>((resume) => {
    let continued = false
    const request = Http.request(`${url}/anthropic/v1/messages`, {
      method: "POST",
      headers: { ...headers, expect: "100-continue" },
      agent: false
    })
    request.on("continue", () => {
      continued = true
      request.end(body)
    })
    request.on("response", (response) => {
      resume(Effect.succeed({ continued, status: response.statusCode }))
      request.destroy()
    })
    request.on("error", (error) => resume(Effect.fail(error)))
    request.flushHeaders()
  })
