import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestAnswer from "./TestAnswer.ts"
import { begin, clients, follow, reasonOf, send, textOf, using } from "./TestClient.ts"
import * as TestServer from "./TestServer.ts"

describe.each(clients)("A failure of $name", (client) => {
  const live = using(client)

  it.live("is unreachable if the connection is refused", () =>
    Effect.gen(function* () {
      const port = yield* TestServer.unusedPort

      const error = yield* Effect.flip(send(`http://127.0.0.1:${port}`))

      assert.strictEqual(reasonOf(error), "Unreachable (ECONNREFUSED)")
    }).pipe(live)
  )

  it.live("is unreachable if the host has no address", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(send("http://no-such-host.invalid"))

      assert.match(reasonOf(error), /^Unreachable \((ENOTFOUND|EAI_AGAIN)\)$/)
    }).pipe(live)
  )

  it.live("is unreachable if the connection is reset before the head", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server, { method: "POST", body: Buffer.from("{}") })
      yield* exchange.reset

      const error = yield* Effect.flip(answer)

      assert.match(reasonOf(error), /^Unreachable \((ECONNRESET|UND_ERR_SOCKET)\)$/)
    }).pipe(live)
  )

  it.live("is unreachable if the connection ends before the head", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server, { method: "POST", body: Buffer.from("{}") })
      yield* exchange.end

      const error = yield* Effect.flip(answer)

      assert.match(reasonOf(error), /^Unreachable /)
    }).pipe(live)
  )

  it.live("is unreachable if the answer is not HTTP", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      yield* exchange.write("SSH-2.0-OpenSSH_9.2\r\n\r\n")
      yield* exchange.end

      const error = yield* Effect.flip(answer)

      assert.match(reasonOf(error), /^Unreachable /)
    }).pipe(live)
  )

  it.live.each([
    { behaviour: "reset", how: "reset" },
    { behaviour: "closed", how: "end" }
  ] as const)("comes instead of an answer if the connection is $behaviour between head and first byte", ({ how }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      yield* exchange.write(TestAnswer.eventStreamHead())
      yield* exchange[how]

      const error = yield* Effect.flip(answer)

      assert.match(reasonOf(error), /^Cut /)
    }).pipe(live)
  )

  it.live.each([
    { behaviour: "a chunked body is reset", head: TestAnswer.eventStreamHead(), how: "reset" },
    { behaviour: "a chunked body ends without its last chunk", head: TestAnswer.eventStreamHead(), how: "end" },
    {
      behaviour: "a body ends before its length",
      head: TestAnswer.head(200, [["content-length", "100"]]),
      how: "end"
    },
    {
      behaviour: "a body is reset before its length",
      head: TestAnswer.head(200, [["content-length", "100"]]),
      how: "reset"
    }
  ] as const)("is a cut if $behaviour, after all that came", ({ head, how }) =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      yield* exchange.write(head)
      yield* exchange.write(head.includes("chunked") ? TestAnswer.chunk("begun") : "begun")
      const seen = yield* follow((yield* answer).body)
      yield* seen.endsWith("begun")
      yield* exchange[how]

      const error = yield* Effect.flip(Fiber.join(seen.reading))

      assert.strictEqual(error._tag, "UpstreamError")
      assert.match(reasonOf(error), /^Cut /)
      assert.strictEqual(seen.seen(), "begun")
    }).pipe(live)
  )

  it.live("is a cut if a whole answer that came at once is too short, after all that came", () =>
    Effect.gen(function* () {
      const server = yield* TestServer.start
      const { answer, exchange } = yield* begin(server)
      yield* exchange.write(TestAnswer.head(200, [["content-length", "100"]]) + "begun")
      yield* exchange.end

      const outcome = yield* Effect.flip(
        Effect.flatMap(answer, ({ body, whole }) =>
          whole === undefined ? textOf(body) : Effect.succeed("taken for whole")
        )
      )

      assert.match(reasonOf(outcome), /^Cut /)
    }).pipe(live)
  )

  it.live("never tells the host, the path or a header", () =>
    Effect.gen(function* () {
      const port = yield* TestServer.unusedPort

      const error = yield* Effect.flip(
        send(`http://127.0.0.1:${port}`, { path: "/v1/secret-path", headers: { "x-api-key": "sk-secret" } })
      )

      const shown = `${error.message} ${JSON.stringify(error)} ${String(error.stack)}`
      for (const secret of ["127.0.0.1", String(port), "secret"]) assert.notInclude(shown, secret)
    }).pipe(live)
  )
})
