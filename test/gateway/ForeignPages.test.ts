import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Fixture from "./Fixture.ts"
import * as Setup from "./Setup.ts"

const ask = (origin: string, headers: Record<string, string> = {}) =>
  TestGateway.fetch(Setup.messages, { ...Setup.blocking, headers: { origin, ...headers } })

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
    }).pipe(Effect.provide(Setup.layer([Fixture.message200])))
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
      const { status } = yield* TestGateway.fetch(Setup.models, { headers })

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
      const { status } = yield* TestGateway.fetch(Setup.models, { headers })

      assert.strictEqual(status, 200)
    }).pipe(Effect.provide(Setup.layer([Fixture.models200])))
  )
})

describe("A gateway with tokens", () => {
  it.effect("asks a web page for nothing but its token", () =>
    Effect.gen(function* () {
      const { status } = yield* ask("https://evil.test", { authorization: "Bearer gw-token" })

      assert.strictEqual(status, 200)
    }).pipe(Effect.provide(Setup.layer([Fixture.message200], { tokens: { ada: "gw-token" } })))
  )
})
