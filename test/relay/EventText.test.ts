import { assert, describe, it } from "@effect/vitest"
import { EventText, maximumLine } from "../../src/relay/EventText.ts"
import * as Streams from "../fixtures/Streams.ts"
import * as Splits from "../Splits.ts"
import * as Table from "../Table.ts"

interface Event {
  readonly name: string
  readonly data: string
}

const read = (chunks: ReadonlyArray<Uint8Array>, isOver = true): ReadonlyArray<Event> => {
  const events: Array<Event> = []
  const reader = new EventText((name, data) => events.push({ name, data }))
  for (const chunk of chunks) reader.push(chunk)
  if (isOver) reader.end()
  return events
}

const event = (data: string, name = ""): Event => ({ name, data })

/** The events of a stream with LF only, in the simplest way. */
const plainly = (stream: string): ReadonlyArray<Event> =>
  stream.split("\n\n").flatMap((lines) => {
    const values = (field: string) =>
      lines.split("\n").flatMap((line) => {
        const [, value] = new RegExp(`^${field}(?:$|: ?(.*))`).exec(line) ?? []
        return new RegExp(`^${field}(?:$|:)`).test(line) ? [value ?? ""] : []
      })
    const data = values("data")
    return data.length === 0 ? [] : [event(data.join("\n"), values("event").at(-1) ?? "")]
  })

const rules = [
  { stream: "data: a\n\n", events: [event("a")] },
  { stream: "data:a\n\n", events: [event("a")] },
  { stream: "data:  a \n\n", events: [event(" a ")] },
  { stream: "data: a\ndata: b\ndata:\ndata\n\n", events: [event("a\nb\n\n")] },
  { stream: "data\n\n", events: [event("")] },
  { stream: "data:\n\ndata: b\n\n", events: [event(""), event("b")] },
  { stream: "event: x\ndata: a\n\ndata: b\n\n", events: [event("a", "x"), event("b")] },
  { stream: "data: a\nevent: x\nevent:y\n\n", events: [event("a", "y")] },
  { stream: "event: x\neventual: y\ndata: a\n\n", events: [event("a", "x")] },
  { stream: "event: x\n\ndata: a\n\n", events: [event("a")] },
  { stream: ": data: a\n\n:\n\n", events: [] },
  { stream: "id: 1\nretry: 5\ndata: a\nunknown\n: comment\n\n", events: [event("a")] },
  { stream: "data2: b\ndatas\neventual: x\nDATA: c\n data: d\n\n", events: [] },
  { stream: "\ufeffdata: a\n\n", events: [event("a")] },
  { stream: "data: a: b\n\n", events: [event("a: b")] },
  { stream: "\n\n\n", events: [] },
  { stream: "", events: [] },
  { stream: "data: Grüße 世界 👋\n\n", events: [event("Grüße 世界 👋")] }
]

