/** The limits of one request, whichever client it is. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestAnswer from "./TestAnswer.ts"
import { begin, clients, follow, reasonOf, textOf, using } from "./TestClient.ts"
import * as TestServer from "./TestServer.ts"

describe.each(clients)("A request of $name", (client) => {
  const live = using(client)

  it.live("times out if there is no head within its own limit", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server, { timeouts: { headers: 100 } })

      const error = yield* Effect.flip(answer).pipe(Effect.timeout("5 seconds"), Effect.orDie)

      assert.strictEqual(reasonOf(error), "TimedOut")
      yield* exchange.closed
    }).pipe(live)
  )

  it.live("times out if the server is silent for its own limit within an answer, after all that came", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server, { timeouts: { idle: 100 } })
      yield* exchange.write(TestAnswer.eventStreamHead())
      yield* exchange.write(TestAnswer.chunk("begun"))
      const seen = yield* follow((yield* answer).body)
      yield* seen.endsWith("begun")

      const error = yield* Effect.flip(Fiber.join(seen.reading)).pipe(Effect.timeout("5 seconds"), Effect.orDie)

      assert.strictEqual(reasonOf(error), "TimedOut")
      assert.strictEqual(seen.seen(), "begun")
      yield* exchange.closed
    }).pipe(live)
  )

  it.live("leaves another request without one alone", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const limited = yield* begin(server, { timeouts: { headers: 100, idle: 100 } })
      const other = yield* begin(server)

      yield* Effect.flip(limited.answer)
      yield* other.exchange.write(TestAnswer.whole(200, "fine"))

      assert.strictEqual(yield* textOf((yield* other.answer).body), "fine")
    }).pipe(live)
  )
})
