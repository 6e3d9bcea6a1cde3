import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Sent } from "../fixtures/StreamFixture.ts"
import * as StreamFixture from "../fixtures/StreamFixture.ts"
import * as Streams from "../fixtures/Streams.ts"
import * as Endings from "./Endings.ts"
import * as Splits from "../Splits.ts"
import * as Table from "../Table.ts"
import * as TestRelay from "./TestRelay.ts"

const rows = Table.times(Streams.all, [
  ...Table.times(Splits.lineEnds, Endings.all.slice(0, 1)),
  ...Table.times(Splits.lineEnds.slice(0, 1), Endings.all.slice(1))
])

/** What the client sees of the events that were complete when so many bytes had come. */
const seenAfter = (length: number, sent: ReadonlyArray<Sent>, eol: string): string => {
  const ends = Splits.boundaries(sent.map(({ event }) => event))
  return StreamFixture.visible(
    sent.flatMap(({ event, isHidden }, index) => {
      const end = ends[index] ?? 0
      if (end <= length) return [{ event, isHidden }]
      // After CRLF CR the event is complete; the LF that belongs to it may be missing.
      return eol === "\r\n" && end - 1 === length ? [{ event: event.slice(0, -1), isHidden }] : []
    })
  )
}

describe.each(rows)("$name, with lines that end in $lineEnd,", ({ eol, ending, failure, message, ...fixture }) => {
  it.effect(`gives all complete events and one error event wherever it ${ending}`, () =>
    Effect.gen(function* () {
      const sent = StreamFixture.send(fixture, fixture.odd, eol)
      const whole = Splits.bytes(StreamFixture.whole(sent))
      const beforeLast = Splits.bytes(StreamFixture.whole(sent.slice(0, -1))).length

      for (let length = 0; length <= beforeLast; length++) {
        const part = whole.subarray(0, length)
        const expected = seenAfter(length, sent, eol) + fixture.errorEvent(message)
        for (const chunks of [Splits.oneByOne(part), [part]]) {
          const relayed = yield* TestRelay.run(fixture, chunks, { failure, together: length % 4 !== 0 })
          if (Splits.text(relayed.bytes) !== expected) {
            assert.strictEqual(Splits.text(relayed.bytes), expected, `after ${length} bytes`)
          }
          assert.deepStrictEqual(relayed.ends, [message])
        }
      }
    })
  )

  it.effect(`gives them after a random split, too, when it ${ending} anywhere in a documented answer`, () =>
    Effect.gen(function* () {
      const sent = StreamFixture.send(fixture, fixture.beginning, eol)
      const whole = Splits.bytes(StreamFixture.whole(sent.slice(0, -1)))

      for (let seed = 0; seed < 30; seed++) {
        const length = Splits.random(seed)(whole.length + 1)
        const chunks = Splits.splitRandomly(whole.subarray(0, length), seed, 1 + seed * 17)
        const relayed = yield* TestRelay.run(fixture, chunks, { failure, together: seed % 2 === 0 })
        const expected = seenAfter(length, sent, eol) + fixture.errorEvent(message)
        assert.strictEqual(Splits.text(relayed.bytes), expected, `seed ${seed}`)
        assert.deepStrictEqual(relayed.ends, [message])
      }
    })
  )
})

const lasts = Streams.all.flatMap((fixture) => fixture.ends.map((last) => ({ ...fixture, last, shown: last.trim() })))

describe.each(Table.times(lasts, Endings.all))(
  "$name that $ending after $shown",
  ({ failure, message, last, ...fixture }) => {
    const sent = StreamFixture.send(fixture, fixture.beginning, "\n", last)

    it.effect("is complete, and nothing is added", () =>
      Effect.gen(function* () {
        const whole = Splits.bytes(StreamFixture.whole(sent))

        for (const chunks of [[whole], Splits.oneByOne(whole)]) {
          const relayed = yield* TestRelay.run(fixture, chunks, { failure })
          assert.strictEqual(Splits.text(relayed.bytes), StreamFixture.visible(sent))
          assert.deepStrictEqual(relayed.ends, ["complete"])
        }
      })
    )

    it.effect("but before its blank line is complete only if that was the upstream's will", () =>
      Effect.gen(function* () {
        const part = Splits.bytes(StreamFixture.whole(sent).slice(0, -1))

        const relayed = yield* TestRelay.run(fixture, [part], { failure })

        const isMeant = failure === undefined
        const rest = isMeant ? last.slice(0, -1) : fixture.errorEvent(message)
        assert.strictEqual(Splits.text(relayed.bytes), StreamFixture.visible(sent.slice(0, -1)) + rest)
        assert.deepStrictEqual(relayed.ends, [isMeant ? "complete" : message])
      })
    )
  }
)
