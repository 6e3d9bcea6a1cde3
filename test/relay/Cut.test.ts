import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { UpstreamError } from "../../src/domain/UpstreamError.ts"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as EventGate from "../../src/relay/EventGate.ts"
import * as Splits from "./Splits.ts"
import * as Table from "./Table.ts"
import * as TestRelay from "./TestRelay.ts"

const early = "upstream closed the stream early"

const endings: ReadonlyArray<{
  readonly ending: string
  readonly failure: UpstreamError | undefined
  readonly message: string
}> = [
  { ending: "is cut", failure: Failure.cut("ECONNRESET"), message: early },
  { ending: "times out", failure: Failure.timedOut(), message: "upstream timed out" },
  { ending: "ends without its last event", failure: undefined, message: early }
]

const errorEvent = (message: string): string =>
  `event: error\ndata: {"type":"error","error":{"type":"api_error","message":"${message}"}}\n\n`

const bytewise = (whole: Uint8Array): ReadonlyArray<Uint8Array> =>
  Splits.splitAt(
    whole,
    Array.from({ length: Math.max(0, whole.length - 1) }, (_, index) => index + 1)
  )

const rows = [
  ...Table.times(Splits.lineEnds, endings.slice(0, 1)),
  ...Table.times(Splits.lineEnds.slice(0, 1), endings.slice(1))
]

describe("A stream that breaks off", () => {
  it.effect.each(rows)(
    "at any byte gives all complete events and one error event when it $ending (lines end in $lineEnd)",
    ({ eol, failure, message }) =>
      Effect.gen(function* () {
        const events = Splits.events(eol)
        const whole = Splits.bytes(events.join(""))
        const boundaries = Splits.boundaries(events)
        const beforeLast = boundaries.at(-2) ?? 0
        // After CRLF CR the event is complete; the LF that belongs to it may be missing.
        const endsBefore = (length: number) =>
          [0, ...boundaries].findLast((end) => end <= length || (eol === "\r\n" && end - 1 === length)) ?? 0

        for (let length = 0; length <= beforeLast; length++) {
          const part = whole.subarray(0, length)
          const complete = whole.subarray(0, Math.min(length, endsBefore(length)))
          const expected = Splits.text(complete) + errorEvent(message)
          for (const chunks of [bytewise(part), [part]]) {
            const relayed = yield* TestRelay.run(chunks, { failure })
            if (Splits.text(relayed.bytes) !== expected) {
              assert.strictEqual(Splits.text(relayed.bytes), expected, `after ${length} bytes`)
            }
            assert.deepStrictEqual(relayed.ends, [message])
          }
        }
      })
  )

  it.effect.each(endings)("after its last event is complete, and nothing is added when it $ending", ({ failure }) =>
    Effect.gen(function* () {
      const whole = Splits.bytes(Splits.events("\n").join(""))

      const relayed = yield* TestRelay.run([whole], { failure })

      assert.strictEqual(Splits.text(relayed.bytes), Splits.text(whole))
      assert.deepStrictEqual(relayed.ends, ["complete"])
    })
  )

  it.effect("within its last event, by a failure, is not complete", () =>
    Effect.gen(function* () {
      const whole = Splits.bytes("event: message_stop\ndata: {}\n")

      const relayed = yield* TestRelay.run([whole], { failure: Failure.cut("ECONNRESET") })

      assert.strictEqual(Splits.text(relayed.bytes), errorEvent(early))
      assert.deepStrictEqual(relayed.ends, [early])
    })
  )
})

describe("A large event", () => {
  const first = "event: a\ndata: 1\n\n"
  const head = "event: content_block_delta\ndata: "
  const large = (bytes: number) => head + "x".repeat(bytes - head.length)

  it.effect.each(endings)("of at most 64 KiB does not appear in part when the stream $ending", ({ failure, message }) =>
    Effect.gen(function* () {
      const part = Splits.bytes(first + large(EventGate.heldBytes))

      for (const chunks of [[part], Splits.splitRandomly(part, 3, 9_000)]) {
        const relayed = yield* TestRelay.run(chunks, { failure })
        assert.strictEqual(Splits.text(relayed.bytes), first + errorEvent(message))
      }
    })
  )

  it.effect.each(endings)(
    "over 64 KiB passes as it comes and becomes the error event when the stream $ending",
    ({ failure, message }) =>
      Effect.gen(function* () {
        const part = first + large(EventGate.heldBytes + 1)

        for (const chunks of [[Splits.bytes(part)], Splits.splitRandomly(Splits.bytes(part), 3, 9_000)]) {
          const relayed = yield* TestRelay.run(chunks, { failure })
          // The line end makes "error" the name that counts, so that the client takes the event for what it is.
          assert.strictEqual(Splits.text(relayed.bytes), `${part}\n${errorEvent(message)}`)
          assert.deepStrictEqual(relayed.ends, [message])
        }
      })
  )

  it.effect("that was complete is followed by an error event of its own", () =>
    Effect.gen(function* () {
      const whole = `${large(2 * EventGate.heldBytes)}\n\n`
      const half = "event: b\ndata:"

      const relayed = yield* TestRelay.run(Splits.splitRandomly(Splits.bytes(whole + half), 3, 9_000))

      assert.strictEqual(Splits.text(relayed.bytes), whole + errorEvent(early))
    })
  )

  it.effect("passes in the pull in which it grows too large", () =>
    Effect.gen(function* () {
      const failure = Failure.cut("ECONNRESET")
      const held = Splits.bytes(large(EventGate.heldBytes))

      const relayed = yield* TestRelay.run([held, Splits.bytes("y")], { failure })

      assert.strictEqual(relayed.bytes.length, held.length + 2 + errorEvent(early).length)
    })
  )
})
