import { assert, describe, it } from "@effect/vitest"
import { SseTap } from "../../src/relay/SseTap.ts"
import * as StreamFixture from "../fixtures/StreamFixture.ts"
import * as Streams from "../fixtures/Streams.ts"
import * as Splits from "../Splits.ts"
import * as Table from "../Table.ts"
import * as TapReading from "./TapReading.ts"

describe.each(Table.times(Streams.all, Splits.lineEnds))(
  "A stream of $name with lines that end in $lineEnd",
  ({ eol, ...fixture }) => {
    const { dialect } = fixture
    const events = StreamFixture.send(fixture, fixture.odd, eol).map(({ event }) => event)
    const whole = Splits.bytes(events.join(""))
    const boundaries = Splits.boundaries(events)
    const beforeLast = boundaries.at(-2) ?? 0
    // After CRLF CR an event is over; the LF that may follow belongs to it.
    const mayEnd = new Set(boundaries.flatMap((offset) => (eol === "\r\n" ? [offset - 1, offset] : [offset])))

    it("ends where its events end, and is over", () => {
      assert.deepStrictEqual(TapReading.read(dialect, [whole]), { ends: boundaries, sawTerminal: true })
    })

    it("ends only where an event ends, byte by byte", () => {
      const { ends, sawTerminal } = TapReading.read(dialect, Splits.oneByOne(whole))

      assert.deepStrictEqual(
        ends.filter((end) => !mayEnd.has(end)),
        []
      )
      for (const offset of boundaries) assert.include(ends, offset)
      assert.isTrue(sawTerminal)
    })

    it("ends where an event ends for every pair of near splits, and is over exactly with its last event", () => {
      const wrong: Array<string> = []
      for (let first = 1; first < whole.length; first++) {
        for (let second = first; second < Math.min(first + 5, whole.length); second++) {
          const begun = TapReading.read(dialect, Splits.splitAt(whole.subarray(0, second), [first]))
          const ends = begun.ends.filter((end) => !mayEnd.has(end))
          if (ends.length > 0) wrong.push(`event ends at ${ends.join()} of ${first}, ${second}`)
          if (begun.sawTerminal && !mayEnd.has(second)) wrong.push(`over too early with ${first}, ${second}`)
          const { sawTerminal } = TapReading.read(dialect, Splits.splitAt(whole, [first, second]))
          if (!sawTerminal) wrong.push(`not over with ${first}, ${second}`)
        }
      }
      assert.deepStrictEqual(wrong, [])
    })

    it("is read alike however it is split, whichever event is its last one", () => {
      for (const last of fixture.ends) {
        const all = StreamFixture.send(fixture, [...fixture.odd, ...fixture.beginning], eol, last)
        const long = Splits.bytes(StreamFixture.whole(all))
        const ends = Splits.boundaries(all.map(({ event }) => event))
        assert.deepStrictEqual(TapReading.read(dialect, [long]), { ends, sawTerminal: true })
        assert.deepStrictEqual(TapReading.normalized(dialect, Splits.oneByOne(long)), { ends, sawTerminal: true })
        for (let seed = 0; seed < 30; seed++) {
          const chunks = Splits.splitRandomly(long, seed, 1 + seed * 17)
          assert.deepStrictEqual(TapReading.normalized(dialect, chunks), { ends, sawTerminal: true }, `seed ${seed}`)
        }
      }
    })

    it("is over without its final blank line, too", () => {
      for (const length of [whole.length - eol.length, whole.length - 2 * eol.length]) {
        const tap = new SseTap(dialect)
        tap.push(whole.subarray(0, length))
        assert.isFalse(tap.sawTerminal)

        tap.end()

        assert.isTrue(tap.sawTerminal)
      }
    })

    it("is not over without its last event", () => {
      for (const part of [whole.subarray(0, beforeLast), Splits.bytes(fixture.beginning.join(""))]) {
        const tap = new SseTap(dialect)
        tap.push(part)
        tap.end()

        assert.isFalse(tap.sawTerminal)
      }
    })
  }
)

describe.each(Streams.all)("A stream of $name with lines that end in every way", (fixture) => {
  it("is read alike however it is split", () => {
    for (let seed = 0; seed < 100; seed++) {
      const events = Splits.withMixedEnds([...fixture.odd, fixture.ends[0]], seed)
      const whole = Splits.bytes(events.join(""))
      const reading = { ends: Splits.boundaries(events), sawTerminal: true }
      const splits = [[whole], Splits.oneByOne(whole), Splits.splitRandomly(whole, seed, 20)]
      for (const chunks of splits) {
        assert.deepStrictEqual(TapReading.normalized(fixture.dialect, chunks), reading, `seed ${seed}`)
      }
    }
  })
})
