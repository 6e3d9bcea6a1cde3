import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestAnswer from "./TestAnswer.ts"
import { clients, follow, send, textOf, using } from "./TestClient.ts"
import * as TestFlood from "./TestFlood.ts"
import * as TestServer from "./TestServer.ts"

describe.each(clients)("Closing the scope of a request of $name", (client) => {
  const live = using(client)

  /** A request with a scope of its own. */
  const begun = Effect.fnUntraced(function* () {
    const server = yield* TestServer.start
    const scope = yield* Scope.fork(yield* Effect.scope)
    const answer = yield* Effect.forkScoped(Scope.provide(send(server.origin), scope), { startImmediately: true })
    const exchange = yield* server.next
    return { server, answer, exchange, close: Scope.close(scope, Exit.void) }
  })

  it.live("closes the connection before there is a head", () =>
    Effect.gen(function* () {
      const { exchange, close } = yield* begun()

      yield* close

      yield* exchange.closed
    }).pipe(live)
  )

  it.live("closes the connection while the head waits for its first byte", () =>
    Effect.gen(function* () {
      const { exchange, close } = yield* begun()
      yield* exchange.write(TestAnswer.eventStreamHead())

      yield* close

      yield* exchange.closed
    }).pipe(live)
  )

  it.live("closes the connection while a read waits", () =>
    Effect.gen(function* () {
      const { exchange, answer, close } = yield* begun()
      yield* exchange.write(TestAnswer.eventStreamHead())
      yield* exchange.write(TestAnswer.chunk("begun"))
      const seen = yield* follow((yield* Fiber.join(answer)).body)
      yield* seen.endsWith("begun")

      yield* close

      yield* exchange.closed
    }).pipe(live)
  )

  it.live("closes the connection while the server is stopped", () =>
    Effect.gen(function* () {
      const { exchange, answer, close } = yield* begun()
      const flood = yield* TestFlood.start(exchange, 64 * 1024 * 1024)
      yield* Fiber.join(answer)
      yield* flood.stalled

      yield* close

      yield* exchange.closed
    }).pipe(live)
  )

  it.live("leaves the connection of another request alone", () =>
    Effect.gen(function* () {
      const { server, exchange, close } = yield* begun()
      const other = yield* Effect.forkScoped(send(server.origin), { startImmediately: true })
      const otherExchange = yield* server.next

      yield* close
      yield* exchange.closed
      yield* otherExchange.write(TestAnswer.whole(200, "fine"))

      const { body } = yield* Fiber.join(other)
      assert.strictEqual(yield* textOf(body), "fine")
    }).pipe(live)
  )
})
