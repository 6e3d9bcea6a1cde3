import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Splits from "./Splits.ts"
import * as TestRelay from "./TestRelay.ts"

/** The same bytes out, and one end that is a complete one. */
const assertUnchanged = (relayed: TestRelay.Relayed, whole: Uint8Array, split: string): void => {
  if (Buffer.compare(relayed.bytes, whole) !== 0) assert.strictEqual(Splits.text(relayed.bytes), Splits.text(whole))
  assert.deepStrictEqual(relayed.ends, ["complete"], split)
}

describe.each(Splits.lineEnds)("The bytes of a stream with lines that end in $lineEnd", ({ eol }) => {
  const whole = Splits.bytes(Splits.events(eol).join(""))

  it.effect("are unchanged for every place to split them", () =>
    Effect.gen(function* () {
      for (let offset = 1; offset < whole.length; offset++) {
        assertUnchanged(yield* TestRelay.run(Splits.splitAt(whole, [offset])), whole, `split at ${offset}`)
      }
    })
  )

  it.effect.each([{ together: true }, { together: false }])(
    "are unchanged when they come one by one (together: $together)",
    (options) =>
      Effect.gen(function* () {
        const offsets = Array.from({ length: whole.length - 1 }, (_, index) => index + 1)

        assertUnchanged(yield* TestRelay.run(Splits.splitAt(whole, offsets), options), whole, "bytes")
      })
  )

  it.effect("are unchanged for random splits of a long one", () =>
    Effect.gen(function* () {
      const all = Splits.events(eol)
      const last = all.at(-1) ?? ""
      const long = Splits.bytes(Array.from({ length: 40 }, () => all.slice(0, -1).join("")).join("") + last)
      for (let seed = 0; seed < 60; seed++) {
        const chunks = Splits.splitRandomly(long, seed, 1 + seed * 20)
        assertUnchanged(yield* TestRelay.run(chunks, { together: seed % 2 === 0 }), long, `seed ${seed}`)
      }
    })
  )

  it.effect("are unchanged around one event of 5 MiB", () =>
    Effect.gen(function* () {
      const large = `event: content_block_delta${eol}data: ${"ü".repeat((5 * 1024 * 1024) / 2)}${eol}${eol}`
      const [first = "", ...rest] = Splits.events(eol)
      const long = Splits.bytes([first, large, ...rest].join(""))

      for (const chunks of [[long], Splits.splitRandomly(long, 1, 128 * 1024), Splits.splitRandomly(long, 2, 2_000)]) {
        assertUnchanged(yield* TestRelay.run(chunks), long, "5 MiB")
      }
    })
  )

  it.effect("are unchanged without the final blank line", () =>
    Effect.gen(function* () {
      for (const missing of [eol.length, 2 * eol.length]) {
        const short = whole.subarray(0, whole.length - missing)
        for (const offset of [1, 30, short.length - 1, short.length - 10]) {
          assertUnchanged(yield* TestRelay.run(Splits.splitAt(short, [offset])), short, `without ${missing}`)
        }
      }
    })
  )

  it.effect("are unchanged after the last event, too", () =>
    Effect.gen(function* () {
      for (const more of [eol, `: bye${eol}${eol}`, `event: x${eol}data: 1${eol}${eol}`, "rest without an end"]) {
        const longer = Splits.concat([whole, Splits.bytes(more)])
        for (let offset = whole.length - 3; offset < longer.length; offset++) {
          assertUnchanged(yield* TestRelay.run(Splits.splitAt(longer, [offset])), longer, `split at ${offset}`)
        }
      }
    })
  )
})
