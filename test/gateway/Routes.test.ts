import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Chat from "./Chat.ts"
import * as Messages from "./Messages.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

const token = "gate-alice-0001"
const headers = { "x-aibridge-token": token, authorization: "Bearer own" }
const layer = Setup.layer(() => Calls.passthrough.good, {
  tokens: { alice: token },
  options: { maximumBodyBytes: 64 }
})

const nothingHappened = Effect.gen(function* () {
  assert.deepStrictEqual(yield* Setup.traces, Setup.nothing)
})

/** Whose shape an answer at a path has: that of the vendor mounted there, else the one that all can read. */
const fixtureAt = (path: string) => (/^\/(?:openai|acme|copilot)(?:\/|$)/.test(path) ? Chat.fixture : Messages.fixture)

describe("An unknown route", () => {
  it.effect.each([
    { method: "GET", path: "/nowhere" },
    { method: "POST", path: "/v1/messages" },
    { method: "POST", path: "/v1/chat/completions" },
    { method: "GET", path: "/anthropicx/v1/models" },
    { method: "GET", path: "/anthropic/v1" },
    { method: "POST", path: "/anthropic/v1/messages/" },
    { method: "POST", path: "/anthropic/v1/messages/batches" },
    { method: "POST", path: "/anthropic/v1/complete" },
    { method: "POST", path: "/anthropic/v1/messages/count_tokens/x" },
    { method: "POST", path: "/anthropic/v1/chat/completions" },
    { method: "POST", path: "/anthropic/v1/responses" },
    { method: "GET", path: "/anthropic/v1/organizations/api_keys" },
    { method: "POST", path: "/anthropic/V1/messages" },
    { method: "POST", path: "/Anthropic/v1/messages" },
    { method: "POST", path: "/anthropic/v1%2fmessages" },
    { method: "POST", path: "/anthropic/v1//messages" },
    { method: "POST", path: "//anthropic/v1/messages" },
    { method: "GET", path: "/anthropic/api/event_logging" },
    { method: "GET", path: "/openaix/v1/models" },
    { method: "GET", path: "/OpenAI/v1/models" },
    { method: "POST", path: "/openai/v1/completions" },
    { method: "POST", path: "/openai/v1/embeddings" },
    { method: "GET", path: "/openai/v1/files" },
    { method: "GET", path: "/openai/v1/files/file-1" },
    { method: "GET", path: "/openai/v1/organization/admin_api_keys" },
    { method: "POST", path: "/openai/v1/chat/completions/" },
    { method: "GET", path: "/openai/v1/chat/completions/chatcmpl-1" },
    { method: "POST", path: "/openai/v1/messages" },
    { method: "POST", path: "/openai/v1/v1/chat/completions" },
    { method: "POST", path: "/openai/chat/completions" },
    { method: "POST", path: "/openai/responses" },
    { method: "GET", path: "/openai/models" },
    { method: "GET", path: "/openai/v2/models" },
    { method: "POST", path: "/openai/v1%2fresponses" },
    { method: "POST", path: "/openai/v1//responses" },
    { method: "GET", path: "/openai//v1/models" },
    { method: "GET", path: "/openai//" },
    { method: "POST", path: "/acme/responses" },
    { method: "POST", path: "/acme/v1/chat/completions" },
    { method: "GET", path: "/acme/conversations" },
    { method: "POST", path: "/copilot/v1/chat/completions" },
    { method: "POST", path: "/copilot/v1/responses" },
    { method: "POST", path: "/copilot/v1/messages" },
    { method: "GET", path: "/copilot/v1/models" },
    { method: "GET", path: "/copilot/conversations" },
    { method: "POST", path: "/copilot/responses/resp_1/cancel" },
    { method: "GET", path: "/copilot/agents" },
    { method: "GET", path: "/copilot/mcp" },
    { method: "GET", path: "/copilot/.well-known" }
  ])("is 404 in the provider's shape: $method $path", ({ method, path }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(`${path}?a=b`, { method, headers })

      const text = fixtureAt(path).errorText(404, `route not supported: ${method} ${path}`)
      assert.deepStrictEqual(response, {
        status: 404,
        headers: { "content-type": "application/json", "content-length": String(text.length) },
        text
      })
      yield* nothingHappened
    }).pipe(Effect.provide(layer))
  )
})

