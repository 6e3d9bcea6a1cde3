import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Http from "node:http"
import process from "node:process"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import type { Exchange, TestServer } from "../upstream/TestServer.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestService from "./TestService.ts"

/** A client's pool of at most so many connections. */
const agent = (maxSockets: number) =>
  Effect.acquireRelease(
    Effect.sync(() => new Http.Agent({ keepAlive: true, maxSockets })),
    (acquired) => Effect.sync(() => acquired.destroy())
  )

const answering = (upstream: TestServer, answer: (exchange: Exchange) => Effect.Effect<void>) =>
  Effect.forkScoped(Effect.forever(Effect.flatMap(upstream.next, (exchange) => Effect.forkScoped(answer(exchange)))))

const lastEvent = `event: message_stop\ndata: {"type":"message_stop"}\n\n`

const blockingOrStreamed = (exchange: Exchange) =>
  String(exchange.body).includes(`"stream":true`)
    ? exchange.write(
        Buffer.concat([
          Buffer.from(TestAnswer.eventStreamHead()),
          TestAnswer.chunk(lastEvent),
          Buffer.from(TestAnswer.lastChunk)
        ])
      )
    : exchange.write(TestAnswer.json(200, { ok: true }))

const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length

describe("Connections of the service", () => {
  it.live("are used again: one from the client, one to the upstream, for one request after the other", () =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()
      yield* answering(upstream, blockingOrStreamed)
      const one = yield* agent(1)

      const ports = yield* Effect.forEach(Array.from({ length: 10 }), (_, index) =>
        Effect.scoped(
          Effect.gen(function* () {
            const body = TestHttp.message({ stream: index % 2 === 0 })
            const answer = yield* TestHttp.send(url, { body, agent: one })
            yield* answer.bytes
            return answer.socketPort
          })
        )
      )

      assert.strictEqual(new Set(ports).size, 1)
      assert.strictEqual(yield* upstream.connections, 1)
    })
  )

  it.live("are used again after a refused attempt", () =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream(3)
      yield* answering(upstream, (exchange) =>
        exchange.headers["x-api-key"] === TestService.key(2)
          ? exchange.write(TestAnswer.json(200, {}))
          : exchange.write(TestAnswer.json(401, { error: "refused" }))
      )

      for (let round = 0; round < 5; round++) {
        const answer = yield* TestHttp.send(url, { body: TestHttp.message() })
        assert.strictEqual(answer.status, 200)
        yield* answer.bytes
      }

      assert.isAtMost(yield* upstream.connections, 3)
    })
  )

  it.live("do not pile up over 1,000 requests", () =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()
      yield* answering(upstream, blockingOrStreamed)
      const ten = yield* agent(10)
      const round = (requests: number) =>
        Effect.forEach(
          Array.from({ length: requests }),
          (_, index) =>
            Effect.scoped(
              Effect.gen(function* () {
                const body = TestHttp.message({ stream: index % 3 === 0 })
                // Every tenth client leaves with the head.
                const answer = yield* TestHttp.send(url, { body, agent: ten })
                if (index % 10 !== 0) yield* answer.bytes
              })
            ),
          { concurrency: 10, discard: true }
        )
      yield* round(100)
      const before = sockets()

      yield* round(900)

      // At most 10 from the client, their other ends, 10 to the upstream and theirs.
      assert.isAtMost(before, 40)
      assert.isAtMost(sockets(), 40)
    })
  )

  it.live("to the upstream are closed with the service", () =>
    Effect.gen(function* () {
      const exchange = yield* Effect.scoped(
        Effect.gen(function* () {
          const { url, upstream } = yield* TestService.withUpstream()
          const sending = yield* Effect.forkScoped(TestHttp.send(url, { path: "/anthropic/v1/models" }))
          const last = yield* upstream.next
          yield* last.write(TestAnswer.json(200, {}))
          yield* Effect.flatMap(Fiber.join(sending), ({ bytes }) => bytes)
          return last
        })
      )

      yield* exchange.closed
    })
  )
})
