import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Router from "../../src/inbound/Router.ts"
import * as Anthropic from "../../src/providers/Anthropic.ts"
import * as OpenAi from "../../src/providers/OpenAi.ts"

const make = Effect.gen(function* () {
  const all = [yield* Anthropic.make(), yield* Anthropic.make({ name: "anthropic-eu" }), yield* OpenAi.make()]
  return Router.make(() => all)
})

/** A route as a line: what it is, whose, and the path upstream; or the refusal's status. */
const routed = (
  router: Router.Router,
  method: string,
  target: string,
  headers: Router.Incoming["headers"] = {}
): string => {
  const route = router.route({ method, url: target, headers })
  if (Result.isFailure(route)) {
    const { error, dialect } = route.failure
    return `${error.status} ${dialect?.name ?? "of no dialect"}`
  }
  const found = route.success
  return found._tag === "Probe" ? "Probe" : `${found._tag} ${found.provider.name} ${found.path}`
}

describe("A router", () => {
  it.effect.each([
    { method: "GET", target: "/", route: "Probe" },
    { method: "HEAD", target: "/?x", route: "Probe" },
    { method: "GET", target: "/anthropic", route: "Probe" },
    { method: "HEAD", target: "/anthropic-eu/", route: "Probe" },
    { method: "POST", target: "/anthropic/v1/messages", route: "Bridged anthropic /v1/messages" },
    { method: "POST", target: "/anthropic-eu/v1/messages?beta=true", route: "Bridged anthropic-eu /v1/messages" },
    { method: "GET", target: "/anthropic/v1/models", route: "Passthrough anthropic /v1/models" },
    { method: "PUT", target: "/anthropic-eu/v1/models", route: "Passthrough anthropic-eu /v1/models" },
    { method: "GET", target: "/anthropic/v1/models/", route: "Passthrough anthropic /v1/models/" },
    { method: "GET", target: "/anthropic/v1/models/a/b?/../", route: "Passthrough anthropic /v1/models/a/b" },
    {
      method: "POST",
      target: "/anthropic/v1/messages/count_tokens",
      route: "Passthrough anthropic /v1/messages/count_tokens"
    },
    {
      method: "POST",
      target: "/anthropic/api/event_logging/batch",
      route: "Passthrough anthropic /api/event_logging/batch"
    },
    { method: "GET", target: "/openai", route: "Probe" },
    { method: "HEAD", target: "/openai/", route: "Probe" },
    { method: "HEAD", target: "/openai/v1", route: "Probe" },
    { method: "GET", target: "/openai/v1/", route: "Probe" },
    { method: "POST", target: "/openai/v1/chat/completions", route: "Bridged openai /chat/completions" },
    { method: "POST", target: "/openai/v1/responses", route: "Bridged openai /responses" },
    { method: "GET", target: "/openai/v1/responses/resp_1?x", route: "Passthrough openai /responses/resp_1" },
    { method: "GET", target: "/openai/v1/models", route: "Passthrough openai /models" },
    { method: "POST", target: "/openai/v1/responses/", route: "404 openai-chat" },
    { method: "POST", target: "/openai/v1/responses/;x", route: "404 openai-chat" },
    { method: "GET", target: "/openai/v1/conversations/", route: "Passthrough openai /conversations/" },
    { method: "GET", target: "/openai/v1/models/..#", route: "404 openai-chat" },
    { method: "GET", target: "/openai/v1/models/..#x", route: "404 openai-chat" },
    { method: "GET", target: "/openai/v1/models#x", route: "404 openai-chat" },
    { method: "GET", target: "/openai/v1/models/a#/../b", route: "404 openai-chat" },
    { method: "GET", target: "/openai/v1/models?x#y", route: "Passthrough openai /models" },
    { method: "GET", target: "/openai/models", route: "404 openai-chat" },
    { method: "POST", target: "/openai/chat/completions", route: "404 openai-chat" },
    { method: "POST", target: "/openai/v1/completions", route: "404 openai-chat" },
    { method: "PUT", target: "/openai/v1/responses", route: "405 openai-responses" },
    { method: "POST", target: "/openai/v1", route: "405 openai-chat" },
    { method: "GET", target: "/openai-eu/v1/models", route: "404 of no dialect" },
    { method: "POST", target: "/", route: "405 of no dialect" },
    { method: "POST", target: "/anthropic", route: "405 anthropic-messages" },
    { method: "GET", target: "/anthropic/v1/messages", route: "405 anthropic-messages" },
    { method: "post", target: "/anthropic/v1/messages", route: "405 anthropic-messages" },
    { method: "GET", target: "/anthropic/v2", route: "404 anthropic-messages" },
    { method: "GET", target: "/anthropic-us/v1/models", route: "404 of no dialect" },
    { method: "GET", target: "/anthropicv1/models", route: "404 of no dialect" },
    { method: "GET", target: "", route: "404 of no dialect" },
    { method: "GET", target: "*", route: "404 of no dialect" },
    { method: "GET", target: "http://x/anthropic/v1/models", route: "404 of no dialect" },
    { method: "GET", target: "/anthropic/v1/models/../x", route: "404 anthropic-messages" },
    { method: "GET", target: "/anthropic/./v1/models", route: "404 anthropic-messages" }
  ])("finds for $method $target: $route", ({ method, target, route }) =>
    Effect.gen(function* () {
      assert.strictEqual(routed(yield* make, method, target), route)
    })
  )

  it.effect("finds what is served at the moment", () =>
    Effect.gen(function* () {
      const anthropic = yield* Anthropic.make()
      let all = [anthropic]
      const router = Router.make(() => all)
      const target = "/openai/v1/models"
      assert.strictEqual(routed(router, "GET", target), "404 of no dialect")

      all = [yield* OpenAi.make()]

      assert.strictEqual(routed(router, "GET", target), "Passthrough openai /models")
      assert.strictEqual(routed(router, "GET", "/anthropic/v1/models"), "404 of no dialect")
    })
  )

  it("without providers answers only who asks whether anybody is there", () => {
    const router = Router.make(() => [])

    assert.strictEqual(routed(router, "GET", "/"), "Probe")
    assert.strictEqual(routed(router, "POST", "/anthropic/v1/messages"), "404 of no dialect")
  })
})

