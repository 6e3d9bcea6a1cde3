import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestFlood from "../upstream/TestFlood.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestService from "./TestService.ts"

const megabyte = 1024 * 1024

describe("A client that does not read", () => {
  it.live.each([
    { what: "a blocking answer", sent: { body: TestHttp.message() }, type: "application/json" },
    { what: "a passthrough answer", sent: { path: "/anthropic/v1/models" }, type: "application/json" },
    {
      what: "a stream without end of event",
      sent: { body: TestHttp.message({ stream: true }) },
      type: "text/event-stream"
    }
  ])("stops the upstream in the middle of $what, and gets all of it later", ({ sent, type }) =>
    Effect.gen(function* () {
      const { url, upstream } = yield* TestService.withUpstream()
      const size = 48 * megabyte
      const sending = yield* Effect.forkScoped(TestHttp.send(url, sent))
      const flood = yield* TestFlood.start(yield* upstream.next, size, [["content-type", type]])
      const answer = yield* Fiber.join(sending)

      const taken = yield* flood.stalled
      assert.isBelow(taken, 16 * megabyte)

      let total = 0
      for (let text = yield* answer.read; text !== undefined; text = yield* answer.read) total += text.length
      assert.isAtLeast(total, size)
    })
  )
})
