/** A service that is stopped while many streams are open: nothing is lost, and nothing is left. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import process from "node:process"
import * as Recorder from "../../src/record/Recorder.ts"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestServer from "../upstream/TestServer.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestService from "./TestService.ts"

const streams = 50
const begun = "event: ping\ndata: {}\n\n"
const ended = "event: message_stop\ndata: {}\n\n"
const error = { type: "error", error: { type: "api_error", message: "the gateway is shutting down, try again" } }
const stopped = `event: error\ndata: ${JSON.stringify(error)}\n\n`

/** How many there are of each kind of what keeps a process running. */
const resources = (): Readonly<Record<string, number>> =>
  count(process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name)))

const count = (values: ReadonlyArray<string>): Readonly<Record<string, number>> =>
  Object.fromEntries(values.map((value) => [value, values.filter((other) => other === value).length]))

describe("A service that is stopped with 50 open streams", () => {
  it.live("lets those end that do in time, ends the others with an error event, records each once, and is gone", () =>
    Effect.gen(function* () {
      const recorder = yield* Layer.build(Recorder.layerMemory)
      const before = resources()
      const world = yield* Scope.make()
      const scope = yield* Scope.make()
      const upstream = yield* Scope.provide(TestServer.start, world)
      const { url } = yield* TestService.before(upstream, 2, { AIBRIDGE_SHUTDOWN_TIMEOUT: "1s" }).pipe(
        Effect.provideContext(recorder),
        Scope.provide(scope)
      )
      const open = Effect.gen(function* () {
        const sending = yield* Effect.forkChild(TestHttp.send(url, { body: TestHttp.message({ stream: true }) }), {
          startImmediately: true
        })
        const exchange = yield* upstream.next
        yield* exchange.write(TestAnswer.eventStreamHead())
        yield* exchange.write(TestAnswer.chunk(begun))
        const answer = yield* Fiber.join(sending)
        assert.strictEqual(yield* answer.read, begun)
        return { exchange, answer }
      })
      const all = yield* Scope.provide(
        Effect.forEach(Array.from({ length: streams }), () => open),
        world
      )

      const stopping = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      const last = Buffer.concat([TestAnswer.chunk(ended), Buffer.from(TestAnswer.lastChunk)])
      for (const { exchange } of all.slice(0, streams / 2)) yield* exchange.write(last)
      const ends = yield* Effect.forEach(all, ({ answer }) => answer.text, { concurrency: streams })
      yield* Fiber.join(stopping)

      assert.deepStrictEqual(count(ends), { [ended]: streams / 2, [stopped]: streams / 2 })
      const events = yield* Context.get(recorder, Recorder.RecordedEvents).all
      const started = events.flatMap((event) => (event._tag === "InterceptionStarted" ? [event.id] : []))
      const recorded = events.flatMap((event) => (event._tag === "InterceptionEnded" ? [event] : []))
      assert.lengthOf(new Set(started), streams)
      assert.sameMembers(
        recorded.map(({ id }) => id),
        started
      )
      assert.deepStrictEqual(count(recorded.map(({ reason }) => reason)), {
        complete: streams / 2,
        shutdown: streams / 2
      })
      yield* Scope.close(world, Exit.void)
      yield* areLeft(before)
    })
  )
})

describe("A service that is stopped while nothing is under way", () => {
  it.live("is gone, with all its timers and sockets", () =>
    Effect.gen(function* () {
      const before = resources()
      const scope = yield* Scope.make()
      const { url } = yield* Scope.provide(TestService.start({}), scope)
      const { status } = yield* Effect.scoped(TestHttp.send(url, { path: "/" }))

      yield* Scope.close(scope, Exit.void)

      assert.strictEqual(status, 200)
      yield* areLeft(before)
    })
  )
})

/** Waits for it, without a timer of its own that counts: sockets that are closed are gone a moment later. */
const areLeft = (expected: Readonly<Record<string, number>>) =>
  Effect.sync(resources).pipe(
    Effect.repeat({
      until: (now) => Equal.equals(now, expected),
      schedule: Schedule.spaced("20 millis"),
      times: 150
    }),
    Effect.andThen(Effect.sync(() => assert.deepStrictEqual(resources(), expected)))
  )
