import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Pull from "effect/Pull"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import * as TestAnswer from "./TestAnswer.ts"
import { begin, bytesOf, clients, follow, send, textOf, using } from "./TestClient.ts"
import * as TestFlood from "./TestFlood.ts"
import * as TestServer from "./TestServer.ts"

/** Who yields comes to its turn again only after others have done much. */
const slowly = new Scheduler.MixedScheduler("async", (task) => {
  const timer = setTimeout(task, 3)
  return () => clearTimeout(timer)
})

const megabyte = 1024 * 1024

describe.each(clients)("A stream to $name", (client) => {
  const live = using(client)

  it.live("brings each chunk before the next one is sent", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      yield* exchange.write(TestAnswer.eventStreamHead())
      yield* exchange.write(TestAnswer.chunk("event 0\n"))
      const seen = yield* follow((yield* answer).body)
      yield* seen.endsWith("event 0\n")

      for (let index = 1; index < 20; index++) {
        yield* exchange.write(TestAnswer.chunk(`event ${index}\n`))
        yield* seen.endsWith(`event ${index}\n`)
      }
      yield* exchange.write(TestAnswer.lastChunk)
      yield* Fiber.join(seen.reading)

      assert.strictEqual(seen.seen(), Array.from({ length: 20 }, (_, index) => `event ${index}\n`).join(""))
    }).pipe(live)
  )

  it.live("loses nothing, wherever its fiber has to yield and what comes meanwhile", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      for (let operations = 3; operations <= 30; operations++) {
        const parts = Array.from({ length: 6 }, (_, index) => `${operations} ${index}\n`)
        const reading = send(server.origin).pipe(
          Effect.flatMap(({ body }) => textOf(body)),
          Effect.scoped,
          Effect.provideService(Scheduler.MaxOpsBeforeYield, operations),
          Effect.provideService(Scheduler.Scheduler, slowly)
        )
        const answer = yield* Effect.forkScoped(reading, { startImmediately: true })
        const exchange = yield* server.next
        yield* exchange.write(TestAnswer.eventStreamHead())
        for (const part of parts)
          yield* Effect.andThen(Effect.sleep("2 millis"), exchange.write(TestAnswer.chunk(part)))
        yield* Effect.andThen(Effect.sleep("2 millis"), exchange.write(TestAnswer.lastChunk))

        const text = yield* Effect.orDie(Effect.timeout(Fiber.join(answer), "5 seconds"))
        assert.strictEqual(text, parts.join(""))
      }
    }).pipe(live)
  )

  it.live("begins with its head alone if the first byte takes longer than the grace", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      yield* exchange.write(TestAnswer.eventStreamHead())

      const response = yield* answer
      yield* exchange.write(TestAnswer.chunk("late") + TestAnswer.lastChunk)

      assert.strictEqual(response.status, 200)
      assert.strictEqual(yield* textOf(response.body), "late")
    }).pipe(live)
  )

  it.live("stops the server while nobody reads, and loses nothing", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      const size = 64 * megabyte
      const flood = yield* TestFlood.start(exchange, size)
      const { body } = yield* answer

      const taken = yield* flood.stalled
      assert.isBelow(taken, 8 * megabyte)

      const total = yield* Stream.runFold(
        body,
        () => 0,
        (sum, bytes) => sum + bytes.length
      )
      assert.strictEqual(total, size)
    }).pipe(live)
  )

  it.live.each([
    { behaviour: "a body that ends with its connection", fields: [["connection", "close"]] as const, isWhole: true },
    {
      behaviour: "what came of a body before it was cut",
      fields: [["content-length", "9000000"]] as const,
      isWhole: false
    }
  ])("brings all of $behaviour, though the server had been stopped", ({ fields, isWhole }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      const sent = Buffer.alloc(4 * megabyte, "0123456789abcdef")
      yield* exchange.write(TestAnswer.head(200, fields))
      yield* Effect.forkScoped(Effect.andThen(exchange.write(sent), exchange.end))
      const { body } = yield* answer

      const pieces: Array<Uint8Array> = []
      const end = yield* Effect.exit(
        Stream.runForEach(body, (piece) =>
          Effect.sync(() => {
            pieces.push(piece)
          })
        )
      )

      assert.isTrue(Buffer.concat(pieces).equals(sent))
      assert.strictEqual(Exit.isSuccess(end), isWhole)
    }).pipe(live)
  )

  it.live("loses no byte when a read is interrupted while it waits", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      yield* exchange.write(TestAnswer.eventStreamHead())
      yield* exchange.write(TestAnswer.chunk("first "))
      const pull = yield* Stream.toPull((yield* answer).body)
      const first = yield* pull

      for (let round = 0; round < 3; round++) {
        const waiting = yield* Effect.forkChild(pull, { startImmediately: true })
        yield* Effect.yieldNow
        yield* Fiber.interrupt(waiting)
      }
      yield* exchange.write(TestAnswer.chunk("second"))
      const second = yield* pull
      yield* exchange.write(TestAnswer.lastChunk)
      const end = yield* Pull.matchEffect(pull, {
        onSuccess: () => Effect.succeed("more"),
        onFailure: () => Effect.succeed("failure"),
        onDone: () => Effect.succeed("end")
      })

      assert.strictEqual(Buffer.concat([...first, ...second]).toString(), "first second")
      assert.strictEqual(end, "end")
    }).pipe(live)
  )

  it.live("may come beside others on connections of their own", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const both = [yield* begin(server, { path: "/1" }), yield* begin(server, { path: "/2" })]

      for (const { exchange } of both.toReversed()) yield* exchange.write(TestAnswer.whole(200, exchange.target))
      const bodies = yield* Effect.forEach(both, ({ answer }) => Effect.flatMap(answer, ({ body }) => bytesOf(body)))

      assert.deepStrictEqual(bodies.map(String), ["/1", "/2"])
    }).pipe(live)
  )
})
