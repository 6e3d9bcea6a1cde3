/** A thread whose timers it moves itself: how the default limits of `UpstreamUndici` end a wait for a silent upstream. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { parentPort } from "node:worker_threads"
import * as VirtualTimers from "./VirtualTimers.ts"

// Before anything takes hold of the real ones.
VirtualTimers.install()

const UpstreamUndici = await import("../../src/upstream/UpstreamUndici.ts")
const { UpstreamError } = await import("../../src/domain/UpstreamError.ts")
const TestAnswer = await import("./TestAnswer.ts")
const TestClient = await import("./TestClient.ts")
const TestServer = await import("./TestServer.ts")

const second = 1000
const tenMinutes = 600 * second

const afterTenMinutes = <A, E>(waiting: Fiber.Fiber<A, E>) =>
  Effect.gen(function* () {
    VirtualTimers.advance(tenMinutes - 2 * second)
    yield* turn
    const before = waiting.pollUnsafe() === undefined ? "waiting" : "ended"
    VirtualTimers.advance(5 * second)
    yield* turn
    const after = waiting.pollUnsafe()
    return { before, after: after === undefined ? "waiting" : outcome(after) }
  })

const outcome = (exit: Exit.Exit<unknown, unknown>): string => {
  const error = Exit.isFailure(exit) ? Cause.findErrorOption(exit.cause) : Option.none()
  return Option.isSome(error) && error.value instanceof UpstreamError ? error.value.reason._tag : exit._tag
}

const turn = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

const head = Effect.gen(function* () {
  const server = yield* TestServer.start
  const waiting = yield* Effect.forkScoped(TestClient.send(server.origin), { startImmediately: true })
  yield* server.next
  return yield* afterTenMinutes(waiting)
})

const body = Effect.gen(function* () {
  const server = yield* TestServer.start
  const { answer, exchange } = yield* TestClient.begin(server)
  yield* exchange.write(TestAnswer.eventStreamHead() + TestAnswer.chunk("begun").toString())
  const response = yield* answer
  const pull = yield* Stream.toPull(response.body)
  yield* pull
  return yield* afterTenMinutes(yield* Effect.forkScoped(pull, { startImmediately: true }))
})

const inTurn = TestClient.using({ name: "UpstreamUndici", layer: UpstreamUndici.layer() })
parentPort?.postMessage(await Effect.runPromise(Effect.all({ head: inTurn(head), body: inTurn(body) })), [])
