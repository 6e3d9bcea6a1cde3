import { assert, describe, it } from "@effect/vitest"
import * as AnthropicMessages from "../../src/dialects/AnthropicMessages.ts"
import { SseTap } from "../../src/relay/SseTap.ts"
import * as Splits from "./Splits.ts"

const make = () => new SseTap(AnthropicMessages.dialect)

const fed = (...chunks: ReadonlyArray<string>): SseTap => {
  const tap = make()
  for (const chunk of chunks) tap.push(Splits.bytes(chunk))
  return tap
}

/** Where events end, as offsets in the whole, according to a tap that gets these chunks. */
const endsOf = (tap: SseTap, chunks: ReadonlyArray<Uint8Array>): ReadonlyArray<number> => {
  let offset = 0
  return chunks.flatMap((chunk) => {
    const end = tap.push(chunk)
    const absolute = offset + end
    offset += chunk.length
    return end === 0 ? [] : [absolute]
  })
}

describe.each(Splits.lineEnds)("A stream with lines that end in $lineEnd", ({ eol }) => {
  const events = Splits.events(eol)
  const whole = Splits.bytes(events.join(""))
  const boundaries = Splits.boundaries(events)
  const beforeLast = boundaries.at(-2) ?? 0
  // After CRLF CR an event is over; the LF that may follow belongs to it.
  const mayEnd = new Set(boundaries.flatMap((offset) => (eol === "\r\n" ? [offset - 1, offset] : [offset])))

  it("is split by nobody: the whole ends with its last event", () => {
    const tap = make()

    assert.strictEqual(tap.push(whole), whole.length)
    assert.isTrue(tap.sawTerminal)
  })

  it("ends only where an event ends, byte by byte", () => {
    const tap = make()
    const ends = endsOf(
      tap,
      Splits.splitAt(
        whole,
        Array.from({ length: whole.length - 1 }, (_, index) => index + 1)
      )
    )

    assert.deepStrictEqual(
      ends.filter((end) => !mayEnd.has(end)),
      []
    )
    for (const offset of boundaries) assert.include(ends, offset)
    assert.isTrue(tap.sawTerminal)
  })

  it("ends where an event ends for every pair of near splits, and is over exactly with its last event", () => {
    const wrong: Array<string> = []
    for (let first = 1; first < whole.length; first++) {
      for (let second = first; second < Math.min(first + 16, whole.length); second++) {
        const tap = make()
        const early = endsOf(tap, Splits.splitAt(whole.subarray(0, second), [first]))
        if (early.some((end) => !mayEnd.has(end))) wrong.push(`event ends at ${early.join()} of ${first}, ${second}`)
        if (tap.sawTerminal && !mayEnd.has(second)) wrong.push(`over too early with ${first}, ${second}`)
        tap.push(whole.subarray(second))
        if (!tap.sawTerminal) wrong.push(`not over with ${first}, ${second}`)
      }
    }
    assert.deepStrictEqual(wrong, [])
  })

  it("is over without its final blank line, too", () => {
    for (const length of [whole.length - eol.length, whole.length - 2 * eol.length]) {
      const tap = make()
      tap.push(whole.subarray(0, length))
      assert.isFalse(tap.sawTerminal)

      tap.end()

      assert.isTrue(tap.sawTerminal)
    }
  })

  it("is not over without its last event", () => {
    const tap = make()
    tap.push(whole.subarray(0, beforeLast))
    tap.end()

    assert.isFalse(tap.sawTerminal)
  })
})

