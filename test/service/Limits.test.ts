/** What the service lets clients and providers do, over real connections. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Net from "node:net"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestService from "./TestService.ts"

/** What comes back on a connection that says this, until the service closes it. */
const say = (url: string, text: string) =>
  Effect.callback<string>((resume) => {
    let said = ""
    const socket = Net.connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(text))
    socket.on("data", (bytes) => (said += bytes.toString("latin1")))
    socket.on("error", () => {})
    socket.on("close", () => resume(Effect.succeed(said)))
    return Effect.sync(() => void socket.destroy())
  }).pipe(Effect.timeout("10 seconds"), Effect.orDie)

const head = "POST /anthropic/v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"

describe("The service", () => {
  it.live.each([
    { slow: "head", text: "POST /anthropic/v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\n" },
    { slow: "body", text: `${head}content-length: 100\r\n\r\n{` }
  ])("drops a client that takes too long for its $slow", ({ text }) =>
    Effect.gen(function* () {
      const { url } = yield* TestService.start({ AIBRIDGE_REQUEST_TIMEOUT: "300ms" })

      assert.match(yield* say(url, text), /^(?:HTTP\/1\.1 4(?:00|08) |$)/)
    })
  )

  it.live("refuses a request with a length and a transfer encoding", () =>
    Effect.gen(function* () {
      const { url } = yield* TestService.start({})
      const body = `content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`

      assert.match(yield* say(url, head + body), /^HTTP\/1\.1 400 /)
    })
  )

  it.live("refuses a head that is too large", () =>
    Effect.gen(function* () {
      const { url } = yield* TestService.start({ AIBRIDGE_MAXIMUM_HEADER_SIZE: "8KiB" })
      const headers = { "x-large": "x".repeat(9_000) }

      assert.strictEqual((yield* TestHttp.send(url, { body: TestHttp.message(), headers })).status, 431)
    })
  )

  it.live("refuses a body that is too large, and says the limit", () =>
    Effect.gen(function* () {
      const { url } = yield* TestService.start({ AIBRIDGE_MAXIMUM_BODY_SIZE: "1KiB" })
      const answer = yield* TestHttp.send(url, { body: `{"model":"m","x":"${"x".repeat(1024)}"}` })

      assert.strictEqual(answer.status, 413)
      assert.include(yield* answer.text, "1024 bytes")
    })
  )

  it.live.each([
    { setting: "AIBRIDGE_UPSTREAM_TIMEOUT", says: "no head" },
    { setting: "AIBRIDGE_IDLE_TIMEOUT", says: "a head and then nothing" },
    { setting: "AIBRIDGE_TOTAL_TIMEOUT", says: "no head" },
    { setting: "AIBRIDGE_TOTAL_TIMEOUT", says: "a head and then nothing" },
    { setting: "AIBRIDGE_PROVIDER_0_UPSTREAM_TIMEOUT", says: "no head" },
    { setting: "AIBRIDGE_PROVIDER_0_IDLE_TIMEOUT", says: "a head and then nothing" },
    { setting: "AIBRIDGE_PROVIDER_0_TOTAL_TIMEOUT", says: "a head and then nothing" }
  ])("waits no longer for a provider than $setting, which says $says", ({ setting, says }) =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream(1, { [setting]: "1s" })
      yield* Effect.forkScoped(Effect.exit(TestHttp.send(url, { body: TestHttp.message() })))
      const exchange = yield* upstream.next
      if (says !== "no head") yield* exchange.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{")

      yield* exchange.closedWithin("10 seconds")
    })
  )

  it.live("ends a stream that goes on and on with an error event", () =>
    Effect.gen(function* () {
      const { url, upstream, lines } = yield* TestService.withUpstream(1, { AIBRIDGE_TOTAL_TIMEOUT: "1s" })
      const sending = yield* Effect.forkScoped(TestHttp.send(url, { body: TestHttp.message({ stream: true }) }))
      const exchange = yield* upstream.next
      yield* exchange.write(TestAnswer.eventStreamHead())
      const ping = TestAnswer.chunk("event: ping\ndata: {}\n\n")
      yield* Effect.forkScoped(Effect.repeat(exchange.write(ping), Schedule.spaced("100 millis")))
      const answer = yield* Fiber.join(sending)

      const text = yield* answer.text
      yield* exchange.closed

      const error = { type: "api_error", message: "the request took longer than the gateway lets one take" }
      assert.match(text, /^(?:event: ping\ndata: {}\n\n){5,}event: error\n/)
      assert.isTrue(text.endsWith(`data: ${JSON.stringify({ type: "error", error })}\n\n`))
      assert.lengthOf(lines(), 1)
    })
  )
})