describe("A query", () => {
  it.effect.each([
    { method: "POST", path: "/anthropic/v1/messages?beta=true", upstream: "/v1/messages?beta=true" },
    { method: "GET", path: "/anthropic/v1/models/claude?a=?&b=//", upstream: "/v1/models/claude?a=?&b=//" },
    { method: "GET", path: "/anthropic/v1/models?", upstream: "/v1/models?" },
    { method: "POST", path: "/anthropic/v1/messages/count_tokens?b=1", upstream: "/v1/messages/count_tokens?b=1" },
    { method: "POST", path: "/openai/v1/chat/completions?x=%20+&x", upstream: "/v1/chat/completions?x=%20+&x" },
    {
      method: "POST",
      path: "/openai/v1/responses?api-version=2025-04-01-preview",
      upstream: "/v1/responses?api-version=2025-04-01-preview"
    },
    {
      method: "GET",
      path: "/openai/v1/conversations?search=gpt&limit=10&x=%2e%2e/",
      upstream: "/v1/conversations?search=gpt&limit=10&x=%2e%2e/"
    },
    {
      method: "GET",
      path: "/openai/v1/responses/resp_1?include[]=a&include[]=b&stream=true",
      upstream: "/v1/responses/resp_1?include[]=a&include[]=b&stream=true"
    },
    {
      method: "GET",
      path: "/acme/models?limit=10&after_id=a%20b+c&x&x=../",
      upstream: "/api/v3/models?limit=10&after_id=a%20b+c&x&x=../"
    },
    { method: "POST", path: "/copilot/responses?a=b", upstream: "/responses?a=b" },
    { method: "GET", path: "/copilot/.well-known/oauth?a=//b", upstream: "/.well-known/oauth?a=//b" }
  ])("goes upstream as it is: $method $path", ({ method, path, upstream }) =>
    Effect.gen(function* () {
      const body = method === "POST" ? { body: `{"model":"any"}` } : {}
      const response = yield* TestGateway.fetch(path, { method, headers, ...body })

      assert.strictEqual(response.status, 200)
      assert.deepStrictEqual(
        (yield* Setup.requests).map((request) => [request.method, request.path]),
        [[method, upstream]]
      )
    }).pipe(Effect.provide(layer))
  )
})

const mounts = ["/", ...Vendors.all.flatMap(({ name }) => [`/${name}`, `/${name}/`]), "/openai/v1", "/openai/v1/"]

describe("A method", () => {
  const bridged = Calls.everyones.filter((call) => call.isBridged && !call.isStreaming)

  it.effect.each([
    ...Table.times(
      bridged.map(({ path }) => ({ path, allow: "POST" })),
      ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"].map((method) => ({ method }))
    ),
    ...Table.times(
      mounts.map((path) => ({ path, allow: "GET, HEAD" })),
      ["POST", "DELETE"].map((method) => ({ method }))
    )
  ])("that a route does not have is 405 and names those it has: $method $path", ({ method, path, allow }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(path, { method, headers })

      const text = fixtureAt(path).errorText(405, `method ${method} is not allowed on ${path}, use ${allow}`)
      assert.deepStrictEqual(response, {
        status: 405,
        headers: { allow, "content-type": "application/json", "content-length": String(text.length) },
        text
      })
      yield* nothingHappened
    }).pipe(Effect.provide(layer))
  )
})

describe("A client that asks whether anybody is there", () => {
  it.effect.each(mounts.flatMap((path) => ["GET", "HEAD"].map((method) => ({ path, method }))))(
    "gets 200 without a credential: $method $path",
    ({ path, method }) =>
      Effect.gen(function* () {
        const response = yield* TestGateway.fetch(path, { method })

        assert.strictEqual(response.status, 200)
        yield* nothingHappened
      }).pipe(Effect.provide(layer))
  )
})

describe("The checks", () => {
  const large = { body: "x".repeat(65) }

  const checks = [
    { check: "the route", method: "PUT", below: "/nowhere", request: large, status: 404 },
    { check: "the method", method: "PUT", below: "", request: large, status: 405 },
    { check: "the credential", method: "POST", below: "", request: large, status: 401 },
    { check: "the size", method: "POST", below: "", request: { ...large, headers }, status: 413 },
    { check: "the body", method: "POST", below: "", request: { body: "x", headers }, status: 400 }
  ]

  it.effect.each(Table.times(Calls.blockings, checks))(
    "come in order on $call, here $check",
    ({ method, path, below, status, ...row }) =>
      Effect.gen(function* () {
        const at = below === "" ? path : row.vendor.prefix + below

        const response = yield* TestGateway.fetch(at, { method, ...row.request })

        assert.strictEqual(response.status, status)
        yield* nothingHappened
      }).pipe(Effect.provide(layer))
  )
})
