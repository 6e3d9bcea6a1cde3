import { assert, describe, it } from "@effect/vitest"
import { EventGate } from "../../src/relay/EventGate.ts"
import { SseTap } from "../../src/relay/SseTap.ts"
import * as OpenAiChatStream from "../fixtures/OpenAiChatStream.ts"
import type { StreamFixture } from "../fixtures/StreamFixture.ts"
import * as Streams from "../fixtures/Streams.ts"
import * as CountedBytes from "./CountedBytes.ts"
import * as Splits from "../Splits.ts"
import * as Table from "../Table.ts"

const looks = ({ dialect }: StreamFixture, chunks: ReadonlyArray<Uint8Array>): number => {
  let count = 0
  const tap = new SseTap(dialect)
  for (const chunk of chunks) tap.push(CountedBytes.counting(chunk, (bytes) => (count += bytes)))
  return count
}

const line = (eol: string) => `event: x${eol}data: {"text":"hello hello hello"}${eol}${eol}`

const contents = [
  { behaviour: "one long line", content: `data: ${"x".repeat(3_000)}` },
  { behaviour: "one long name", content: `event: ${"x".repeat(3_000)}` },
  { behaviour: "one long comment", content: `: ${"x".repeat(3_000)}` },
  { behaviour: "many lines of one event", content: `data: ${"x".repeat(30)}\n`.repeat(200) },
  { behaviour: "short LF lines", content: line("\n").repeat(60) },
  { behaviour: "short CRLF lines", content: line("\r\n").repeat(60) },
  { behaviour: "short CR lines", content: line("\r").repeat(60) },
  { behaviour: "blank lines", content: "\n".repeat(3_000) },
  { behaviour: "a long line after a CR", content: `\rdata: ${"x".repeat(3_000)}` }
]

describe.each(Streams.all)("The work of a tap on $name", (fixture) => {
  it.each([...contents, { behaviour: "documented events", content: fixture.beginning.join("").repeat(3) }])(
    "is a few looks at each byte of $behaviour, however they are split",
    ({ content }) => {
      const whole = Splits.bytes(content)

      for (const size of [1, 7, 100, 1_000, whole.length]) {
        const count = looks(fixture, Splits.inPieces(whole, size))
        assert.isAbove(count, whole.length / 2)
        assert.isBelow(count, whole.length * 4)
      }
    }
  )
})

/** The steps of letting these chunks pass, the tap's own looks aside. */
const steps = ({ dialect, omitted }: StreamFixture, chunks: ReadonlyArray<Uint8Array>): number => {
  const gate = new EventGate(new SseTap(dialect), omitted)
  return CountedBytes.during(() => {
    for (const chunk of chunks) gate.pass([chunk])
  })
}

const { unasked, usage } = OpenAiChatStream
const marker = unasked.omitted?.marker ?? ""
const first = marker.slice(0, 1)

const chats = [
  { behaviour: "text", event: unasked.delta(`a proper text with ${marker.slice(0, -1)} in it`) },
  { behaviour: "text that looks like usage", event: unasked.delta(`"prompt_tokens"`) },
  { behaviour: "nothing but the letter that the search begins with", event: unasked.delta(first.repeat(200)) },
  { behaviour: "usage on every event", event: usage.replace(`"choices":[]`, `"choices":[{}]`) },
  { behaviour: "usage alone", event: usage },
  { behaviour: "comments", event: ": keep-alive\n\n" },
  { behaviour: "events of 60 KiB", event: unasked.delta("prompt_tokens ".repeat(4_300)) }
]

const bytes = 65_000

describe("The work of taking an event out", () => {
  it.each(Table.times(chats, [{ size: 1 }, { size: 10 }, { size: 1_000 }, { size: bytes }]))(
    "is a few steps for each byte of $behaviour in chunks of $size bytes",
    ({ event, size }) => {
      const whole = Splits.bytes(event.repeat(Math.ceil(bytes / event.length)))

      assert.isBelow(steps(unasked, Splits.inPieces(whole, size)), whole.length * 4)
    }
  )

  it.each([{ size: 100 }, { size: 1_000 }, { size: 64_000 }])(
    "is none for an event of 5 MiB that is too large to be held, in chunks of $size bytes",
    ({ size }) => {
      const whole = Splits.bytes(unasked.delta(first.repeat(5 * 1024 * 1024)))

      assert.isBelow(steps(unasked, Splits.inPieces(whole, size)), 200_000)
    }
  )

  it("is none at all where no event is to be taken out", () => {
    const whole = Splits.bytes(usage.repeat(1_000))

    assert.strictEqual(steps(OpenAiChatStream.fixture, Splits.inPieces(whole, 100)), 0)
  })
})