describe("A stream's last event", () => {
  it.each([
    { behaviour: "named message_stop", chunks: ["event: message_stop\ndata: {}\n\n"] },
    { behaviour: "named error", chunks: ["event: error\ndata: {}\n\n"] },
    { behaviour: "named without a space", chunks: ["event:message_stop\ndata:{}\n\n"] },
    { behaviour: "named after its data", chunks: ["data: {}\nevent: message_stop\n\n"] },
    { behaviour: "without a name, by its type", chunks: [`data: {"type":"message_stop"}\n\n`] },
    { behaviour: "without a name, by its type with blanks", chunks: [`data: { "type" : "error" }\n\n`] },
    { behaviour: "with a comment", chunks: [": x\nevent: message_stop\n: y\ndata: {}\n\n"] },
    { behaviour: "in pieces", chunks: ["e", "vent: mess", "age_stop", "\ndata: {}", "\n", "\n"] }
  ])("is seen when it is $behaviour", ({ chunks }) => {
    assert.isTrue(fed(...chunks).sawTerminal)
  })

  it.each([
    { behaviour: "not complete", chunks: ["event: message_stop\ndata: {}\n"] },
    { behaviour: "named otherwise", chunks: ["event: message_stopped\ndata: {}\n\n"] },
    { behaviour: "of the same length", chunks: ["event: message_stap\ndata: {}\n\n"] },
    { behaviour: "named in other case", chunks: ["event: MESSAGE_STOP\ndata: {}\n\n"] },
    { behaviour: "named in a comment", chunks: [": event: message_stop\n\n"] },
    { behaviour: "named in the data", chunks: ["event: x\ndata: event: message_stop\n\n"] },
    { behaviour: "typed in the data of a named event", chunks: [`event: ping\ndata: {"type":"message_stop"}\n\n`] },
    { behaviour: "named in another event", chunks: ["event: message_stop", "x\n\n", "data: {}\n\n"] }
  ])("is not seen when it is $behaviour", ({ chunks }) => {
    assert.isFalse(fed(...chunks).sawTerminal)
  })
})

/** Counts how many bytes are looked at. */
const counting = (chunk: Uint8Array, count: (bytes: number) => void): Uint8Array =>
  new Proxy(chunk, {
    get: (target, property) => {
      if (typeof property === "string" && /^\d+$/.test(property)) {
        count(1)
        return target[Number(property)]
      }
      switch (property) {
        case "indexOf":
        case "includes":
          return (byte: number, from = 0) => {
            const found = target.indexOf(byte, from)
            count((found < 0 ? target.length : found + 1) - from)
            return property === "indexOf" ? found : found >= 0
          }
        case "subarray":
          return (start: number, end: number) => {
            count(end - start)
            return target.subarray(start, end)
          }
        case "length":
          return target.length
        default:
          throw new Error(`not counted: ${String(property)}`)
      }
    }
  })

const looks = (chunks: ReadonlyArray<Uint8Array>): number => {
  let count = 0
  const tap = make()
  for (const chunk of chunks) tap.push(counting(chunk, (bytes) => (count += bytes)))
  return count
}

const line = (eol: string) => `event: x${eol}data: {"text":"hello hello hello"}${eol}${eol}`

describe("The work of a tap", () => {
  it.each([
    { behaviour: "one long line", content: `data: ${"x".repeat(20_000)}` },
    { behaviour: "short LF lines", content: line("\n").repeat(400) },
    { behaviour: "short CRLF lines", content: line("\r\n").repeat(400) },
    { behaviour: "short CR lines", content: line("\r").repeat(400) },
    { behaviour: "blank lines", content: "\n".repeat(20_000) },
    { behaviour: "a long line after a CR", content: `\rdata: ${"x".repeat(20_000)}` }
  ])("is a few looks at each byte of $behaviour, however they are split", ({ content }) => {
    const whole = Splits.bytes(content)

    for (const size of [1, 7, 100, 1_000, whole.length]) {
      const offsets = Array.from({ length: Math.ceil(whole.length / size) - 1 }, (_, index) => (index + 1) * size)
      const count = looks(Splits.splitAt(whole, offsets))
      assert.isAbove(count, whole.length / 2)
      assert.isBelow(count, whole.length * 4)
    }
  })
})
