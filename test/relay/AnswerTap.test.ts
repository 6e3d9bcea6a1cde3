import { assert, describe, it } from "@effect/vitest"
import type { Dialect } from "../../src/dialects/Dialect.ts"
import { AnswerTap, waitingBytes } from "../../src/relay/AnswerTap.ts"
import type { Answer } from "../../src/domain/Usage.ts"
import type { StreamedAnswer } from "../fixtures/AnswerFixture.ts"
import { after, nothing } from "../fixtures/AnswerFixture.ts"
import * as Answers from "../fixtures/Answers.ts"
import * as Splits from "../Splits.ts"

const tapOf = (dialect: Dialect, chunks: ReadonlyArray<Uint8Array>): AnswerTap => {
  const tap = new AnswerTap(dialect)
  for (const chunk of chunks) tap.push(chunk)
  return tap
}

const eventsOf = ({ steps }: StreamedAnswer): ReadonlyArray<string> =>
  steps.map(({ data }) => `event: x\ndata: ${data}\n\n`)

describe("A tap of an answer", () => {
  it.each(Answers.streams)("says what the answer says, however it is split ($name)", (fixture) => {
    const whole = Splits.bytes(eventsOf(fixture).join(""))
    const expected = after(fixture, fixture.steps.length)

    assert.deepStrictEqual(tapOf(fixture.dialect, Splits.oneByOne(whole)).answer(), expected)
    for (let cut = 0; cut <= whole.length; cut++) {
      assert.deepStrictEqual(tapOf(fixture.dialect, Splits.splitAt(whole, [cut])).answer(), expected)
    }
  })

  it.each(Answers.streams)("says what complete events have said, at each byte ($name)", (fixture) => {
    const events = eventsOf(fixture)
    const ends = Splits.boundaries(events)
    const tap = new AnswerTap(fixture.dialect)

    Splits.oneByOne(Splits.bytes(events.join(""))).forEach((byte, index) => {
      tap.push(byte)
      const count = ends.filter((end) => end <= index + 1).length
      assert.deepStrictEqual(tap.answer(), after(fixture, count))
    })
  })

  it.each(Answers.streams)("takes an event without its blank line at the end of the stream ($name)", (fixture) => {
    const whole = eventsOf(fixture).join("").trimEnd()
    const tap = tapOf(fixture.dialect, [Splits.bytes(whole)])

    assert.deepStrictEqual(tap.answer(), after(fixture, fixture.steps.length - 1))
    tap.end()
    assert.deepStrictEqual(tap.answer(), after(fixture, fixture.steps.length))
    const unasked = tapOf(fixture.dialect, [Splits.bytes(whole)])
    unasked.end()
    assert.deepStrictEqual(unasked.answer(), after(fixture, fixture.steps.length))
  })

  it("has nothing to say at first", () => {
    for (const { dialect } of Answers.streams) {
      const tap = new AnswerTap(dialect)
      tap.end()
      assert.deepStrictEqual(tap.answer(), nothing)
    }
  })

  it("reads once more than 256 KiB wait, and not before that", () => {
    const read: Array<string> = []
    const answerReader = () => ({ event: (data: string) => void read.push(data), answer: (): Answer => nothing })
    const first = Splits.bytes(`data: a\n\n:${"x".repeat(waitingBytes - 10)}`)
    const tap = new AnswerTap({ answerReader })

    tap.push(first)
    const before = [...read]
    tap.push(Splits.bytes("\n"))
    tap.push(Splits.bytes("data: b\n\n"))

    assert.strictEqual(first.length, 256 * 1024)
    assert.deepStrictEqual([before, read], [[], ["a"]])
  })
})
