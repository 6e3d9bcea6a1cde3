import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { networkInterfaces } from "node:os"
import * as TestServer from "../upstream/TestServer.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestService from "./TestService.ts"

const hasIPv6 = (networkInterfaces()["lo"] ?? []).some(({ family }) => family === "IPv6")

describe("The service", () => {
  it.live("says which port another program has, and what to set", () =>
    Effect.gen(function* () {
      const other = yield* TestServer.start

      const error = yield* Effect.flip(TestService.start({ AIBRIDGE_PORT: String(other.port) }))

      assert.strictEqual(error._tag, "CannotListen")
      assert.strictEqual(
        error.message,
        `cannot listen on 127.0.0.1:${other.port} (EADDRINUSE): another program does. Set AIBRIDGE_PORT to a free port`
      )
    })
  )

  it.live("says that it cannot listen on an address of another machine", () =>
    Effect.gen(function* () {
      const environment = { AIBRIDGE_HOST: "192.0.2.1", AIBRIDGE_TOKENS: "ada=token-never-shown" }

      const error = yield* Effect.flip(TestService.start(environment))

      assert.strictEqual(error.message, "cannot listen on 192.0.2.1:0 (EADDRNOTAVAIL)")
    })
  )

  it.live("leaves its port when its scope closes", () =>
    Effect.gen(function* () {
      const port = yield* TestServer.unusedPort

      for (let round = 0; round < 2; round++) {
        const { url } = yield* Effect.scoped(TestService.start({ AIBRIDGE_PORT: String(port) }))
        assert.strictEqual(url, `http://127.0.0.1:${port}`)
      }
    })
  )

  it.live.skipIf(!hasIPv6)("listens on IPv6, with or without brackets", () =>
    Effect.gen(function* () {
      for (const host of ["::1", "[::1]"]) {
        const { url } = yield* TestService.start({ AIBRIDGE_HOST: host })
        assert.match(url, /^http:\/\/\[::1\]:\d+$/)
        assert.strictEqual((yield* TestHttp.send(url, { path: "/" })).status, 200)
      }
    })
  )

  it.live("names what it serves: providers, the number of keys, the names of callers, and no secret", () =>
    Effect.gen(function* () {
      const { banner, url } = yield* TestService.start({
        AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
        AIBRIDGE_PROVIDER_0_KEYS: "sk-never-shown-1,sk-never-shown-2",
        AIBRIDGE_PROVIDER_1_TYPE: "anthropic",
        AIBRIDGE_PROVIDER_1_NAME: "own-keys",
        AIBRIDGE_TOKENS: "ada=token-never-shown,grace=other-never-shown"
      })

      for (const part of [
        `anthropic (anthropic) at ${url}/anthropic, 2 key(s)`,
        `own-keys (anthropic) at ${url}/own-keys, no keys: callers bring their own`,
        "ada, grace"
      ]) {
        assert.include(banner, part)
      }
      assert.notMatch(banner, /never-shown|simulated/i)
    })
  )
})