describe("Events as text", () => {
  it.each(Table.times(rules, Splits.lineEnds))("follow the format: $stream ($lineEnd)", ({ stream, events, eol }) => {
    const whole = Splits.bytes(stream.replaceAll("\n", eol))

    assert.deepStrictEqual(read([whole]), events)
    assert.deepStrictEqual(read(Splits.oneByOne(whole)), events)
  })

  it.each([
    { lineEnd: "\r\n\n" },
    { lineEnd: "\r\r\n" },
    { lineEnd: "\n\r" },
    { lineEnd: "\n\r\n" },
    { lineEnd: "\r\n\r" }
  ])("end with a blank line even where line ends are mixed: $lineEnd", ({ lineEnd }) => {
    const whole = Splits.bytes(`data: a${lineEnd}data: b${lineEnd}`)

    assert.deepStrictEqual(read([whole]), [event("a"), event("b")])
    assert.deepStrictEqual(read(Splits.oneByOne(whole)), [event("a"), event("b")])
  })

  it("are one for CRLF, which is no blank line, however it is split", () => {
    const whole = Splits.bytes("data: a\r\ndata: b\r\n\r\n")
    for (let cut = 0; cut <= whole.length; cut++) {
      assert.deepStrictEqual(read(Splits.splitAt(whole, [cut])), [event("a\nb")])
      assert.deepStrictEqual(read([whole.subarray(0, cut), new Uint8Array(0), whole.subarray(cut)]), [event("a\nb")])
    }
  })

  it.each(Table.times(Streams.all, Splits.lineEnds))(
    "are all that a stream has, at any split ($name, $lineEnd)",
    (row) => {
      const { beginning, odd, ends, eol } = row
      const stream = [...beginning, ...odd, ...ends].join("")
      const expected = plainly(stream)
      const whole = Splits.bytes(stream.replaceAll("\n", eol))

      assert.isAbove(expected.length, 10)
      for (let cut = 0; cut <= whole.length; cut++) {
        assert.deepStrictEqual(read(Splits.splitAt(whole, [cut])), expected)
      }
      for (let seed = 0; seed < 50; seed++) {
        assert.deepStrictEqual(read(Splits.splitRandomly(whole, seed, 20)), expected)
      }
    }
  )

  it.each(Table.times(Streams.all, [{ seed: 1 }, { seed: 2 }, { seed: 3 }]))(
    "are the same with mixed line ends ($name, seed $seed)",
    ({ beginning, odd, seed }) => {
      const events = [...beginning, ...odd]
      const whole = Splits.bytes(Splits.withMixedEnds(events, seed).join(""))

      assert.deepStrictEqual(read([whole]), plainly(events.join("")))
      assert.deepStrictEqual(read(Splits.oneByOne(whole)), plainly(events.join("")))
    }
  )

  it.each([
    { stream: "data: a\n\ndata: b", last: "b" },
    { stream: "data: a\n\ndata: b\n", last: "b" },
    { stream: "data: a\n\ndata: b\r", last: "b" },
    { stream: "data: a\n\ndata: b\nda", last: "b" },
    { stream: "data: a\n\ndata", last: "" }
  ])("end with their blank line, or with the stream: $stream", ({ stream, last }) => {
    const whole = Splits.bytes(stream)

    assert.deepStrictEqual(read([whole], false), [event("a")])
    assert.deepStrictEqual(read([whole]), [event("a"), event(last)])
  })

  it("hold what is no UTF-8 as replacement characters, at the end, too", () => {
    const whole = new Uint8Array([...Splits.bytes("data: a"), 0xff, ...Splits.bytes("b\n\ndata: c"), 0xf0, 0x9f])

    assert.deepStrictEqual(read([whole]), [event("a\ufffdb"), event("c\ufffd")])
    assert.deepStrictEqual(read(Splits.oneByOne(whole)), [event("a\ufffdb"), event("c\ufffd")])
  })
})

describe("A line over 8 MiB", () => {
  const long = "a".repeat(maximumLine + 250_000)

  it.each([
    { chunks: "whole", size: Number.MAX_SAFE_INTEGER },
    { chunks: "in pieces", size: 100_000 }
  ])("takes its event with it if it is data, and no other ($chunks)", ({ size }) => {
    const whole = Splits.bytes(`data: a\n\ndata: b\ndata: ${long}\ndata: c\n\ndata: d\n\n`)

    assert.deepStrictEqual(read(Splits.inPieces(whole, Math.min(size, whole.length))), [event("a"), event("d")])
  })

  it("is nothing if it is a comment", () => {
    const whole = Splits.bytes(`data: a\n:${long}\n\ndata: d\n\n`)

    assert.deepStrictEqual(read(Splits.inPieces(whole, 100_000)), [event("a"), event("d")])
  })

  it("is too much for one event in several lines, too, but 8 MiB are not", () => {
    const half = "b".repeat(maximumLine / 2)
    const whole = Splits.bytes(`data: ${half}\ndata: ${half}\n\ndata: ${half}\ndata: ${half}b\n\ndata: d\n\n`)

    const lengths = read(Splits.inPieces(whole, 100_000)).map(({ data }) => data.length)

    assert.deepStrictEqual(lengths, [maximumLine + 1, 1])
  })
})
