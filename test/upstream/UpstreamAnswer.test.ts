import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as HeaderRecord from "../../src/domain/HeaderRecord.ts"
import { firstByteGrace } from "../../src/upstream/Upstream.ts"
import * as TestAnswer from "./TestAnswer.ts"
import { begin, bytesOf, clients, textOf, using } from "./TestClient.ts"
import * as TestServer from "./TestServer.ts"

const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index)

describe.each(clients)("An answer to $name", (client) => {
  const live = using(client)

  it.live.each([200, 201, 304, 400, 401, 403, 404, 429, 500, 502, 503, 529])("has its status: %d", (status) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      yield* exchange.write(TestAnswer.whole(status, status === 304 ? "" : "{}"))

      const response = yield* answer

      assert.strictEqual(response.status, status)
    }).pipe(live)
  )

  it.live.each([301, 302, 307, 308])("is handed on, not followed, if it points elsewhere: %d", (status) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const elsewhere = yield* TestServer.start
      const { answer, exchange } = yield* begin(server, { headers: { "x-api-key": "sk-test-0001" } })
      yield* exchange.write(TestAnswer.whole(status, "moved", [["location", `${elsewhere.origin}/taken`]]))

      const response = yield* Effect.race(answer, Effect.as(elsewhere.next, undefined))

      assert.strictEqual(response?.status, status)
      assert.strictEqual(yield* elsewhere.connections, 0)
    }).pipe(live)
  )

  it.live("has its headers, with names in lower case", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      const fields = [
        ["Content-Type", "application/json"],
        ["Request-Id", "req_1"],
        ["anthropic-ratelimit-requests-remaining", "0"],
        ["retry-after", "5"]
      ] as const
      yield* exchange.write(TestAnswer.whole(429, "{}", fields))

      const { headers } = yield* answer

      for (const [name, value] of fields) assert.strictEqual(HeaderRecord.first(headers, name.toLowerCase()), value)
    }).pipe(live)
  )

  it.live("brings a small body whole, byte by byte", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      yield* exchange.write(TestAnswer.whole(200, everyByte))

      const response = yield* answer

      if (response.whole !== undefined) assert.isTrue(Buffer.from(everyByte).equals(response.whole))
      assert.isTrue((yield* bytesOf(response.body)).equals(everyByte))
    }).pipe(live)
  )

  it.live("brings a chunked body without its chunking", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      yield* exchange.write(TestAnswer.eventStreamHead())
      for (const text of ["event: ping\n", "data: {}\n\n", "\u00e9\u{1f30d}"])
        yield* exchange.write(TestAnswer.chunk(text))
      yield* exchange.write(TestAnswer.lastChunk)

      const { body } = yield* answer

      assert.strictEqual(yield* textOf(body), "event: ping\ndata: {}\n\n\u00e9\u{1f30d}")
    }).pipe(live)
  )

  it.live("brings 5 MB byte by byte", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      const sent = Buffer.alloc(5_000_000, everyByte)
      yield* Effect.forkScoped(exchange.write(TestAnswer.whole(200, sent)))

      const { body } = yield* answer

      assert.isTrue((yield* bytesOf(body)).equals(sent))
    }).pipe(live)
  )

  it.live("may end with its connection if it has no length", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      yield* exchange.write(TestAnswer.head(200, [["connection", "close"]]) + "until the end")
      yield* exchange.end

      const { body } = yield* answer

      assert.strictEqual(yield* textOf(body), "until the end")
    }).pipe(live)
  )

  it.live("may follow informational ones", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      yield* exchange.write(TestAnswer.head(103, [["link", "</style.css>; rel=preload"]]))
      // Longer than a head is held back.
      const early = yield* Effect.timeoutOption(answer, firstByteGrace + 100)
      yield* exchange.write(TestAnswer.whole(200, "the answer", [["request-id", "req_1"]]))

      const response = yield* answer

      assert.strictEqual(response.status, 200)
      assert.isTrue(Option.isNone(early))
      assert.strictEqual(response.headers["request-id"], "req_1")
      assert.strictEqual(yield* textOf(response.body), "the answer")
    }).pipe(live)
  )

  it.live("has no body after HEAD, but the length that it would have", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server, { method: "HEAD" })
      yield* exchange.write(TestAnswer.head(200, [["content-length", "1234"]]))

      const response = yield* answer

      assert.strictEqual(response.headers["content-length"], "1234")
      assert.lengthOf(yield* bytesOf(response.body), 0)
    }).pipe(live)
  )

  it.live("has no body with 204", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server, { method: "DELETE" })
      yield* exchange.write(TestAnswer.head(204, [["request-id", "req_1"]]))

      const response = yield* answer

      assert.strictEqual(response.status, 204)
      assert.lengthOf(yield* bytesOf(response.body), 0)
    }).pipe(live)
  )
})