const upgrade = (protocol: string, connection = "Upgrade") => ({ connection, upgrade: protocol })

describe("A request for another protocol", () => {
  it.effect.each([
    { method: "GET", target: "/openai/v1/responses", headers: upgrade("websocket"), route: "501 openai-responses" },
    { method: "POST", target: "/openai/v1/responses", headers: upgrade("websocket"), route: "501 openai-responses" },
    { method: "GET", target: "/anthropic/v1/models", headers: upgrade("websocket"), route: "501 anthropic-messages" },
    {
      method: "GET",
      target: "/openai/v1/models",
      headers: upgrade("WebSocket", "keep-alive, upgrade"),
      route: "501 openai-chat"
    },
    { method: "GET", target: "/openai/v1/models", headers: upgrade("x/1"), route: "501 openai-chat" },
    { method: "GET", target: "/openai/v1", headers: upgrade("websocket"), route: "501 openai-chat" },
    { method: "GET", target: "/", headers: upgrade("websocket"), route: "501 of no dialect" },
    { method: "GET", target: "/openai/v1/nowhere", headers: upgrade("websocket"), route: "404 openai-chat" },
    { method: "GET", target: "/nowhere", headers: upgrade("websocket"), route: "404 of no dialect" }
  ])("is refused where something is served: $method $target $headers.upgrade: $route", (row) =>
    Effect.gen(function* () {
      assert.strictEqual(routed(yield* make, row.method, row.target, row.headers), row.route)
    })
  )

  it.effect.each([
    { what: "HTTP/2, which is only offered", headers: upgrade("h2c", "Upgrade, HTTP2-Settings") },
    { what: "one that the connection does not name", headers: upgrade("websocket", "keep-alive") },
    { what: "one that the connection does not name whole", headers: upgrade("websocket", "x-upgrade-insecure") },
    { what: "none that is named", headers: { connection: "upgrade" } }
  ])("is served as it is with $what", ({ headers }) =>
    Effect.gen(function* () {
      const route = routed(yield* make, "POST", "/openai/v1/responses", headers)

      assert.strictEqual(route, "Bridged openai /responses")
    })
  )
})

describe("The query of a target", () => {
  it.each([
    { target: "/a", query: "" },
    { target: "/a?", query: "?" },
    { target: "/a?b=c&d", query: "?b=c&d" },
    { target: "/a?b?c", query: "?b?c" }
  ])("of $target is '$query'", ({ target, query }) => {
    assert.strictEqual(Router.queryOf(target), query)
  })
})
