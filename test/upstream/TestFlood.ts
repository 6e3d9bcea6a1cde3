/** A server that writes as much as it can, to see when it is stopped. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as TestAnswer from "./TestAnswer.ts"
import type { Exchange } from "./TestServer.ts"

export interface Flood {
  /** Waits until the connection has taken nothing for a while; the bytes that it has taken. */
  readonly stalled: Effect.Effect<number>
}

const block = Buffer.alloc(64 * 1024, "0123456789abcdef")

/** Answers with so many bytes (a multiple of 64 KiB), as fast as the connection takes them. */
export const start = Effect.fnUntraced(function* (
  { write, socket }: Exchange,
  size: number,
  fields: TestAnswer.Fields = []
) {
  const writes = yield* Queue.unbounded<void>()
  let taken = 0
  yield* Effect.forkScoped(
    Effect.gen(function* () {
      yield* write(TestAnswer.head(200, [["content-length", String(size)], ...fields]))
      while (taken < size && !socket.destroyed) {
        yield* write(block)
        taken += block.length
        Queue.offerUnsafe(writes, undefined)
      }
    })
  )
  const nothing = Effect.timeoutOption(Queue.take(writes), "200 millis")
  const stalled = Effect.suspend(() => nothing).pipe(Effect.repeat({ until: Option.isNone }))
  return { stalled: Effect.map(stalled, () => taken) }
})
