import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { join } from "node:path"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import type { Exchange, TestServer } from "../upstream/TestServer.ts"
import * as TestDump from "../upstream/TestDump.ts"
import * as TestAdmin from "./admin/TestAdmin.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestMessages from "./TestMessages.ts"
import * as TestService from "./TestService.ts"

const request = { body: TestHttp.message({ stream: true }) }
const passthrough = { path: "/anthropic/v1/models" }

const often = { schedule: Schedule.spaced("20 millis"), times: 200 }

/** The upstream's connection is closed, and nothing more comes. */
const abandoned = Effect.fnUntraced(function* (upstream: TestServer, exchange: Exchange) {
  yield* exchange.closed
  assert.strictEqual(yield* upstream.waiting, 0)
})

describe("A client that leaves", () => {
  it.live.each([
    { what: "a bridged request", sent: request },
    { what: "a passthrough request", sent: passthrough }
  ])("before the head ends $what, and no other key is tried", ({ sent }) =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream(3)
      const client = yield* TestHttp.begin(url, sent)
      const exchange = yield* upstream.next

      yield* client.leave

      yield* abandoned(upstream, exchange)
    })
  )

  it.live("between two attempts ends the second one, and the third key is not tried", () =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream(3)
      const client = yield* TestHttp.begin(url, request)
      const first = yield* upstream.next
      yield* first.write(TestAnswer.json(429, {}))
      const second = yield* upstream.next

      yield* client.leave

      yield* abandoned(upstream, second)
      assert.deepStrictEqual(
        [first, second].map(({ headers }) => headers["x-api-key"]),
        [TestService.key(0), TestService.key(1)]
      )
    })
  )

  it.live("while a refused attempt's body goes on ends that too", () =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream(2)
      const client = yield* TestHttp.begin(url, request)
      const first = yield* upstream.next
      yield* first.write(TestAnswer.head(429, [["content-length", "1000"]]))
      const second = yield* upstream.next

      yield* client.leave

      yield* Effect.all([first.closed, abandoned(upstream, second)], { concurrency: 2 })
    })
  )

  it.live.each([
    { what: "a stream of events", sent: request, head: TestAnswer.eventStreamHead() },
    {
      what: "a body of known length",
      sent: passthrough,
      head: TestAnswer.head(200, [["content-length", "100000"]])
    }
  ])("in the middle of $what ends it", ({ sent, head }) =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream(2)
      const scope = yield* Scope.fork(yield* Effect.scope)
      const sending = yield* Effect.forkScoped(Scope.provide(TestHttp.send(url, sent), scope))
      const exchange = yield* upstream.next
      const begun = "event: ping\ndata: {}\n\n"
      yield* exchange.write(head)
      yield* exchange.write(head.includes("chunked") ? TestAnswer.chunk(begun) : begun)
      const answer = yield* Fiber.join(sending)
      assert.strictEqual(yield* answer.read, begun)

      yield* Scope.close(scope, Exit.void)

      yield* abandoned(upstream, exchange)
    })
  )

  it.live("before its body is complete causes no request upstream", () =>
    Effect.gen(function* () {
      const { url, upstream, lines } = yield* TestService.withUpstream()
      const client = yield* TestHttp.begin(url, { headers: { "content-length": 1000 }, method: "POST" })
      yield* client.leave

      const answer = yield* Effect.forkScoped(TestHttp.send(url, passthrough))
      const exchange = yield* upstream.next
      yield* exchange.write(TestAnswer.json(200, {}))
      yield* Fiber.join(answer)

      assert.strictEqual(exchange.target, "/v1/models")
      assert.strictEqual(yield* upstream.waiting, 0)
      assert.deepStrictEqual(lines(), [])
    })
  )
})

describe("With AIBRIDGE_CLIENT_GONE=drain, a client that leaves before the head", () => {
  it.live("has its answer read for its usage, repeated headers and all", () =>
    Effect.gen(function* () {
      const directory = yield* TestDump.directory
      const { url, adminUrl, upstream, lines } = yield* TestService.withUpstream(1, {
        AIBRIDGE_DATABASE_URL: `sqlite:${join(directory, "records.db")}`,
        AIBRIDGE_CLIENT_GONE: "drain",
        AIBRIDGE_MAX_CONCURRENCY: "1"
      })
      const client = yield* TestHttp.begin(url, { body: TestHttp.message() })
      const exchange = yield* upstream.next
      yield* client.leave
      // Its room is free again once the gateway has seen it go.
      const another = Effect.scoped(TestHttp.send(url, { body: "no JSON" }))
      yield* Effect.repeat(another, { until: ({ status }) => status === 400, ...often })
      const repeated = [["link", "one"] as const, ["link", "two"] as const]
      yield* exchange.write(TestAnswer.json(200, TestMessages.message("Hello"), repeated))

      const asked = TestAdmin.ask(adminUrl, "GET /interceptions")
      const recorded = Effect.map(asked, ({ body }) => Object(body).interceptions[0]?.end ?? undefined)
      const end = yield* Effect.repeat(recorded, { until: (found) => found !== undefined, ...often })
      const { reason, status, usageQuality } = end
      assert.deepStrictEqual(
        { reason, status, usageQuality },
        { reason: "client_gone", status: null, usageQuality: "final" }
      )
      assert.deepStrictEqual(lines(), [])
    })
  )
})
