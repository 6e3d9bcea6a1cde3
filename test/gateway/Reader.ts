/** A client that reads a stream in a fiber of its own, so that the test can move the clock meanwhile. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestGateway from "../../src/testing/TestGateway.ts"

export interface Chunk {
  /** Epoch milliseconds. */
  readonly at: number
  readonly text: string
}

/** Sends a request and reads its answer. What came so far is in `chunks`; the fiber ends with the answer. */
export const open = (path: string, request: TestGateway.RequestOptions) =>
  Effect.gen(function* () {
    const chunks: Array<Chunk> = []
    const decoder = new TextDecoder()
    const read = Effect.gen(function* () {
      const response = yield* TestGateway.request(path, request)
      yield* Stream.runForEach(response.stream, (bytes) =>
        Effect.map(Clock.currentTimeMillis, (at) => {
          chunks.push({ at, text: decoder.decode(bytes, { stream: true }) })
        })
      )
      return response.status
    })
    const fiber = yield* Effect.forkChild(Effect.scoped(read), { startImmediately: true })
    const text = () => chunks.map((chunk) => chunk.text).join("")
    return { chunks, fiber, text, leave: Fiber.interrupt(fiber) }
  })
