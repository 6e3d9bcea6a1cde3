import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

const headers = { "x-aibridge-token": "any", authorization: "Bearer own", "x-api-key": "own" }
const layer = Setup.layer(() => Calls.passthrough.good)

const subtrees = [
  "/anthropic/v1/models/",
  "/anthropic/api/event_logging/",
  "/openai/v1/models/",
  "/openai/v1/conversations/",
  "/openai/v1/responses/",
  "/acme/models/",
  "/copilot/models/",
  "/copilot/agents/",
  "/copilot/mcp/",
  "/copilot/.well-known/"
].map((subtree) => ({ subtree }))

describe("A path that could lead out of a subtree", () => {
  const ways = [
    "..",
    "../messages",
    "../chat/completions",
    "x/../../organizations",
    "%2e%2e/organizations",
    "..;/organizations",
    "..;x=y/organizations",
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
  ].map((way) => ({ way }))

  it.effect.each(Table.times(subtrees, ways))(
    "is 404 and sends nothing upstream: $way below $subtree",
    ({ subtree, way }) =>
      Effect.gen(function* () {
        const response = yield* TestGateway.fetch(subtree + way, { headers })

        assert.strictEqual(response.status, 404)
        assert.property(JSON.parse(response.text), "error")
        assert.deepStrictEqual(yield* Setup.traces, Setup.nothing)
      }).pipe(Effect.provide(layer))
  )
})

describe("A path that stays below its subtree", () => {
  const ways = ["claude", "claude%2Dx", "a/b", "a/", "", "..a", "a..", "...", "claude@20", "%C3%BC", "a:b"].map(
    (way) => ({ way })
  )

  // Beside a bridged route the subtree's own root is none, see the test of the router.
  const rows = Table.times(subtrees, ways).filter(({ subtree, way }) => subtree + way !== "/openai/v1/responses/")

  it.effect.each(rows)("goes upstream as it is: $way below $subtree", ({ subtree, way }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(subtree + way, { headers })

      const vendor = Vendors.all.find(({ prefix }) => subtree.startsWith(prefix))
      assert.strictEqual(response.status, 200)
      assert.deepStrictEqual(
        (yield* Setup.requests).map(({ origin, path }) => origin + path),
        [`${vendor?.upstream}${subtree.slice(vendor?.prefix.length)}${way}`]
      )
    }).pipe(Effect.provide(layer))
  )
})

describe("A method on a passthrough route", () => {
  const routes = [
    { path: "/anthropic/v1/models" },
    { path: "/anthropic/v1/messages/count_tokens" },
    { path: "/anthropic/api/event_logging/batch" },
    { path: "/openai/v1/models" },
    { path: "/openai/v1/models/gpt-5.1" },
    { path: "/openai/v1/conversations" },
    { path: "/openai/v1/conversations/conv_1/items" },
    { path: "/openai/v1/responses/resp_1" },
    { path: "/openai/v1/responses/resp_1/cancel" },
    { path: "/openai/v1/responses/resp_1/input_items" },
    { path: "/acme/models" },
    { path: "/copilot/models" },
    { path: "/copilot/models/x" },
    { path: "/copilot/agents/x" },
    { path: "/copilot/mcp/" },
    { path: "/copilot/mcp/x" },
    { path: "/copilot/.well-known/x" }
  ]
  const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].map((method) => ({ method }))

  it.effect.each(Table.times(routes, methods))("may be any one: $method $path", ({ path, method }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(path, { method, headers })

      assert.strictEqual(response.status, 200)
      assert.deepStrictEqual(
        (yield* Setup.requests).map((request) => request.method),
        [method]
      )
      assert.deepStrictEqual(yield* Setup.records, [])
    }).pipe(Effect.provide(layer))
  )
})

describe("The place upstream", () => {
  const paths = [
    { prefix: "/anthropic", path: "/v1/models" },
    { prefix: "/anthropic", path: "/v1/messages" },
    { prefix: "/openai/v1", path: "/conversations" },
    { prefix: "/openai/v1", path: "/models" },
    { prefix: "/openai/v1", path: "/chat/completions" },
    { prefix: "/openai/v1", path: "/responses" },
    { prefix: "/acme", path: "/models" },
    { prefix: "/acme", path: "/chat/completions" },
    { prefix: "/copilot", path: "/models" },
    { prefix: "/copilot", path: "/chat/completions" },
    { prefix: "/copilot", path: "/responses" }
  ]
  const bases = [
    { base: "https://api.test", root: "https://api.test" },
    { base: "https://api.test/", root: "https://api.test" },
    { base: "http://127.0.0.1:9000", root: "http://127.0.0.1:9000" },
    { base: "https://api.test/v1", root: "https://api.test/v1" },
    { base: "https://api.test/api/v2", root: "https://api.test/api/v2" },
    { base: "https://api.test/api/v2///", root: "https://api.test/api/v2" },
    { base: "https://API.test:443/a%20b", root: "https://api.test/a%20b" }
  ]

  it.effect.each(Table.times(paths, bases))(
    "of $path below $prefix is the base URL $base and what follows the prefix, joined by one slash",
    ({ prefix, path, base, root }) =>
      Effect.gen(function* () {
        yield* TestGateway.fetch(`${prefix}${path}?x=y`, { headers, body: { model: "any" } })

        assert.deepStrictEqual(
          (yield* Setup.requests).map((request) => request.origin + request.path),
          [`${root}${path}?x=y`]
        )
      }).pipe(Effect.provide(Setup.layer(() => Calls.passthrough.good, { provider: { baseUrl: base } })))
  )

  it.effect.each(Calls.everyones)(
    "is the vendor's own if nothing else is said, on $call",
    ({ path, request, vendor }) =>
      Effect.gen(function* () {
        yield* TestGateway.fetch(path, { ...request, headers })

        assert.deepStrictEqual(
          (yield* Setup.requests).map((sent) => sent.origin + sent.path),
          [vendor.upstream + path.slice(vendor.prefix.length)]
        )
      }).pipe(Effect.provide(layer))
  )

  it.effect.each(Vendors.all)("of $name is found under the instance's own name only", (vendor) =>
    Effect.gen(function* () {
      const renamed = vendor.prefix.replace(vendor.name, "eu-1")
      const response = yield* TestGateway.fetch(renamed + vendor.models, { headers })
      const other = yield* TestGateway.fetch(vendor.prefix + vendor.models, { headers })

      assert.deepStrictEqual([response.status, other.status], [200, 404])
      assert.deepStrictEqual(
        (yield* Setup.requests).map(({ origin, path }) => origin + path),
        [vendor.upstream + vendor.models]
      )
    }).pipe(Effect.provide(Setup.layer([Calls.passthrough.good], { vendors: [vendor], provider: { name: "eu-1" } })))
  )
})
