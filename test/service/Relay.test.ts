import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestService from "./TestService.ts"

const event = (index: number): string => `event: content_block_delta\ndata: {"index":${index}}\n\n`
const lastEvent = `event: message_stop\ndata: {"type":"message_stop"}\n\n`

const streamed = { body: TestHttp.message({ stream: true }) }

const slowHead = TestAnswer.head(200, [
  ["request-id", "req_1"],
  ["content-length", "100"]
])

describe("The service", () => {
  it.live("brings each event of a stream to the client before the upstream sends the next", () =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()
      const sending = yield* Effect.forkScoped(TestHttp.send(url, streamed))
      const exchange = yield* upstream.next
      yield* exchange.write(TestAnswer.eventStreamHead())

      const seen: Array<string | undefined> = []
      for (let index = 0; index < 50; index++) {
        yield* exchange.write(TestAnswer.chunk(event(index)))
        const answer = yield* Fiber.join(sending)
        seen.push(yield* answer.read)
      }
      yield* exchange.write(Buffer.concat([TestAnswer.chunk(lastEvent), Buffer.from(TestAnswer.lastChunk)]))
      const rest = yield* Effect.flatMap(Fiber.join(sending), ({ text }) => text)

      assert.deepStrictEqual(
        seen,
        Array.from({ length: 50 }, (_, index) => event(index))
      )
      assert.strictEqual(rest, lastEvent)
    })
  )

  it.live.each([
    { what: "a stream", request: streamed, head: TestAnswer.eventStreamHead([["request-id", "req_1"]]) },
    { what: "a blocking answer", request: { body: TestHttp.message() }, head: slowHead },
    { what: "a passthrough answer", request: { path: "/anthropic/v1/models" }, head: slowHead }
  ])("sends the head of $what without waiting for a body that takes long", ({ request, head }) =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()
      const sending = yield* Effect.forkScoped(TestHttp.send(url, request))
      const exchange = yield* upstream.next
      yield* exchange.write(head)

      const { status, headers } = yield* Fiber.join(sending).pipe(Effect.timeout("2 seconds"))

      assert.strictEqual(status, 200)
      assert.strictEqual(headers["request-id"], "req_1")
    })
  )

  it.live("brings the bytes of a stream as they are, wherever they are split", () =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()
      const text = `: comment\r\nretry: 10\n\nevent: \u00e9\u{1f30d}\ndata:no space\n\n\n\nid: 7\rdata: x\r\r${event(1)}${lastEvent}`
      const bytes = Buffer.from(text)
      const sending = yield* Effect.forkScoped(TestHttp.send(url, streamed))
      const exchange = yield* upstream.next
      yield* exchange.write(TestAnswer.eventStreamHead())
      for (const byte of bytes) yield* exchange.write(TestAnswer.chunk(Uint8Array.of(byte)))
      yield* exchange.write(TestAnswer.lastChunk)

      const answer = yield* Fiber.join(sending)

      assert.strictEqual(yield* answer.text, text)
    })
  )

  it.live("brings a request and its answer over as they are", () =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()
      const body = `{ "model":"claude-test",\n\t"unknown":[1e400,"\\ud800",""],  "content":"\u00e9\u{1f30d}" }\n`
      const sending = yield* Effect.forkScoped(TestHttp.send(url, { path: "/anthropic/v1/messages?beta=true", body }))
      const exchange = yield* upstream.next
      const sent = `{"b":1, "a":2 }\n`
      yield* exchange.write(TestAnswer.whole(201, sent, [["Content-Type", "application/json; charset=utf-8"]]))

      const answer = yield* Fiber.join(sending)

      assert.strictEqual(exchange.target, "/v1/messages?beta=true")
      assert.strictEqual(exchange.headers["x-api-key"], TestService.key(0))
      assert.isTrue(exchange.body.equals(Buffer.from(body)))
      assert.strictEqual(answer.status, 201)
      assert.strictEqual(answer.headers["content-type"], "application/json; charset=utf-8")
      assert.strictEqual(answer.headers["content-length"], String(sent.length))
      assert.strictEqual(yield* answer.text, sent)
    })
  )

  it.live.each(["/anthropic/v1/messages", "/anthropic/v1/messages/count_tokens"])(
    "brings 8 MB each way byte by byte: %s",
    (path) =>
      Effect.gen(function* () {
        const { url, upstream } = yield* TestService.withUpstream()
        const text = "0123456789\u00e9".repeat(700_000)
        const body = TestHttp.message({ text })
        const sending = yield* Effect.forkScoped(TestHttp.send(url, { path, body }))
        const exchange = yield* upstream.next
        yield* Effect.forkScoped(exchange.write(TestAnswer.whole(200, exchange.body)))

        const answer = yield* Fiber.join(sending)

        assert.isTrue((yield* answer.bytes).equals(Buffer.from(body)))
      })
  )

  it.live("brings all values of repeated headers over, but no cookies", () =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()
      const headers = { "anthropic-beta": ["one-2025-01-01", "two-2025-02-02"], cookie: ["a=1"] }
      const sending = yield* Effect.forkScoped(TestHttp.send(url, { body: TestHttp.message(), headers }))
      const exchange = yield* upstream.next
      const fields = [
        ["link", "</a>; rel=next"],
        ["set-cookie", "session=1"],
        ["link", "</b>; rel=prev"],
        ["set-cookie", "other=2"]
      ] as const
      yield* exchange.write(TestAnswer.json(200, {}, fields))

      const answer = yield* Fiber.join(sending)

      assert.strictEqual(exchange.headers["anthropic-beta"], "one-2025-01-01, two-2025-02-02")
      assert.notProperty(exchange.headers, "cookie")
      assert.deepStrictEqual(answer.fields("link"), ["</a>; rel=next", "</b>; rel=prev"])
      assert.notProperty(answer.headers, "set-cookie")
    })
  )
})
