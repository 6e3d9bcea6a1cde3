/** The admin API of a service, over real connections. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestAnswer from "../../upstream/TestAnswer.ts"
import * as TestServer from "../../upstream/TestServer.ts"
import * as TestHttp from "../TestHttp.ts"
import * as TestMessages from "../TestMessages.ts"
import * as TestService from "../TestService.ts"
import * as TestAdmin from "./TestAdmin.ts"

const hints = ["sk-t...-0kk", "sk-t...-1kk", "sk-t...-2kk"]

/** A request that has to be answered, whatever with. */
const message = (url: string) =>
  Effect.scoped(Effect.flatMap(TestHttp.send(url, { body: TestHttp.message() }), ({ text }) => text))

const overloaded = TestAnswer.json(503, { type: "error", error: { type: "api_error", message: "no" } })

const operations = [
  "GET /version",
  "GET /metrics",
  "GET /config",
  "GET /pools",
  "GET /breakers",
  "GET /interceptions",
  "GET /interceptions/0",
  "GET /usage",
  "POST /pools/anthropic/keys/0/reset",
  "POST /pools/anthropic/keys/0/disable",
  "POST /reload"
]

describe("The admin API", () => {
  it.live("says that the service is alive and ready, what runs, and what it can be asked", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestService.start({})

      assert.deepInclude(yield* TestAdmin.ask(adminUrl, "GET /livez"), { status: 200, body: { status: "alive" } })
      assert.deepInclude(yield* TestAdmin.ask(adminUrl, "GET /readyz"), { status: 200, body: { status: "ready" } })
      assert.deepInclude(yield* TestAdmin.ask(adminUrl, "GET /version"), {
        status: 200,
        body: { version: "0.0.0", node: "v0.0.0" }
      })
      const { body } = yield* TestAdmin.ask(adminUrl, "GET /openapi.json")
      const described = Object.entries(Object(Object(body).paths)).flatMap(([path, methods]) =>
        Object.keys(Object(methods)).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`)
      )
      const expected = operations.map((operation) =>
        operation.replace("anthropic/keys/0", ":provider/keys/:key").replace("interceptions/0", "interceptions/:id")
      )
      assert.sameMembers(described, ["GET /livez", "GET /readyz", ...expected])
      assert.strictEqual((yield* TestAdmin.ask(adminUrl, "GET /nothing")).status, 404)
    })
  )

  it.live("shows the keys of pools, until when they rest, and why", () =>
    Effect.gen(function* () {
      const { url, adminUrl, upstream } = yield* TestService.withUpstream(3, { AIBRIDGE_PROVIDER_0_RECHECK: "5m" })
      yield* TestMessages.script(upstream, [
        TestMessages.limited(600),
        TestMessages.revoked,
        TestMessages.blocking("Hello")
      ])
      const before = Date.now()
      yield* message(url)

      const { body } = yield* TestAdmin.ask(adminUrl, "GET /pools")

      const [pool] = Array.isArray(body) ? body : []
      const [limited, revoked, valid] = pool.keys
      const soon = (instant: string, seconds: number) => {
        assert.match(instant, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
        assert.approximately(Date.parse(instant), before + seconds * 1000, 5000)
      }
      soon(limited.until, 600)
      soon(revoked.recheckAt, 300)
      const provider = "anthropic"
      assert.deepStrictEqual(
        { ...pool, keys: [{ ...limited, until: "" }, { ...revoked, recheckAt: "" }, valid] },
        {
          provider,
          type: "anthropic",
          keys: [
            { provider, index: 0, key: hints[0], state: "temporary", until: "", why: "the provider has answered 429" },
            {
              provider,
              index: 1,
              key: hints[1],
              state: "permanent",
              why: "the provider has answered 401",
              recheckAt: ""
            },
            { provider, index: 2, key: hints[2], state: "valid" }
          ]
        }
      )
    })
  )

  it.live("disables and resets keys, by their masked form or their place, with a log line for each change", () =>
    Effect.gen(function* () {
      const { url, adminUrl, upstream, lines } = yield* TestService.withUpstream(2)
      const seen = yield* TestMessages.script(upstream, [
        TestMessages.blocking("one"),
        TestMessages.blocking("two"),
        TestMessages.blocking("three")
      ])
      const disabled = { provider: "anthropic", index: 0, key: hints[0], state: "permanent" }

      const first = yield* TestAdmin.ask(adminUrl, "POST /pools/anthropic/keys/0/disable")
      const again = yield* TestAdmin.ask(adminUrl, `POST /pools/anthropic/keys/${hints[0]}/disable`)
      yield* message(url)
      const reset = yield* TestAdmin.ask(adminUrl, `POST /pools/anthropic/keys/${hints[0]}/reset`)
      yield* TestAdmin.ask(adminUrl, "POST /pools/anthropic/keys/0/reset")
      yield* message(url)

      assert.deepInclude(first, { status: 200, body: { ...disabled, why: "disabled by an operator" } })
      assert.deepStrictEqual(again.body, first.body)
      assert.deepInclude(reset, { status: 200, body: { ...disabled, state: "valid" } })
      assert.deepStrictEqual(
        seen.map(({ headers }) => headers["x-api-key"]),
        [TestService.key(1), TestService.key(0)]
      )
      const told = lines().filter((line) => line.includes("by an operator"))
      assert.lengthOf(told, 2)
      assert.match(
        String(told[0]),
        /message="key disabled by an operator" provider=anthropic api_key_hint=sk-t\.\.\.-0kk/
      )
      assert.match(String(told[1]), /message="key reset by an operator" provider=anthropic api_key_hint=sk-t\.\.\.-0kk/)
    })
  )

  it.live.each([
    {
      key: "anthropic/keys/2",
      status: 404,
      says: `provider "anthropic" has no key "2", only sk-x...009k, sk-x...009k`
    },
    {
      key: "anthropic/keys/sk",
      status: 404,
      says: `provider "anthropic" has no key "sk", only sk-x...009k, sk-x...009k`
    },
    { key: "other/keys/0", status: 404, says: `there is no provider "other", only anthropic, copilot` },
    { key: "copilot/keys/0", status: 404, says: `provider "copilot" has no keys: callers bring their own` },
    {
      key: "anthropic/keys/sk-x...009k",
      status: 409,
      says: `several keys of "anthropic" look like sk-x...009k: name it by its place, 0 or 1`
    }
  ])("says of $key what is wrong", ({ key, status, says }) =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestService.start({
        AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
        AIBRIDGE_PROVIDER_0_KEYS: "sk-x1-NEVER-SHOWN-0009k,sk-x2-NEVER-SHOWN-0009k",
        AIBRIDGE_PROVIDER_1_TYPE: "copilot"
      })

      for (const change of ["reset", "disable"]) {
        const { status: answered, body } = yield* TestAdmin.ask(adminUrl, `POST /pools/${key}/${change}`)
        assert.deepStrictEqual([answered, Object(body).message], [status, says])
      }
    })
  )

  it.live("shows circuit breakers", () =>
    Effect.gen(function* () {
      const { url, adminUrl, upstream } = yield* TestService.withUpstream(1, {
        AIBRIDGE_CIRCUIT_BREAKER_ENABLED: "true",
        AIBRIDGE_CIRCUIT_BREAKER_FAILURE_THRESHOLD: "1"
      })
      yield* TestMessages.script(upstream, [overloaded])
      yield* message(url)

      const { body } = yield* TestAdmin.ask(adminUrl, "GET /breakers")

      const [circuit] = Array.isArray(body) ? body : []
      assert.approximately(Date.parse(circuit.opensUntil), Date.now() + 30_000, 5000)
      assert.deepStrictEqual(body, [
        {
          provider: "anthropic",
          endpoint: "/v1/messages",
          model: "claude-test",
          state: "open",
          opensUntil: circuit.opensUntil
        }
      ])
    })
  )

  it.live("has metrics for Prometheus", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestService.start({})

      const { status, body, headers } = yield* TestAdmin.ask(adminUrl, "GET /metrics")

      assert.deepStrictEqual([status, headers["content-type"]], [200, "text/plain; version=0.0.4; charset=utf-8"])
      assert.match(String(body), /^# TYPE aibridge_config_last_reload_successful gauge\n.* 1$/m)
    })
  )

  it.live("shows the configuration, and never a secret, wherever it is asked", () =>
    Effect.gen(function* () {
      const token = "admin-NEVER-SHOWN-token"
      const { adminUrl, lines } = yield* TestService.withUpstream(2, {
        AIBRIDGE_ADMIN_TOKEN: token,
        AIBRIDGE_TOKENS: "ada=token-NEVER-SHOWN-of-ada"
      })
      const headers = { authorization: `Bearer ${token}` }
      const texts: Array<string> = []
      for (const operation of operations) {
        texts.push(JSON.stringify((yield* TestAdmin.ask(adminUrl, operation, headers)).body))
      }

      assert.notInclude(texts.concat(lines()).join("\n"), "NEVER-SHOWN")
      const { body } = yield* TestAdmin.ask(adminUrl, "GET /config", headers)
      assert.deepInclude(Object(body), { host: "127.0.0.1", adminToken: "admi...oken", tokens: ["ada=toke...-ada"] })
    })
  )

  it.live("asks for its token, but for whether the service is alive and ready", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestService.start({
        AIBRIDGE_ADMIN_TOKEN: "the-admin-token",
        AIBRIDGE_TOKENS: "ada=token-of-a-caller"
      })
      const says = "the admin token is missing or wrong: send AIBRIDGE_ADMIN_TOKEN in Authorization (Bearer)"
      for (const operation of operations) {
        for (const authorization of ["", "Bearer wrong", "Bearer token-of-a-caller", "Basic the-admin-token"]) {
          const refused = yield* TestAdmin.ask(adminUrl, operation, { authorization })
          assert.deepInclude(refused, { status: 401, body: { _tag: "NoAdminToken", message: says } })
        }
      }
      const authorization = "Bearer the-admin-token"

      assert.strictEqual((yield* TestAdmin.ask(adminUrl, "GET /pools", { authorization })).status, 200)
      assert.strictEqual((yield* TestAdmin.ask(adminUrl, "GET /livez")).status, 200)
      assert.strictEqual((yield* TestAdmin.ask(adminUrl, "GET /readyz")).status, 200)
    })
  )

  it.live.each([
    { origin: "http://evil.example" },
    { origin: "http://localhost:3000" },
    { "sec-fetch-site": "cross-site" },
    { host: "evil.example" }
  ])("without a token is not open to web pages of other hosts: %o", (headers) =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestService.start({})

      for (const operation of operations) {
        const { status, body } = yield* TestAdmin.ask(adminUrl, operation, headers)
        assert.deepStrictEqual([status, Object(body)._tag], [403, "ForeignPage"])
      }
    })
  )

  it.live("says that the service is not ready while it stops, until it has", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { url, adminUrl, upstream } = yield* Scope.provide(TestService.withUpstream(), scope)
      const sending = yield* Effect.forkScoped(TestHttp.send(url, { body: TestHttp.message({ stream: true }) }))
      const exchange = yield* upstream.next
      yield* exchange.write(TestAnswer.eventStreamHead())
      const answer = yield* Fiber.join(sending)

      const stopping = yield* Effect.forkScoped(Scope.close(scope, Exit.void), { startImmediately: true })
      const ready = yield* TestAdmin.ask(adminUrl, "GET /readyz")
      const alive = yield* TestAdmin.ask(adminUrl, "GET /livez")
      yield* exchange.write(TestAnswer.chunk("event: message_stop\ndata: {}\n\n"))
      yield* exchange.write(TestAnswer.lastChunk)
      yield* answer.text
      yield* Fiber.join(stopping)
      const after = yield* Effect.exit(TestAdmin.ask(adminUrl, "GET /livez"))

      assert.deepInclude(ready, { status: 503, body: { _tag: "NotReady", status: "draining" } })
      assert.strictEqual(alive.status, 200)
      assert.isTrue(Exit.isFailure(after))
    })
  )

  it.live("does not keep the service from stopping, though a client keeps its connection", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { adminUrl } = yield* Scope.provide(TestService.start({}), scope)
      yield* Effect.promise(() => fetch(`${adminUrl}/livez`).then((response) => response.text()))

      const stopped = yield* Scope.close(scope, Exit.void).pipe(Effect.timeoutOption("3 seconds"))

      assert.strictEqual(stopped._tag, "Some")
    })
  )

  it.live("says that its port is taken, and the setting for another one", () =>
    Effect.gen(function* () {
      const { port } = yield* TestServer.start

      const error = yield* Effect.flip(TestService.start({ AIBRIDGE_ADMIN_PORT: String(port) }))

      assert.strictEqual(
        error.message,
        `cannot listen on 127.0.0.1:${port} (EADDRINUSE): another program does. Set AIBRIDGE_ADMIN_PORT to a free port`
      )
    })
  )
})
