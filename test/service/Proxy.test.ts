import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestServer from "../upstream/TestServer.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestService from "./TestService.ts"

describe("HTTP_PROXY in the service's environment", () => {
  it.live("is the way to the upstream", () =>
    Effect.gen(function* () {
      const proxy = yield* TestServer.start
      const { url } = yield* TestService.withUpstream(1, {
        AIBRIDGE_PROVIDER_0_BASE_URL: "http://upstream.invalid",
        HTTP_PROXY: proxy.origin
      })
      const sending = yield* Effect.forkScoped(TestHttp.send(url, { body: TestHttp.message() }))
      const exchange = yield* proxy.next
      yield* exchange.write(TestAnswer.whole(502, "no way"))

      const { status } = yield* Fiber.join(sending)

      assert.include(exchange.target, "upstream.invalid")
      assert.strictEqual(status, 502)
    })
  )

  it.live("is passed by for the hosts in NO_PROXY", () =>
    Effect.gen(function* () {
      const proxy = yield* TestServer.start
      const { url, upstream } = yield* TestService.withUpstream(1, {
        HTTP_PROXY: proxy.origin,
        NO_PROXY: "127.0.0.1"
      })
      const sending = yield* Effect.forkScoped(TestHttp.send(url, { body: TestHttp.message() }))
      const exchange = yield* upstream.next
      yield* exchange.write(TestAnswer.json(200, {}))

      assert.strictEqual((yield* Fiber.join(sending)).status, 200)
      assert.strictEqual(yield* proxy.connections, 0)
    })
  )

  it.live("is never the way to the simulated provider", () =>
    Effect.gen(function* () {
      const proxy = yield* TestServer.start
      const { url } = yield* TestService.start({ HTTP_PROXY: proxy.origin, HTTPS_PROXY: proxy.origin })

      const { status } = yield* TestHttp.send(url, { body: TestHttp.message() })

      assert.strictEqual(status, 200)
      assert.strictEqual(yield* proxy.connections, 0)
    })
  )
})
