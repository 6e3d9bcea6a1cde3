import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { vi } from "vitest"
import * as UpstreamUndici from "../../src/upstream/UpstreamUndici.ts"
import * as TestAnswer from "./TestAnswer.ts"
import { reasonOf, send, textOf, using } from "./TestClient.ts"
import * as TestServer from "./TestServer.ts"

/** Nothing resolves it: whoever reaches it does so through the proxy. */
const origin = "http://upstream.invalid"

const client = (options: UpstreamUndici.Options) =>
  using({ name: "UpstreamUndici", layer: UpstreamUndici.layer(options) })

/** A proxy that answers in the upstream's name: a tunnel that it opens, or the whole URL that it is asked for. */
const proxied = Effect.fnUntraced(function* (proxy: TestServer.TestServer, body: string) {
  const first = yield* proxy.next
  if (first.method !== "CONNECT") {
    yield* first.write(TestAnswer.whole(200, body))
    return first.target
  }
  yield* first.write(TestAnswer.head(200))
  const inner = yield* proxy.next
  yield* inner.write(TestAnswer.whole(200, body))
  return `http://${first.target.replace(/:80$/, "")}${inner.target}`
})

const withEnvironment = (variables: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
    }),
    () => Effect.sync(() => vi.unstubAllEnvs())
  )

describe("A proxy of UpstreamUndici", () => {
  it.live("is used for http: upstreams if httpProxy is set", () =>
    Effect.gen(function* () {
      const proxy = yield* TestServer.start
      const asked = yield* Effect.forkChild(proxied(proxy, "by proxy"))

      const text = yield* send(origin, { path: "/v1/models?limit=1" }).pipe(
        Effect.flatMap(({ body }) => textOf(body)),
        client({ httpProxy: proxy.origin })
      )

      assert.strictEqual(text, "by proxy")
      assert.strictEqual(yield* Fiber.join(asked), `${origin}/v1/models?limit=1`)
    }).pipe(Effect.scoped)
  )

  it.live.each([
    { behaviour: "httpsProxy", option: "httpsProxy" },
    { behaviour: "httpProxy, if there is no other", option: "httpProxy" }
  ] as const)("opens a tunnel to https: upstreams: $behaviour", ({ option }) =>
    Effect.gen(function* () {
      const proxy = yield* TestServer.start
      const refused = yield* Effect.forkChild(
        Effect.tap(proxy.next, (exchange) => exchange.write(TestAnswer.whole(502, "no tunnel")))
      )

      const error = yield* Effect.flip(send("https://upstream.invalid").pipe(client({ [option]: proxy.origin })))
      const { method, target } = yield* Fiber.join(refused)

      assert.strictEqual(`${method} ${target}`, "CONNECT upstream.invalid:443")
      assert.match(reasonOf(error), /^Unreachable /)
    }).pipe(Effect.scoped)
  )

  it.live("is passed by for the hosts in noProxy", () =>
    Effect.gen(function* () {
      const proxy = yield* TestServer.start
      const server = yield* TestServer.start
      yield* Effect.forkChild(
        Effect.flatMap(server.next, (exchange) => exchange.write(TestAnswer.whole(200, "directly")))
      )

      const text = yield* send(server.origin).pipe(
        Effect.flatMap(({ body }) => textOf(body)),
        client({ httpProxy: proxy.origin, noProxy: "example.com,127.0.0.1" })
      )

      assert.strictEqual(text, "directly")
      assert.strictEqual(yield* proxy.connections, 0)
    }).pipe(Effect.scoped)
  )

  it.live("is not taken from the environment", () =>
    Effect.gen(function* () {
      const proxy = yield* TestServer.start
      const server = yield* TestServer.start
      yield* withEnvironment({ HTTP_PROXY: proxy.origin, http_proxy: proxy.origin, ALL_PROXY: proxy.origin })
      yield* Effect.forkChild(
        Effect.flatMap(server.next, (exchange) => exchange.write(TestAnswer.whole(200, "directly")))
      )

      const text = yield* send(server.origin).pipe(
        Effect.flatMap(({ body }) => textOf(body)),
        client({})
      )

      assert.strictEqual(text, "directly")
      assert.strictEqual(yield* proxy.connections, 0)
    }).pipe(Effect.scoped)
  )

  it.live("is not switched off by the environment", () =>
    Effect.gen(function* () {
      const proxy = yield* TestServer.start
      yield* withEnvironment({ NO_PROXY: "*", no_proxy: "*" })
      const asked = yield* Effect.forkChild(proxied(proxy, "by proxy"))

      const text = yield* send(origin).pipe(
        Effect.flatMap(({ body }) => textOf(body)),
        client({ httpProxy: proxy.origin })
      )

      assert.strictEqual(text, "by proxy")
      assert.strictEqual(yield* Fiber.join(asked), `${origin}/`)
    }).pipe(Effect.scoped)
  )

  it.live("that does not answer makes the upstream unreachable", () =>
    Effect.gen(function* () {
      const port = yield* TestServer.unusedPort

      const error = yield* Effect.flip(send(origin).pipe(client({ httpProxy: `http://127.0.0.1:${port}` })))

      assert.match(reasonOf(error), /^Unreachable /)
    }).pipe(Effect.scoped)
  )
})
