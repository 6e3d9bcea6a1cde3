import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { createHash } from "node:crypto"
import * as TestHttp from "./TestHttp.ts"
import * as TestMessages from "./TestMessages.ts"
import * as TestService from "./TestService.ts"

const hash = createHash("sha256").update("token-1").digest("hex")
const headers = { authorization: "Bearer token-1" }
const body = TestHttp.message()

describe("The service", () => {
  it.live("knows a caller by the hash of a token, and sends the token nowhere", () =>
    Effect.gen(function* () {
      const { upstream, url } = yield* TestService.withUpstream(1, { AIBRIDGE_TOKENS: `ada=sha256:${hash}` })
      const seen = yield* TestMessages.script(upstream, [TestMessages.blocking("Hello")])

      const known = yield* TestHttp.send(url, { body, headers: { ...headers, "x-note": "token-1" } })
      const other = yield* TestHttp.send(url, { body, headers: { authorization: "Bearer token-2" } })

      assert.deepStrictEqual([known.status, other.status], [200, 401])
      assert.notInclude(JSON.stringify(seen.map((exchange) => exchange.headers)), "token-1")
    })
  )

  it.live("takes no more requests at once than it is told, until an answer was sent or its client has left", () =>
    Effect.gen(function* () {
      const { upstream, url } = yield* TestService.withUpstream(1, { AIBRIDGE_MAX_CONCURRENCY: "1" })
      const seen = yield* TestMessages.script(upstream, [
        TestMessages.unfinished,
        TestMessages.blocking("Hello"),
        TestMessages.blocking("Hello")
      ])
      const client = yield* Scope.make()
      const stream = yield* TestHttp.send(url, { body: TestHttp.message({ stream: true }) }).pipe(Scope.provide(client))
      yield* stream.read

      const refused = yield* TestHttp.send(url, { body })
      yield* Scope.close(client, Exit.void)
      yield* Effect.forEach(seen, ({ closed }) => closed)
      const next = yield* TestHttp.send(url, { body })
      yield* next.text
      const last = yield* TestHttp.send(url, { body })

      assert.deepStrictEqual([stream.status, refused.status, next.status, last.status], [200, 429, 200, 200])
      assert.deepInclude(refused.headers, { "retry-after": "1", "x-aibridge-error": "concurrency_limited" })
      assert.include(yield* refused.text, `"rate_limit_error"`)
      assert.lengthOf(seen, 3)
    })
  )

  it.live("takes no more requests a minute of a caller than it is told", () =>
    Effect.gen(function* () {
      const { upstream, url } = yield* TestService.withUpstream(1, {
        AIBRIDGE_RATE_LIMIT: "1",
        AIBRIDGE_TOKENS: "ada=token-1,bob=token-2"
      })
      const seen = yield* TestMessages.script(upstream, [
        TestMessages.blocking("Hello"),
        TestMessages.blocking("Hello")
      ])

      const taken = yield* TestHttp.send(url, { body, headers })
      const refused = yield* TestHttp.send(url, { body, headers })
      const other = yield* TestHttp.send(url, { body, headers: { authorization: "Bearer token-2" } })

      assert.deepStrictEqual([taken.status, refused.status, other.status], [200, 429, 200])
      assert.strictEqual(refused.headers["x-aibridge-error"], "rate_limited")
      assert.isAtLeast(Number(refused.headers["retry-after"]), 55)
      assert.lengthOf(seen, 2)
    })
  )

  it.live("takes no provider key of its callers if it is told so", () =>
    Effect.gen(function* () {
      const { upstream, url } = yield* TestService.withUpstream(1, { AIBRIDGE_ALLOW_BYOK: "false" })
      const seen = yield* TestMessages.script(upstream, [TestMessages.blocking("Hello")])

      const own = yield* TestHttp.send(url, { body, headers: { "x-aibridge-token": "any", "x-api-key": "sk-own" } })
      const pooled = yield* TestHttp.send(url, { body })

      assert.deepStrictEqual([own.status, pooled.status], [403, 200])
      assert.include(yield* own.text, "AIBRIDGE_ALLOW_BYOK")
      assert.lengthOf(seen, 1)
    })
  )

  it.live("takes none where it simulates providers either", () =>
    Effect.gen(function* () {
      const { url, lines } = yield* TestService.start({ AIBRIDGE_ALLOW_BYOK: "false" })

      const copilot = yield* TestHttp.send(url, {
        path: "/copilot/models",
        headers: { authorization: "Bearer anything" }
      })

      assert.strictEqual(copilot.status, 403)
      assert.deepStrictEqual(lines(), [])
    })
  )

  it.live("names each caller once, however many tokens there are for one", () =>
    Effect.gen(function* () {
      const { banner } = yield* TestService.start({ AIBRIDGE_TOKENS: "ada=token-1,bob=token-2,ada=token-3" })

      assert.include(banner, "  callers   ada, bob (by gateway token)")
    })
  )
})
