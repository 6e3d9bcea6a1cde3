import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as StreamFixture from "../fixtures/StreamFixture.ts"
import * as Streams from "../fixtures/Streams.ts"
import * as Splits from "../Splits.ts"
import * as Table from "../Table.ts"
import * as TestRelay from "./TestRelay.ts"

/** These bytes out, and one end that is a complete one. */
const assertRelayed = (relayed: TestRelay.Relayed, expected: Uint8Array, split: string): void => {
  if (Buffer.compare(relayed.bytes, expected) !== 0) {
    assert.strictEqual(Splits.text(relayed.bytes), Splits.text(expected), split)
  }
  assert.deepStrictEqual(relayed.ends, ["complete"], split)
}

const rows = Table.times(Streams.all, Splits.lineEnds)

describe.each(rows)("The bytes of $name, with lines that end in $lineEnd,", ({ eol, ...fixture }) => {
  const run = (chunks: ReadonlyArray<Uint8Array>, options?: { readonly together: boolean }) =>
    TestRelay.run(fixture, chunks, options)
  const sent = StreamFixture.send(fixture, fixture.odd, eol)
  const whole = Splits.bytes(StreamFixture.whole(sent))
  const expected = Splits.bytes(StreamFixture.visible(sent))

  it.effect("are unchanged for every place to split them", () =>
    Effect.gen(function* () {
      for (let offset = 1; offset < whole.length; offset++) {
        assertRelayed(yield* run(Splits.splitAt(whole, [offset])), expected, `split at ${offset}`)
      }
    })
  )

  it.effect.each([{ together: true }, { together: false }])(
    "are unchanged when they come one by one (together: $together)",
    (options) =>
      Effect.gen(function* () {
        for (const events of [fixture.odd, fixture.beginning]) {
          const all = StreamFixture.send(fixture, events, eol)
          const chunks = Splits.oneByOne(Splits.bytes(StreamFixture.whole(all)))

          assertRelayed(yield* run(chunks, options), Splits.bytes(StreamFixture.visible(all)), "bytes")
        }
      })
  )

  it.effect("are unchanged for random splits of a documented answer, whichever event is its last one", () =>
    Effect.gen(function* () {
      for (const last of fixture.ends) {
        const all = StreamFixture.send(fixture, fixture.beginning, eol, last)
        const long = Splits.bytes(StreamFixture.whole(all))
        const seen = Splits.bytes(StreamFixture.visible(all))
        for (let seed = 0; seed < 30; seed++) {
          const chunks = Splits.splitRandomly(long, seed, 1 + seed * 17)
          assertRelayed(yield* run(chunks, { together: seed % 2 === 0 }), seen, `seed ${seed}, ${last}`)
        }
      }
    })
  )

  it.effect("are unchanged for random splits of a long one", () =>
    Effect.gen(function* () {
      const events = Array.from({ length: 20 }, () => [...fixture.odd, ...fixture.beginning]).flat()
      const all = StreamFixture.send(fixture, events, eol)
      const long = Splits.bytes(StreamFixture.whole(all))
      const seen = Splits.bytes(StreamFixture.visible(all))
      for (let seed = 0; seed < 20; seed++) {
        const chunks = Splits.splitRandomly(long, seed, 1 + seed * 60)
        assertRelayed(yield* run(chunks, { together: seed % 2 === 0 }), seen, `seed ${seed}`)
      }
    })
  )

  it.effect("are unchanged without the final blank line", () =>
    Effect.gen(function* () {
      for (const missing of [eol.length, 2 * eol.length]) {
        const short = whole.subarray(0, whole.length - missing)
        for (const offset of [1, 30, short.length - 1, short.length - 10]) {
          const relayed = yield* run(Splits.splitAt(short, [offset]))
          assertRelayed(relayed, expected.subarray(0, expected.length - missing), `without ${missing}`)
        }
      }
    })
  )

  it.effect("are unchanged after the last event, too", () =>
    Effect.gen(function* () {
      for (const more of [eol, `: bye${eol}${eol}`, `event: x${eol}data: 1${eol}${eol}`, "rest without an end"]) {
        const longer = Splits.concat([whole, Splits.bytes(more)])
        const seen = Splits.concat([expected, Splits.bytes(more)])
        for (let offset = whole.length - 3; offset < longer.length; offset++) {
          assertRelayed(yield* run(Splits.splitAt(longer, [offset])), seen, `split at ${offset}`)
        }
      }
    })
  )
})

describe.each(Streams.all)("The bytes of $name", (fixture) => {
  it.effect.each([{ text: "👋" }, { text: "prompt_tokens, " }])(
    "are unchanged around one event of 5 MiB of $text",
    ({ text }) =>
      Effect.gen(function* () {
        const [first = "", ...rest] = fixture.beginning
        const sent = StreamFixture.send(
          fixture,
          [first, fixture.delta(text.repeat(Math.ceil((5 * 1024 * 1024) / Splits.bytes(text).length))), ...rest],
          "\r\n"
        )
        const long = Splits.bytes(StreamFixture.whole(sent))
        const seen = Splits.bytes(StreamFixture.visible(sent))

        assert.isAbove(long.length, 5 * 1024 * 1024)
        for (const chunks of [
          [long],
          Splits.splitRandomly(long, 1, 128 * 1024),
          Splits.splitRandomly(long, 2, 2_000)
        ]) {
          assertRelayed(yield* TestRelay.run(fixture, chunks), seen, "5 MiB")
        }
      })
  )
})
