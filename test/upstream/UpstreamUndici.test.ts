import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as UpstreamUndici from "../../src/upstream/UpstreamUndici.ts"
import * as TestAnswer from "./TestAnswer.ts"
import { begin, bytesOf, follow, reasonOf, textOf, using } from "./TestClient.ts"
import * as TestServer from "./TestServer.ts"

const client = (options: UpstreamUndici.Options = {}) =>
  using({ name: "UpstreamUndici", layer: UpstreamUndici.layer(options) })

/** A connection is free for the next request one turn of the event loop after its answer. */
const turn = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

describe("UpstreamUndici", () => {
  it.live("takes a head of 60 kB", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      yield* exchange.write(TestAnswer.whole(200, "{}", [["x-long", "x".repeat(60_000)]]))

      const { headers } = yield* answer

      assert.lengthOf(String(headers["x-long"]), 60_000)
    }).pipe(client())
  )

  it.live("uses a connection again after an answer was read", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const bodies = []
      for (const path of ["/1", "/2", "/3"]) {
        const { answer, exchange } = yield* begin(server, { path, method: "POST", body: Buffer.from(path) })
        yield* exchange.write(TestAnswer.whole(200, exchange.body))
        bodies.push(yield* textOf((yield* answer).body))
        yield* turn
      }

      assert.deepStrictEqual(bodies, ["/1", "/2", "/3"])
      assert.strictEqual(yield* server.connections, 1)
    }).pipe(client())
  )

  it.live("uses a connection again after an answer that came whole, without reading it", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      for (let round = 0; round < 2; round++) {
        const { answer, exchange } = yield* begin(server)
        yield* exchange.write(TestAnswer.whole(200, "whole"))
        assert.strictEqual(String((yield* answer).whole), "whole")
        yield* turn
      }

      assert.strictEqual(yield* server.connections, 1)
    }).pipe(client())
  )

  it.live("uses no connection again whose answer was not read to the end", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { answer, exchange } = yield* begin(server)
          yield* exchange.write(TestAnswer.eventStreamHead())
          yield* exchange.write(TestAnswer.chunk("begun"))
          yield* answer
        })
      )

      const { answer, exchange } = yield* begin(server)
      yield* exchange.write(TestAnswer.whole(200, "ok"))

      assert.strictEqual(yield* textOf((yield* answer).body), "ok")
      assert.strictEqual(yield* server.connections, 2)
    }).pipe(client())
  )

  it.live("closes its idle connections with its layer", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const exchange = yield* Effect.gen(function* () {
        const begun = yield* begin(server)
        yield* begun.exchange.write(TestAnswer.whole(200, "ok"))
        yield* bytesOf((yield* begun.answer).body)
        return begun.exchange
      }).pipe(client())

      yield* exchange.closed
    }).pipe(Effect.scoped)
  )

  it.live("keeps the values of a repeated header apart", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      const fields = [
        ["Link", "</a>; rel=next"],
        ["x-one", "1"],
        ["link", "</b>; rel=prev"]
      ] as const
      yield* exchange.write(TestAnswer.whole(200, "ok", fields))

      const { headers } = yield* answer

      assert.deepStrictEqual(headers["link"], ["</a>; rel=next", "</b>; rel=prev"])
      assert.strictEqual(headers["x-one"], "1")
    }).pipe(client())
  )

  it.live("times out if there is no head within headersTimeout", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)

      const error = yield* Effect.flip(answer)

      assert.strictEqual(reasonOf(error), "TimedOut")
      yield* exchange.closed
    }).pipe(client({ headersTimeout: "100 millis" }))
  )

  it.live("times out if the server is silent for idleTimeout within an answer, after all that came", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      yield* exchange.write(TestAnswer.eventStreamHead())
      yield* exchange.write(TestAnswer.chunk("begun"))
      const seen = yield* follow((yield* answer).body)
      yield* seen.endsWith("begun")

      const error = yield* Effect.flip(Fiber.join(seen.reading))

      assert.strictEqual(reasonOf(error), "TimedOut")
      yield* exchange.closed
    }).pipe(client({ idleTimeout: "100 millis" }))
  )
})
