import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"

const ask = (origin: string, headers: Record<string, string> = {}) =>
  TestGateway.fetch(Calls.blocking.path, { ...Calls.blocking.request, headers: { origin, ...headers } })

const foreign = [
  "https://evil.test",
  "http://evil.test:8787",
  "http://127.0.0.1.evil.test",
  "http://localhost.evil.test:8787",
  "HTTPS://EVIL.TEST",
  "null"
]

describe("A gateway that is open without tokens", () => {
  it.effect.each(foreign)("refuses the web page of another host: %s", (origin) =>
    Effect.gen(function* () {
      const { status, text } = yield* ask(origin)

      assert.strictEqual(status, 403)
      assert.include(text, "permission_error")
      assert.include(text, "AIBRIDGE_TOKENS")
      assert.deepStrictEqual(yield* Setup.requests, [])
    }).pipe(Effect.provide(Setup.layer([])))
  )

  it.effect.each(Calls.everyones)("refuses it in the vendor's shape: $call", ({ path, request, fixture }) =>
    Effect.gen(function* () {
      const headers = { origin: "https://evil.test", authorization: "Bearer own" }
      const { status, text } = yield* TestGateway.fetch(path, { ...request, headers })

      const refusal = "web pages of other hosts may not use a gateway that is open without tokens: set AIBRIDGE_TOKENS"
      assert.deepStrictEqual({ status, text }, { status: 403, text: fixture.errorText(403, refusal) })
      assert.deepStrictEqual(yield* Setup.traces, Setup.nothing)
    }).pipe(Effect.provide(Setup.layer([])))
  )

  it.effect.each([
    "http://localhost:3000",
    "http://127.0.0.1",
    "https://[::1]:8443",
    "http://LOCALHOST:3000",
    "vscode-file://vscode-app"
  ])("serves what is no page of another host: %s", (origin) =>
    Effect.gen(function* () {
      const { status } = yield* ask(origin)

      assert.strictEqual(status, 200)
    }).pipe(Effect.provide(Setup.layer([Calls.blocking.good])))
  )
})

describe("A gateway that is open without tokens, asked without an origin", () => {
  it.effect.each([
    { "sec-fetch-site": "cross-site" },
    { host: "evil.test:8787" },
    { host: "127.0.0.1.evil.test" },
    { host: "localhost.evil.test" }
  ])("refuses a page of another host: %j", (headers) =>
    Effect.gen(function* () {
      const { status } = yield* TestGateway.fetch(Calls.passthrough.path, { headers })

      assert.strictEqual(status, 403)
      assert.deepStrictEqual(yield* Setup.requests, [])
    }).pipe(Effect.provide(Setup.layer([])))
  )

  it.effect.each([
    { "sec-fetch-site": "none" },
    { host: "localhost:8787" },
    { host: "127.0.0.1:8787" },
    { host: "[::1]:8787" }
  ])("serves who is here: %j", (headers) =>
    Effect.gen(function* () {
      const { status } = yield* TestGateway.fetch(Calls.passthrough.path, { headers })

      assert.strictEqual(status, 200)
    }).pipe(Effect.provide(Setup.layer([Calls.passthrough.good])))
  )
})

describe("A gateway with tokens", () => {
  it.effect("asks a web page for nothing but its token", () =>
    Effect.gen(function* () {
      const { status } = yield* ask("https://evil.test", { authorization: "Bearer gw-token" })

      assert.strictEqual(status, 200)
    }).pipe(Effect.provide(Setup.layer([Calls.blocking.good], { tokens: { ada: "gw-token" } })))
  )
})
