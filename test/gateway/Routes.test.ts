import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Fixture from "./Fixture.ts"
import * as Setup from "./Setup.ts"

const token = "gate-alice-0001"
const headers = { authorization: `Bearer ${token}` }
const layer = Setup.layer(() => Fixture.models200, {
  tokens: { alice: token },
  options: { maximumBodyBytes: 64 }
})

const nothingHappened = Effect.gen(function* () {
  assert.deepStrictEqual(yield* Setup.requests, [])
  assert.deepStrictEqual(yield* Setup.records, [])
})

describe("An unknown route", () => {
  it.effect.each([
    { method: "GET", path: "/nowhere" },
    { method: "POST", path: "/v1/messages" },
    { method: "GET", path: "/openai/v1/models" },
    { method: "GET", path: "/anthropicx/v1/models" },
    { method: "GET", path: "/anthropic/v1" },
    { method: "POST", path: "/anthropic/v1/messages/" },
    { method: "POST", path: "/anthropic/v1/messages/batches" },
    { method: "POST", path: "/anthropic/v1/complete" },
    { method: "POST", path: "/anthropic/v1/messages/count_tokens/x" },
    { method: "GET", path: "/anthropic/v1/organizations/api_keys" },
    { method: "POST", path: "/anthropic/V1/messages" },
    { method: "POST", path: "/Anthropic/v1/messages" },
    { method: "POST", path: "/anthropic/v1%2fmessages" },
    { method: "POST", path: "/anthropic/v1//messages" },
    { method: "POST", path: "//anthropic/v1/messages" },
    { method: "GET", path: "/anthropic/api/event_logging" }
  ])("is 404 in the provider's shape: $method $path", ({ method, path }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(`${path}?a=b`, { method, headers })

      const text = Fixture.errorText("not_found_error", `route not supported: ${method} ${path}`)
      assert.deepStrictEqual(response, {
        status: 404,
        headers: { "content-type": "application/json", "content-length": String(text.length) },
        text
      })
      yield* nothingHappened
    }).pipe(Effect.provide(layer))
  )
})

describe("A path that could lead out of a subtree", () => {
  const below = [
    "..",
    "../messages",
    "x/../../organizations",
    "%2e%2e/organizations",
    "..;/organizations",
    "%252e%252e/organizations",
    "%2E%2e/organizations",
    ".%2e/x",
    ".",
    "./x",
    "%2e/x",
    "/x",
    "x//y",
    "x%2f..%2fy",
    "x%2Fy",
    "x\\..\\y",
    "x%5cy",
    "x%5Cy",
    "x%00y",
    "..?x=y"
  ]

  it.effect.each([
    ...below.map((path) => `/anthropic/v1/models/${path}`),
    "/anthropic/api/event_logging/../admin",
    "/anthropic/api/event_logging/%2e%2e/admin"
  ])("is 404 and sends nothing upstream: %s", (path) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(path, { headers })

      assert.strictEqual(response.status, 404)
      yield* nothingHappened
    }).pipe(Effect.provide(layer))
  )

  it.effect.each(["claude", "claude%2Dx", "a/b", "a/", "", "..a", "a..", "...", "claude@20", "%C3%BC"])(
    "is not one that stays below it, which goes upstream as it is: %s",
    (rest) =>
      Effect.gen(function* () {
        const response = yield* TestGateway.fetch(`/anthropic/v1/models/${rest}`, { headers })

        assert.strictEqual(response.status, 200)
        assert.deepStrictEqual(
          (yield* Setup.requests).map((request) => request.path),
          [`/v1/models/${rest}`]
        )
      }).pipe(Effect.provide(layer))
  )
})

describe("A query", () => {
  it.effect.each([
    { method: "POST", path: "/v1/messages?beta=true" },
    { method: "GET", path: "/v1/models?limit=10&after_id=a%20b+c&x&x=%2e%2e/" },
    { method: "GET", path: "/v1/models/claude?a=?&b=//" },
    { method: "GET", path: "/v1/models?" },
    { method: "POST", path: "/v1/messages/count_tokens?beta=true" }
  ])("goes upstream as it is: $path", ({ method, path }) =>
    Effect.gen(function* () {
      const body = method === "POST" ? { body: `{"model":"claude"}` } : {}
      const response = yield* TestGateway.fetch(`/anthropic${path}`, { method, headers, ...body })

      assert.strictEqual(response.status, 200)
      assert.deepStrictEqual(
        (yield* Setup.requests).map((request) => [request.method, request.path]),
        [[method, path]]
      )
    }).pipe(Effect.provide(layer))
  )
})

describe("A method", () => {
  it.effect.each([
    ...["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"].map((method) => ({
      method,
      path: "/anthropic/v1/messages",
      allow: "POST"
    })),
    ...["/", "/anthropic", "/anthropic/"].flatMap((path) =>
      ["POST", "DELETE"].map((method) => ({ method, path, allow: "GET, HEAD" }))
    )
  ])("that a route does not have is 405 and names those it has: $method $path", ({ method, path, allow }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(path, { method, headers })

      const text = Fixture.errorText(
        "invalid_request_error",
        `method ${method} is not allowed on ${path}, use ${allow}`
      )
      assert.deepStrictEqual(response, {
        status: 405,
        headers: { allow, "content-type": "application/json", "content-length": String(text.length) },
        text
      })
      yield* nothingHappened
    }).pipe(Effect.provide(layer))
  )

  it.effect.each(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])(
    "on a passthrough route may be any one: %s",
    (method) =>
      Effect.gen(function* () {
        const response = yield* TestGateway.fetch(Setup.models, { method, headers })

        assert.strictEqual(response.status, 200)
        assert.deepStrictEqual(
          (yield* Setup.requests).map((request) => request.method),
          [method]
        )
      }).pipe(Effect.provide(layer))
  )
})

describe("A client that asks whether anybody is there", () => {
  it.effect.each(
    ["/", "/anthropic", "/anthropic/"].flatMap((path) => ["GET", "HEAD"].map((method) => ({ path, method })))
  )("gets 200 without a credential: $method $path", ({ path, method }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(path, { method })

      assert.strictEqual(response.status, 200)
      yield* nothingHappened
    }).pipe(Effect.provide(layer))
  )
})

describe("The checks", () => {
  const large = { body: "x".repeat(65) }

  it.effect.each([
    { behaviour: "the route", method: "PUT", path: "/anthropic/v1/nowhere", request: large, status: 404 },
    { behaviour: "the method", method: "PUT", path: Setup.messages, request: large, status: 405 },
    { behaviour: "the credential", method: "POST", path: Setup.messages, request: large, status: 401 },
    { behaviour: "the size", method: "POST", path: Setup.messages, request: { ...large, headers }, status: 413 },
    { behaviour: "the body", method: "POST", path: Setup.messages, request: { body: "x", headers }, status: 400 }
  ])("come in order, here $behaviour", ({ method, path, request, status }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(path, { method, ...request })

      assert.strictEqual(response.status, status)
      yield* nothingHappened
    }).pipe(Effect.provide(layer))
  )
})
