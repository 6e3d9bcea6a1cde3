import { assert, describe, it } from "@effect/vitest"
import { fromUtf8, toUtf8 } from "@smithy/core/serde"
import { EventStreamCodec } from "@smithy/eventstream-codec"
import * as EventStream from "../../../src/providers/bedrock/EventStream.ts"
import type { Decoded } from "../../../src/providers/Translation.ts"
import * as Splits from "../../Splits.ts"

const codec = new EventStreamCodec(toUtf8, fromUtf8)

const frame = (headers: Readonly<Record<string, string>>, payload: string) => {
  const typed = Object.entries(headers).map(([name, value]) => [name, { type: "string" as const, value }])
  return codec.encode({ headers: Object.fromEntries(typed), body: Splits.bytes(payload) })
}

const base64 = (json: string) => Buffer.from(json).toString("base64")

const payload = (json: string) => `{"bytes":"${base64(json)}","p":"abcdefghij"}`

const chunkHeaders = { ":event-type": "chunk", ":content-type": "application/json", ":message-type": "event" }

const chunk = (json: string) => frame(chunkHeaders, payload(json))

const exception = (type: string, body: string) =>
  frame({ ":exception-type": type, ":content-type": "application/json", ":message-type": "exception" }, body)

const sse = (type: string, data: string) => `event: ${type}\ndata: ${data}\n\n`

const error = (type: string, message: string) =>
  sse("error", JSON.stringify({ type: "error", error: { type, message } }))

/** What a decoder gives for these chunks: all its text, and whether it broke, with nothing pushed after that. */
const decode = (chunks: ReadonlyArray<Uint8Array>) => {
  const decoder = EventStream.make()
  const answers: Array<Decoded> = []
  for (const bytes of chunks) {
    const decoded = decoder.push(bytes)
    answers.push(decoded)
    if (decoded.isBroken) break
  }
  const events = answers.flatMap((decoded) => decoded.events)
  return { text: Splits.text(Splits.concat(events)), isBroken: answers.some((decoded) => decoded.isBroken) }
}

const good = (text: string) => ({ text, isBroken: false })
const broken = (text = "") => ({ text, isBroken: true })

const delta = `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"grüße 👋 \\n"}}`
const stop = `{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":9}}`

/** A header that is a text, as it is in a frame. */
const text = (name: string, value: string) => [
  name.length,
  ...Splits.bytes(name),
  7,
  0,
  value.length,
  ...Splits.bytes(value)
]

