import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as KeyFailurePolicy from "../../src/keys/KeyFailurePolicy.ts"
import * as KeyPoolError from "../../src/keys/KeyPoolError.ts"
import * as Anthropic from "../../src/providers/Anthropic.ts"

const keys = ["first-key-NEVER-SHOWN", "second-key-NEVER-SHOWN"].map((key) => Redacted.make(key))

describe("An Anthropic provider", () => {
  it.effect("is called anthropic and is at Anthropic's if nothing else is said", () =>
    Effect.gen(function* () {
      const provider = yield* Anthropic.make()

      assert.deepInclude(provider, {
        type: "anthropic",
        name: "anthropic",
        routePrefix: "/anthropic",
        baseUrl: { origin: "https://api.anthropic.com", path: "" }
      })
    })
  )

  it.effect("keeps its type under a name of its own", () =>
    Effect.gen(function* () {
      const provider = yield* Anthropic.make({ name: "anthropic-custom" })

      assert.deepInclude(provider, { type: "anthropic", name: "anthropic-custom", routePrefix: "/anthropic-custom" })
    })
  )

  it.effect("bridges messages and forwards nothing but the known routes", () =>
    Effect.gen(function* () {
      const provider = yield* Anthropic.make()

      assert.deepStrictEqual(
        provider.bridgedRoutes.map((route) => route.path),
        ["/v1/messages"]
      )
      assert.deepStrictEqual(provider.passthroughRoutes, [
        "/v1/models",
        "/v1/models/",
        "/v1/messages/count_tokens",
        "/api/event_logging/"
      ])
    })
  )

  it.effect("uses its keys in the order given", () =>
    Effect.gen(function* () {
      const provider = yield* Anthropic.make({ keys, keyFailurePolicy: KeyFailurePolicy.lenient })
      const { pool } = provider.keyFailover

      assert.deepStrictEqual(
        pool?.keys.map((key) => Redacted.value(key.value)),
        keys.map(Redacted.value)
      )
      assert.deepInclude(pool, {
        provider: "anthropic",
        kind: "centralized",
        keyFailurePolicy: KeyFailurePolicy.lenient
      })
    })
  )

  it.effect("has no pool without keys", () =>
    Effect.gen(function* () {
      assert.isUndefined((yield* Anthropic.make()).keyFailover.pool)
    })
  )

  it.effect.each([
    {
      fault: "a name with a slash",
      options: { name: "a/b" },
      message: `provider "a/b": name: must contain only lowercase alphanumeric characters and hyphens`
    },
    {
      fault: "an upper-case name",
      options: { name: "Anthropic" },
      message: `provider "Anthropic": name: must contain only lowercase alphanumeric characters and hyphens`
    },
    {
      fault: "a base URL that is none",
      options: { baseUrl: "secret" },
      message: `provider "anthropic": baseUrl: not a URL`
    },
    {
      fault: "a base URL with a password",
      options: { baseUrl: "https://a:secret@b" },
      message: `provider "anthropic": baseUrl: must not hold a user name or password`
    },
    { fault: "an empty pool", options: { keys: [] }, message: "no keys provided" },
    {
      fault: "a key twice",
      options: { keys: [...keys, ...keys] },
      message: "duplicate key at index 2"
    }
  ])("is refused with $fault", ({ options, message }) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Anthropic.make(options))

      assert.strictEqual(error.message, message)
      assert.notMatch(error.message, /secret|NEVER-SHOWN/)
    })
  )
})

describe("A caller's own credential", () => {
  it.effect.each([
    { headers: {}, expected: undefined },
    { headers: { "content-type": "application/json" }, expected: undefined },
    { headers: { "x-api-key": "  ", authorization: "" }, expected: undefined },
    {
      headers: { "x-api-key": " own " },
      expected: { header: "x-api-key", value: "own", secret: "own" }
    },
    {
      headers: { authorization: "Bearer own" },
      expected: { header: "authorization", value: "Bearer own", secret: "own" }
    },
    {
      headers: { authorization: "Basic b3du" },
      expected: { header: "authorization", value: "Basic b3du", secret: "Basic b3du" }
    },
    {
      headers: { "x-api-key": "own", authorization: "Bearer other" },
      expected: { header: "x-api-key", value: "own", secret: "own" }
    },
    {
      headers: { "x-api-key": " ", authorization: "Bearer own" },
      expected: { header: "authorization", value: "Bearer own", secret: "own" }
    }
  ])("is found in $headers", ({ headers, expected }) =>
    Effect.gen(function* () {
      const { byokCredential, isByok } = (yield* Anthropic.make()).keyFailover
      const named: Record<string, string> = { ...headers }

      assert.deepStrictEqual(byokCredential(named), expected)
      assert.strictEqual(isByok(named), expected !== undefined)
    })
  )
})

describe("A pool's key", () => {
  it.effect.each([
    { headers: {}, expected: { "x-api-key": "k" } },
    { headers: { "x-api-key": "stale", accept: "x" }, expected: { "x-api-key": "k", accept: "x" } },
    { headers: { authorization: "Bearer a" }, expected: { authorization: "Bearer a", "x-api-key": "k" } }
  ])("is put into x-api-key of $headers and nothing else is changed", ({ headers, expected }) =>
    Effect.gen(function* () {
      const { injectAuthKey } = (yield* Anthropic.make()).keyFailover
      const given: Readonly<Record<string, string>> = Object.freeze({ ...headers })

      assert.deepStrictEqual(injectAuthKey(given, Redacted.make("k")), expected)
    })
  )
})

describe("The answer to an exhaustion", () => {
  it.effect.each([
    { millis: 5_000, retryAfter: "5", text: "5s" },
    { millis: 60_000, retryAfter: "60", text: "1m0s" },
    { millis: 4_001, retryAfter: "5", text: "4.001s" },
    { millis: 500, retryAfter: "1", text: "500ms" },
    { millis: 0, retryAfter: "1", text: "0s" }
  ])("that ends after $millis ms is 429 with Retry-After $retryAfter", ({ millis, retryAfter, text }) =>
    Effect.gen(function* () {
      const { buildKeyPoolResponse } = (yield* Anthropic.make()).keyFailover

      const response = buildKeyPoolResponse(KeyPoolError.transient("anthropic", Duration.millis(millis)))

      assert.deepStrictEqual(response, {
        status: 429,
        headers: { "retry-after": retryAfter },
        body: `{"type":"error","error":{"type":"rate_limit_error","message":"all configured keys are rate-limited (retry after ${text})"}}`
      })
    })
  )

  it.effect("that does not end is 502, not to be tried again", () =>
    Effect.gen(function* () {
      const { buildKeyPoolResponse } = (yield* Anthropic.make()).keyFailover

      assert.deepStrictEqual(buildKeyPoolResponse(KeyPoolError.permanent("anthropic")), {
        status: 502,
        headers: { "x-should-retry": "false" },
        body: `{"type":"error","error":{"type":"api_error","message":"all configured keys failed authentication"}}`
      })
    })
  )
})
