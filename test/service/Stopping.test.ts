import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Net from "node:net"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestService from "./TestService.ts"

describe("A service that is stopped", () => {
  it.live("lets a stream end, and is gone with it though its client keeps the connection", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { url, upstream } = yield* Scope.provide(TestService.withUpstream(), scope)
      const agent = yield* Effect.acquireRelease(
        Effect.sync(() => new Http.Agent({ keepAlive: true })),
        (acquired) => Effect.sync(() => acquired.destroy())
      )
      const sending = yield* Effect.forkScoped(TestHttp.send(url, { body: TestHttp.message({ stream: true }), agent }))
      const exchange = yield* upstream.next
      yield* exchange.write(TestAnswer.eventStreamHead())
      const answer = yield* Fiber.join(sending)

      const stopping = yield* Effect.forkScoped(Scope.close(scope, Exit.void))
      yield* exchange.write(TestAnswer.chunk("event: message_stop\ndata: {}\n\n"))
      yield* exchange.write(TestAnswer.lastChunk)
      const text = yield* answer.text
      const stopped = yield* Fiber.join(stopping).pipe(Effect.timeoutOption("3 seconds"))

      assert.strictEqual(text, "event: message_stop\ndata: {}\n\n")
      assert.strictEqual(stopped._tag, "Some")
    })
  )

  it.live("does not wait for a connection that has not brought a request", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { url } = yield* Scope.provide(TestService.withUpstream(), scope)
      const socket = yield* Effect.acquireRelease(
        Effect.callback<Net.Socket>((resume) => {
          const connected = Net.connect(Number(new URL(url).port), "127.0.0.1", () => resume(Effect.succeed(connected)))
        }),
        (acquired) => Effect.sync(() => void acquired.destroy())
      )
      // By now the service has accepted the one before it, too.
      yield* Effect.scoped(Effect.flatMap(TestHttp.send(url, { path: "/" }), ({ text }) => text))

      const stopped = yield* Scope.close(scope, Exit.void).pipe(Effect.timeoutOption("3 seconds"))

      assert.strictEqual(stopped._tag, "Some")
      assert.strictEqual(socket.bytesRead, 0)
    })
  )

  it.live("ends a stream that takes longer than it may with an error event, and is gone", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { url, upstream } = yield* Scope.provide(
        TestService.withUpstream(1, { AIBRIDGE_SHUTDOWN_TIMEOUT: "300ms" }),
        scope
      )
      const sending = yield* Effect.forkScoped(TestHttp.send(url, { body: TestHttp.message({ stream: true }) }))
      const exchange = yield* upstream.next
      yield* exchange.write(TestAnswer.eventStreamHead())
      yield* exchange.write(TestAnswer.chunk("event: ping\ndata: {}\n\n"))
      const answer = yield* Fiber.join(sending)

      const stopping = yield* Effect.forkScoped(Scope.close(scope, Exit.void))
      const text = yield* answer.text
      yield* exchange.closed
      const stopped = yield* Fiber.join(stopping).pipe(Effect.timeoutOption("3 seconds"))

      const error = { type: "error", error: { type: "api_error", message: "the gateway is shutting down, try again" } }
      assert.strictEqual(text, `event: ping\ndata: {}\n\nevent: error\ndata: ${JSON.stringify(error)}\n\n`)
      assert.strictEqual(stopped._tag, "Some")
    })
  )

  it.live.each([
    { what: "a request that is read", sent: { body: TestHttp.message() } },
    { what: "a passthrough request", sent: { path: "/anthropic/v1/models" } }
  ])("says to try again to $what that takes longer to begin, and takes no new connections meanwhile", ({ sent }) =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { url, upstream } = yield* Scope.provide(
        TestService.withUpstream(1, { AIBRIDGE_SHUTDOWN_TIMEOUT: "300ms" }),
        scope
      )
      const sending = yield* Effect.forkScoped(TestHttp.send(url, sent))
      const exchange = yield* upstream.next

      const stopping = yield* Effect.forkScoped(Scope.close(scope, Exit.void))
      yield* Effect.sleep("100 millis")
      const refused = yield* Effect.exit(TestHttp.send(url, { path: "/" }))
      const { status, headers, text } = yield* Fiber.join(sending)
      const body: unknown = JSON.parse(yield* text)
      yield* exchange.closed
      const stopped = yield* Fiber.join(stopping).pipe(Effect.timeoutOption("5 seconds"))

      const error = {
        type: "error",
        error: { type: "overloaded_error", message: "the gateway is shutting down, try again" }
      }
      assert.deepStrictEqual([refused._tag, status, stopped._tag], ["Failure", 503, "Some"])
      assert.deepStrictEqual([headers["retry-after"], headers["connection"]], ["1", "close"])
      assert.deepStrictEqual(body, error)
    })
  )
})
