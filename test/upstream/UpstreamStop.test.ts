/** What `UpstreamRequest.whenStopped` does, whichever client it is. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Failure from "../../src/domain/UpstreamError.ts"
import type { UpstreamError } from "../../src/domain/UpstreamError.ts"
import * as TestAnswer from "./TestAnswer.ts"
import { begin, clients, follow, reasonOf, send, textOf, using } from "./TestClient.ts"
import * as TestFlood from "./TestFlood.ts"
import * as TestServer from "./TestServer.ts"

/** Stops what is registered, and knows how many are. */
const stopper = () => {
  const registered = new Set<(error: UpstreamError) => void>()
  return {
    registered,
    whenStopped: (stop: (error: UpstreamError) => void) => {
      registered.add(stop)
      return () => void registered.delete(stop)
    },
    stop: () => {
      for (const stop of registered) stop(Failure.stopped())
    }
  }
}

const atOnce = (stop: (error: UpstreamError) => void) => {
  stop(Failure.stopped())
  return () => {}
}

describe.each(clients)("Stopping a request of $name", (client) => {
  const live = using(client)

  it.live("fails it while it waits for the head, and closes the connection", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { stop, whenStopped } = stopper()
      const { answer, exchange } = yield* begin(server, { whenStopped })

      stop()

      assert.strictEqual(reasonOf(yield* Effect.flip(answer)), "Stopped")
      yield* exchange.closed
    }).pipe(live)
  )

  it.live("fails it while the head waits for its first byte", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { stop, whenStopped } = stopper()
      const { answer, exchange } = yield* begin(server, { whenStopped })
      yield* exchange.write(TestAnswer.eventStreamHead())
      yield* Effect.sleep("50 millis")

      stop()

      assert.strictEqual(reasonOf(yield* Effect.flip(answer)), "Stopped")
      yield* exchange.closed
    }).pipe(live)
  )

  it.live("sends nothing if it is stopped at once", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const error = yield* Effect.flip(send(server.origin, { whenStopped: atOnce }))
      yield* Effect.sleep("50 millis")

      assert.strictEqual(reasonOf(error), "Stopped")
      assert.strictEqual(yield* server.connections, 0)
    }).pipe(live)
  )

  it.live("fails its body while a read waits, after all that came, and closes the connection", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { stop, whenStopped } = stopper()
      const { answer, exchange } = yield* begin(server, { whenStopped })
      yield* exchange.write(TestAnswer.eventStreamHead())
      yield* exchange.write(TestAnswer.chunk("begun"))
      const seen = yield* follow((yield* answer).body)
      yield* seen.endsWith("begun")

      stop()

      assert.strictEqual(reasonOf(yield* Effect.flip(Fiber.join(seen.reading))), "Stopped")
      assert.strictEqual(seen.seen(), "begun")
      yield* exchange.closed
    }).pipe(live)
  )

  it.live("fails its body after what has come that nobody has read yet", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { stop, whenStopped } = stopper()
      const { answer, exchange } = yield* begin(server, { whenStopped })
      yield* exchange.write(TestAnswer.eventStreamHead())
      yield* exchange.write(TestAnswer.chunk("begun"))
      const { body } = yield* answer

      stop()
      yield* exchange.closed
      const seen = yield* follow(body)

      assert.strictEqual(reasonOf(yield* Effect.flip(Fiber.join(seen.reading))), "Stopped")
      assert.strictEqual(seen.seen(), "begun")
    }).pipe(live)
  )

  it.live("closes the connection while nobody reads and the server is stopped", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { stop, whenStopped } = stopper()
      const { answer, exchange } = yield* begin(server, { whenStopped })
      const flood = yield* TestFlood.start(exchange, 64 * 1024 * 1024)
      yield* answer
      yield* flood.stalled

      stop()

      yield* exchange.closed
    }).pipe(live)
  )

  it.live("is not possible any more once it is over, however it ended", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { registered, whenStopped } = stopper()
      const scope = yield* Scope.fork(yield* Effect.scope)
      const read = yield* begin(server, { whenStopped })
      const meanwhile = registered.size
      yield* read.exchange.write(TestAnswer.eventStreamHead())
      yield* read.exchange.write(TestAnswer.chunk("all"))
      yield* read.exchange.write(TestAnswer.lastChunk)
      const text = yield* textOf((yield* read.answer).body)
      const afterRead = registered.size

      yield* Effect.forkScoped(Scope.provide(send(server.origin, { whenStopped }), scope), { startImmediately: true })
      yield* server.next
      const whileWaiting = registered.size
      yield* Scope.close(scope, Exit.void)

      assert.strictEqual(text, "all")
      assert.deepStrictEqual([meanwhile, afterRead, whileWaiting, registered.size], [1, 0, 1, 0])
    }).pipe(live)
  )

  it.live("leaves another request alone", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { stop, whenStopped } = stopper()
      const stopped = yield* begin(server, { whenStopped })
      const other = yield* begin(server)

      stop()
      yield* stopped.exchange.closed
      yield* other.exchange.write(TestAnswer.whole(200, "fine"))

      assert.strictEqual(yield* textOf((yield* other.answer).body), "fine")
    }).pipe(live)
  )
})