describe("A frame of Bedrock's", () => {
  it.each([
    { json: delta, type: "content_block_delta" },
    { json: stop, type: "message_stop" },
    { json: `{"type":"ping"}`, type: "ping" },
    { json: ` { "type" : "ping" , "big":12345678901234567890.0 } `, type: "ping" },
    { json: `{"index":0,"type":"content_block_stop"}`, type: "content_block_stop" },
    { json: `{"delta":{"type":"no"},"type":"message_delta"}`, type: "message_delta" },
    { json: `{"long":"${"x".repeat(100_000)}","type":"ping"}`, type: "ping" },
    { json: `{"type":"${"x".repeat(90)}"}`, type: "x".repeat(90) },
    { json: `{"a":"\u2028\u0085","type":"ping"}`, type: "ping" },
    { json: `{"type":"error","error":{"type":"overloaded_error","message":"m"}}`, type: "error" }
  ])("is the event $type, its JSON byte for byte", ({ json, type }) => {
    assert.deepStrictEqual(decode([chunk(json)]), good(sse(type, json)))
  })

  it.each([
    { json: `{"type":"ping",\n"a":[1,\r\n2]}\r`, line: `{"type":"ping", "a":[1,  2]} ` },
    { json: `\n{\n"type":"ping"}`, line: ` { "type":"ping"}` },
    { json: `{"a":1,\r"type":"ping"}`, line: `{"a":1, "type":"ping"}` }
  ])("is one line if its JSON has several: $line", ({ json, line }) => {
    assert.deepStrictEqual(decode([chunk(json)]), good(sse("ping", line)))
  })

  it("holds bytes that are no UTF-8 as they are", () => {
    const bytes = Uint8Array.from([...Splits.bytes(`{"type":"ping","a":"`), 0xff, 0xfe, 0x80, ...Splits.bytes(`"}`)])
    const body = `{"bytes":"${Buffer.from(bytes).toString("base64")}"}`

    const { events } = EventStream.make().push(frame(chunkHeaders, body))

    assert.deepStrictEqual(
      Splits.concat(events),
      Splits.concat([Splits.bytes("event: ping\ndata: "), bytes, Splits.bytes("\n\n")])
    )
  })

  it("is read as AWS specifies it, byte by byte", () => {
    const isOk = [2, 0x6f, 0x6b, 0]
    const sentAt = [2, 0x61, 0x74, 8, 0, 0, 1, 0x8f, 0xcd, 0x6e, 0x50, 0x00]
    const headers = [
      ...text(":event-type", "chunk"),
      ...isOk,
      ...text(":content-type", "application/json"),
      ...sentAt,
      ...text(":message-type", "event")
    ]
    const body = Splits.bytes(`{"bytes":"eyJ0eXBlIjoicGluZyJ9"}`)
    const length = 16 + headers.length + body.length
    const prelude = [...uint32(length), ...uint32(headers.length)]
    const start = Uint8Array.from([...prelude, ...uint32(crc32(prelude)), ...headers, ...body])
    const bytes = Uint8Array.from([...start, ...uint32(crc32(start))])

    assert.deepStrictEqual(decode([bytes]), good(sse("ping", `{"type":"ping"}`)))
  })

  it.each([
    { name: "another event", headers: { ":message-type": "event", ":event-type": "initial-response" } },
    { name: "an event of the future", headers: { ":message-type": "event", ":event-type": "metrics" } }
  ])("gives nothing if it is $name", ({ headers }) => {
    const decoder = EventStream.make()

    assert.deepStrictEqual(decoder.push(frame(headers, "{}")), { events: [], isBroken: false })
    assert.deepStrictEqual(decoder.push(chunk(delta)).events.map(Splits.text), [sse("content_block_delta", delta)])
  })

  it.each([
    { type: "throttlingException", as: "rate_limit_error" },
    { type: "modelStreamErrorException", as: "api_error" },
    { type: "internalServerException", as: "api_error" },
    { type: "validationException", as: "invalid_request_error" },
    { type: "modelTimeoutException", as: "timeout_error" },
    { type: "serviceUnavailableException", as: "overloaded_error" },
    { type: "somethingNewException", as: "api_error" }
  ])("is an error event of type $as if it is a $type", ({ type, as }) => {
    const bytes = exception(type, `{"message":"a\\n\\"b\\"","originalStatusCode":400}`)

    assert.deepStrictEqual(decode([bytes]), good(error(as, `a\n"b"`)))
  })

  it.each([{ body: "" }, { body: "{}" }, { body: "no JSON" }, { body: `{"message":""}` }, { body: `{"message":1}` }])(
    "is an error event even if the exception says only '$body'",
    ({ body }) => {
      const event = error("rate_limit_error", "the stream ended with throttlingException")

      assert.deepStrictEqual(decode([exception("throttlingException", body)]), good(event))
    }
  )

  it.each([
    {
      name: "with code and message",
      headers: { ":error-code": "ThrottlingException", ":error-message": "why" },
      event: error("rate_limit_error", "why")
    },
    {
      name: "with an unknown code",
      headers: { ":error-code": "500", ":error-message": "why" },
      event: error("api_error", "why")
    },
    { name: "without anything", headers: {}, event: error("api_error", "the stream ended with an error") }
  ])("is an error event if it is an error $name", ({ headers, event }) => {
    assert.deepStrictEqual(decode([frame({ ":message-type": "error", ...headers }, "")]), good(event))
  })

  it.each([
    { name: "no JSON", body: "bytes" },
    { name: "an empty payload", body: "" },
    { name: "no bytes", body: `{"p":"a"}` },
    { name: "bytes that are no text", body: `{"bytes":1}` },
    { name: "bytes that are no base64", body: `{"bytes":"eyJ0eXBlIjoicGluZy*9"}` },
    { name: "base64 that is cut", body: `{"bytes":"eyJ0eXBlIjoicGluZyJ"}` },
    { name: "empty bytes", body: `{"bytes":""}` },
    { name: "bytes without JSON", body: payload("ping") },
    { name: "a type without JSON", body: payload(`"type":"ping"`) },
    { name: "JSON that is no object", body: payload(`["type","ping"]`) },
    { name: "JSON without a type", body: payload(`{"a":{"type":"ping"}}`) },
    { name: "a type that is no text", body: payload(`{"type":1}`) },
    { name: "an empty type", body: payload(`{"type":""}`) },
    { name: "a type that would end its line", body: payload(`{"type":"a\\ndata: b"}`) },
    { name: "a line break in a text", body: payload(`{"type":"ping","a":"\n"}`) }
  ])("breaks the stream if it holds $name", ({ body }) => {
    assert.deepStrictEqual(decode([frame(chunkHeaders, body)]), broken())
  })

  it.each([
    { name: "no type at all", headers: {} },
    { name: "no message type", headers: { ":event-type": "chunk" } },
    { name: "no event type", headers: { ":message-type": "event" } },
    { name: "an unknown message type", headers: { ":message-type": "note", ":event-type": "chunk" } }
  ])("breaks the stream if it has $name", ({ headers }) => {
    assert.deepStrictEqual(decode([frame(headers, payload(delta))]), broken())
  })
})

