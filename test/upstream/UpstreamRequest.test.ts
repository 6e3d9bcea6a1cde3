import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { UpstreamRequest } from "../../src/upstream/Upstream.ts"
import * as TestAnswer from "./TestAnswer.ts"
import { begin, clients, using } from "./TestClient.ts"
import * as TestServer from "./TestServer.ts"

describe.each(clients)("A request of $name", (client) => {
  const live = using(client)

  const received = Effect.fnUntraced(function* (request: Partial<UpstreamRequest>) {
    const server = yield* TestServer.start
    const { answer, exchange } = yield* begin(server, request)
    yield* exchange.write(TestAnswer.whole(200, request.method === "HEAD" ? "" : "ok"))
    yield* answer
    return { ...exchange, origin: server.origin }
  })

  it.live.each(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])("has its method: %s", (method) =>
    Effect.gen(function* () {
      const request = yield* received({ method })

      assert.strictEqual(request.method, method)
    }).pipe(live)
  )

  it.live.each([
    "/",
    "/v1/messages?beta=true",
    "/v1/models/a%20b;c=1,d:e@f",
    "/v1/models?after_id=a+b%20c%2Fd&limit=10&limit=20&empty=&bare",
    "/base//v1/models/",
    "/v1/%C3%A9%2e"
  ])("has its path and query as they stand: %s", (path) =>
    Effect.gen(function* () {
      const request = yield* received({ path })

      assert.strictEqual(request.target, path)
    }).pipe(live)
  )

  it.live("has its headers as they stand, and host of its own", () =>
    Effect.gen(function* () {
      const headers = {
        "x-api-key": "sk-test-0001",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "one-2025-01-01,two-2025-02-02",
        "user-agent": "client/1.0 (test)",
        accept: "application/json"
      }

      const request = yield* received({ method: "POST", headers, body: Buffer.from("{}") })

      assert.deepInclude(request.headers, { ...headers, host: request.origin.slice("http://".length) })
    }).pipe(live)
  )

  it.live("carries no trace context", () =>
    Effect.gen(function* () {
      const request = yield* received({}).pipe(Effect.withSpan("test"))

      for (const name of ["traceparent", "tracestate", "b3"]) assert.notProperty(request.headers, name)
    }).pipe(live)
  )

  it.live("has its body byte by byte, with a length", () =>
    Effect.gen(function* () {
      const body = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7) % 256)

      const request = yield* received({ method: "POST", headers: { "content-type": "application/json" }, body })

      assert.isTrue(request.body.equals(body))
      assert.strictEqual(request.headers["content-length"], String(body.length))
      assert.strictEqual(request.headers["content-type"], "application/json")
    }).pipe(live)
  )

  it.live("has no body and no length if none was given", () =>
    Effect.gen(function* () {
      const request = yield* received({})

      assert.lengthOf(request.body, 0)
      for (const name of ["content-length", "transfer-encoding", "content-type"]) {
        assert.notProperty(request.headers, name)
      }
    }).pipe(live)
  )
})
