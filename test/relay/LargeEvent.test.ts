import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as EventGate from "../../src/relay/EventGate.ts"
import * as Streams from "../fixtures/Streams.ts"
import * as Endings from "./Endings.ts"
import * as Splits from "../Splits.ts"
import * as Table from "../Table.ts"
import * as TestRelay from "./TestRelay.ts"

describe.each(Table.times(Streams.all, Endings.all))(
  "A large event of $name",
  ({ ending, failure, message, ...fixture }) => {
    const [first = ""] = fixture.beginning
    /** The first so many bytes of an event that is much larger. */
    const partOf = (bytes: number) => fixture.delta("x".repeat(2 * bytes)).slice(0, bytes)
    const run = (chunks: ReadonlyArray<Uint8Array>) => TestRelay.run(fixture, chunks, { failure })

    it.effect(`of at most 64 KiB does not appear in part when the stream ${ending}`, () =>
      Effect.gen(function* () {
        const part = Splits.bytes(first + partOf(EventGate.heldBytes))

        for (const chunks of [[part], Splits.splitRandomly(part, 3, 9_000)]) {
          const relayed = yield* run(chunks)
          assert.strictEqual(Splits.text(relayed.bytes), first + fixture.errorEvent(message))
        }
      })
    )

    it.effect(`over 64 KiB passes as it comes and becomes the error event when the stream ${ending}`, () =>
      Effect.gen(function* () {
        const part = first + partOf(EventGate.heldBytes + 1)

        for (const chunks of [[Splits.bytes(part)], Splits.splitRandomly(Splits.bytes(part), 3, 9_000)]) {
          const relayed = yield* run(chunks)
          // The line end makes "error" the name that counts; where events have no names, no client can read the data.
          assert.strictEqual(Splits.text(relayed.bytes), `${part}\n${fixture.errorEvent(message)}`)
          assert.deepStrictEqual(relayed.ends, [message])
        }
      })
    )

    it.effect(`that was complete is followed by an error event of its own when the stream ${ending}`, () =>
      Effect.gen(function* () {
        const whole = fixture.delta("x".repeat(2 * EventGate.heldBytes))
        const half = first.slice(0, -3)

        const relayed = yield* run(Splits.splitRandomly(Splits.bytes(whole + half), 3, 9_000))

        assert.strictEqual(Splits.text(relayed.bytes), whole + fixture.errorEvent(message))
      })
    )
  }
)

describe.each(Streams.all)("An event of $name", (fixture) => {
  it.effect("passes in the pull in which it grows too large", () =>
    Effect.gen(function* () {
      const whole = Splits.bytes(fixture.delta("x".repeat(EventGate.heldBytes)))
      const held = whole.subarray(0, EventGate.heldBytes)
      const next = whole.subarray(held.length, held.length + 1)

      const relayed = yield* TestRelay.run(fixture, [held, next], { failure: Failure.cut("ECONNRESET") })

      assert.strictEqual(relayed.bytes.length, held.length + 2 + fixture.errorEvent(Endings.early).length)
    })
  )
})