describe("A stream of Bedrock's", () => {
  const events = [
    `{"type":"message_start","message":{"id":"m"}}`,
    delta,
    `{"index":0,"type":"content_block_stop"}`
  ].map((json) => ({ frame: chunk(json), text: sse(JSON.parse(json).type, json) }))
  const ignored = frame({ ":message-type": "event", ":event-type": "other" }, "{}")
  const frames = [
    ...events.map((event) => event.frame),
    ignored,
    exception("validationException", `{"message":"m"}`),
    chunk(stop)
  ]
  const whole = Splits.concat(frames)
  const all =
    events.map((event) => event.text).join("") + error("invalid_request_error", "m") + sse("message_stop", stop)

  it("gives all its events from one chunk", () => {
    assert.deepStrictEqual(decode([whole]), good(all))
  })

  it("gives the same wherever it is split in two", () => {
    for (let at = 0; at <= whole.length; at++) assert.deepStrictEqual(decode(Splits.splitAt(whole, [at])), good(all))
  })

  it("gives the same byte by byte, with empty chunks between", () => {
    const chunks = Splits.oneByOne(whole).flatMap((byte) => [new Uint8Array(0), byte])

    assert.deepStrictEqual(decode(chunks), good(all))
  })

  it.each([3, 20, 300, 2000])("gives the same in random pieces of up to %i bytes", (largest) => {
    for (let seed = 0; seed < 50; seed++) {
      assert.deepStrictEqual(decode(Splits.splitRandomly(whole, seed, largest)), good(all))
    }
  })

  it("gives each event with the chunk that completes it", () => {
    const decoder = EventStream.make()
    const [first, second] = [chunk(delta), chunk(stop)]

    const given = [first.subarray(0, -1), first.subarray(-1), second].map((bytes) =>
      decoder.push(bytes).events.map(Splits.text)
    )

    assert.deepStrictEqual(given, [[], [sse("content_block_delta", delta)], [sse("message_stop", stop)]])
  })

  it("gives nothing of a frame that is cut, and waits", () => {
    const next = chunk(stop)

    for (let length = 1; length < next.length; length++) {
      assert.deepStrictEqual(
        decode([Splits.concat([chunk(delta), next.subarray(0, length)])]),
        good(sse("content_block_delta", delta))
      )
    }
  })

  it("never gives wrong data if a byte is wrong: it breaks, or waits if the frame seems to be longer", () => {
    const [before, wrong, after] = [chunk(delta), chunk(`{"type":"ping"}`), chunk(stop)]
    const start = sse("content_block_delta", delta)

    for (let at = 0; at < wrong.length; at++) {
      for (const flipped of [0x01, 0x20, 0x80, 0xff]) {
        const bad = wrong.map((byte, index) => (index === at ? byte ^ flipped : byte))
        const decoded = decode([Splits.concat([before, bad, after])])
        assert.strictEqual(decoded.text, start)
        assert.strictEqual(decoded.isBroken || at < 4, true, `${at}`)
      }
    }
  })

  it.each([
    { length: 0, isBroken: true },
    { length: 15, isBroken: true },
    { length: 24 * 1024 * 1024, isBroken: false },
    { length: 24 * 1024 * 1024 + 1, isBroken: true },
    { length: 0xffffffff, isBroken: true }
  ])("says at once whether a frame of $length bytes can be: broken is $isBroken", ({ length, isBroken }) => {
    const chunks = [chunk(delta), Uint8Array.from(uint32(length))]

    assert.deepStrictEqual(decode(chunks), { text: sse("content_block_delta", delta), isBroken })
  })

  it("takes a large event in small pieces", () => {
    const json = `{"type":"ping","a":"${"x".repeat(2_000_000)}"}`

    assert.deepStrictEqual(decode(Splits.inPieces(chunk(json), 1400)), good(sse("ping", json)))
  })
})

const uint32 = (value: number): ReadonlyArray<number> => [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff)

/** The checksum of gzip and PNG (ISO 3309), bit by bit. */
const crc32 = (bytes: Iterable<number>): number => {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}
