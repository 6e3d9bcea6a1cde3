import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestServer from "../upstream/TestServer.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestService from "./TestService.ts"

const blocking = { body: TestHttp.message() }
const streamed = { body: TestHttp.message({ stream: true }) }
const firstEvent = `event: message_start\ndata: {"type":"message_start"}\n\n`
const lastEvent = `event: message_stop\ndata: {"type":"message_stop"}\n\n`

const apiError = (message: string) => ({ type: "error", error: { type: "api_error", message } })

/** The whole of an answer. */
const answerTo = Effect.fnUntraced(function* (url: string, request: TestHttp.Request) {
  const answer = yield* TestHttp.send(url, request)
  return { ...answer, text: yield* answer.text }
})

describe("An upstream", () => {
  it.live.each([
    { what: "that refuses connections", host: () => TestServer.unusedPort, code: /ECONNREFUSED/ },
    { what: "that has no address", host: undefined, code: /ENOTFOUND|EAI_AGAIN/ }
  ])("$what is a 502 in the provider's shape, and a log line", ({ host, code }) =>
    Effect.gen(function* () {
      const origin = host === undefined ? "http://no-such-host.invalid" : `http://127.0.0.1:${yield* host()}`
      const { url, lines } = yield* TestService.withUpstream(2, { AIBRIDGE_PROVIDER_0_BASE_URL: origin })

      const answer = yield* answerTo(url, blocking)

      assert.strictEqual(answer.status, 502)
      assert.strictEqual(answer.headers["content-type"], "application/json")
      assert.strictEqual(answer.headers["content-length"], String(answer.text.length))
      const body: unknown = JSON.parse(answer.text)
      assert.deepStrictEqual(body, apiError(`upstream unreachable (${code.exec(answer.text)?.[0]})`))
      assert.lengthOf(lines(), 1)
      assert.match(String(lines()[0]), /level=WARN .*upstream unreachable/)
    })
  )

  it.live("that resets the connection before its head is a 502, and its key is used again", () =>
    Effect.gen(function* () {
      const { url, upstream, lines } = yield* TestService.withUpstream(2)
      const keys = []
      for (let round = 0; round < 2; round++) {
        const sending = yield* Effect.forkScoped(answerTo(url, blocking))
        const exchange = yield* upstream.next
        keys.push(exchange.headers["x-api-key"])
        yield* exchange.reset
        const answer = yield* Fiber.join(sending)
        assert.strictEqual(answer.status, 502)
        assert.match(answer.text, /^{"type":"error","error":{"type":"api_error","message":"upstream unreachable \(/)
      }

      assert.deepStrictEqual(keys, [TestService.key(0), TestService.key(0)])
      assert.strictEqual(yield* upstream.waiting, 0)
      assert.notMatch(lines().join("\n"), /key marked|NEVER-SHOWN/)
    })
  )

  it.live("that resets the connection after its head, but before its first byte, is a 502", () =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream(2)
      const sending = yield* Effect.forkScoped(answerTo(url, streamed))
      const exchange = yield* upstream.next
      yield* exchange.write(TestAnswer.eventStreamHead())
      yield* exchange.reset

      const answer = yield* Fiber.join(sending)

      assert.strictEqual(answer.status, 502)
      assert.strictEqual(answer.headers["content-type"], "application/json")
      assert.strictEqual(yield* upstream.waiting, 0)
    })
  )

  it.live.each([
    { what: "resets the connection", how: "reset", rest: "" },
    { what: "closes the connection", how: "end", rest: "" },
    { what: "breaks off in the middle of an event", how: "reset", rest: "event: content_block_delta\ndata: {" }
  ] as const)("that $what in a stream leaves an error event and an ordinary end", ({ how, rest }) =>
    Effect.gen(function* () {
      const { url, upstream, lines } = yield* TestService.withUpstream(2)
      const sending = yield* Effect.forkScoped(TestHttp.send(url, streamed))
      const exchange = yield* upstream.next
      yield* exchange.write(TestAnswer.eventStreamHead())
      yield* exchange.write(TestAnswer.chunk(firstEvent + rest))
      const answer = yield* Fiber.join(sending)
      assert.strictEqual(yield* answer.read, firstEvent)
      yield* exchange[how]

      const end = yield* answer.text

      assert.strictEqual(end, `event: error\ndata: ${JSON.stringify(apiError("upstream closed the stream early"))}\n\n`)
      assert.strictEqual(yield* upstream.waiting, 0)
      assert.notMatch(lines().join("\n"), /key marked|NEVER-SHOWN/)
    })
  )

  it.live("that ends a stream in order, but without its last event, leaves an error event too", () =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()
      const sending = yield* Effect.forkScoped(answerTo(url, streamed))
      const exchange = yield* upstream.next
      yield* exchange.write(TestAnswer.eventStreamHead())
      yield* exchange.write(Buffer.concat([TestAnswer.chunk(firstEvent), Buffer.from(TestAnswer.lastChunk)]))

      const { text } = yield* Fiber.join(sending)

      assert.isTrue(text.startsWith(`${firstEvent}event: error\n`))
    })
  )

  it.live("that resets the connection after the last event leaves no error", () =>
    Effect.gen(function* () {
      const { url, upstream, lines } = yield* TestService.withUpstream()
      const sending = yield* Effect.forkScoped(answerTo(url, streamed))
      const exchange = yield* upstream.next
      yield* exchange.write(TestAnswer.eventStreamHead())
      yield* exchange.write(TestAnswer.chunk(firstEvent + lastEvent))
      yield* exchange.reset

      const { text } = yield* Fiber.join(sending)

      assert.strictEqual(text, firstEvent + lastEvent)
      assert.deepStrictEqual(lines(), [])
    })
  )

  it.live.each([
    { what: "a blocking answer", sent: blocking },
    { what: "a passthrough answer", sent: { path: "/anthropic/v1/models" } }
  ])("that cuts $what breaks the client's connection", ({ sent }) =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream(2)
      const sending = yield* Effect.forkScoped(TestHttp.send(url, sent))
      const exchange = yield* upstream.next
      yield* exchange.write(
        TestAnswer.head(200, [
          ["content-type", "application/json"],
          ["content-length", "100"]
        ])
      )
      yield* exchange.write(`{"begun":`)
      const answer = yield* Fiber.join(sending)
      assert.strictEqual(yield* answer.read, `{"begun":`)
      yield* exchange.end

      const error = yield* Effect.flip(answer.text)

      assert.match(error.message, /aborted|ECONNRESET/)
      assert.strictEqual(yield* upstream.waiting, 0)
    })
  )

  it.live("that refuses a key without ending its body does not hold up the next key", () =>
    Effect.gen(function* () {
      const { url, upstream, lines } = yield* TestService.withUpstream(2)
      const sending = yield* Effect.forkScoped(answerTo(url, blocking))
      const first = yield* upstream.next
      yield* first.write(TestAnswer.head(401, [["transfer-encoding", "chunked"]]))
      const second = yield* upstream.next.pipe(Effect.timeout("800 millis"))
      yield* second.write(TestAnswer.json(200, { ok: true }))

      const answer = yield* Fiber.join(sending)

      assert.strictEqual(answer.text, `{"ok":true}`)
      assert.lengthOf(lines(), 1)
      assert.match(String(lines()[0]), /level=WARN .*key marked permanent.* status=401/)
      assert.notInclude(lines().join(), "NEVER-SHOWN")
      yield* first.closedWithin("5 seconds")
    })
  )
})
