/** Bedrock's streams (`application/vnd.amazon.eventstream`): each frame holds one of Anthropic's events, in base64 in JSON. */
import { fromBase64, fromUtf8, toUtf8 } from "@smithy/core/serde"
import { EventStreamCodec } from "@smithy/eventstream-codec"
import * as Result from "effect/Result"
import * as Bytes from "../../domain/Bytes.ts"
import * as Json from "../../domain/Json.ts"
import type { Decoded, EventDecoder } from "../Translation.ts"
import * as Exceptions from "./Exceptions.ts"

/**
 * Gives each event as a server-sent one, its data byte for byte, and an exception as Anthropic's error event. A frame with a
 * wrong length or checksum, or with anything unexpected in it, breaks the stream.
 */
export const make = (): EventDecoder => new FrameReader()

// A frame: its length, the length of its headers, the checksum of both, headers, payload, the checksum of all. 4 bytes each.
const lengthBytes = 4
const shortestFrame = 16
const longestFrame = 24 * 1024 * 1024

class FrameReader implements EventDecoder {
  // What has come of the frame under way, and how much must have come to go on with it.
  private pieces: Array<Uint8Array> = []
  private length = 0
  private wanted = 0
  private isOver = false

  push(chunk: Uint8Array): Decoded {
    this.pieces.push(chunk)
    this.length += chunk.length
    if (this.length < this.wanted) return nothing
    return this.read(Bytes.join(this.pieces))
  }

  private read(bytes: Uint8Array): Decoded {
    const events: Array<Uint8Array> = []
    let at = 0
    let frame = lengthBytes
    while (at + lengthBytes <= bytes.length) {
      frame = lengthAt(bytes, at)
      if (frame < shortestFrame || frame > longestFrame) return { events, isBroken: true }
      if (at + frame > bytes.length) break
      const event = eventOf(bytes.subarray(at, at + frame))
      if (event === undefined) return { events, isBroken: true }
      // What comes after the last event is not the client's any more.
      if (event.length > 0 && !this.isOver) events.push(event)
      this.isOver ||= isLast(event)
      at += frame
      frame = lengthBytes
    }
    this.pieces = at < bytes.length ? [bytes.subarray(at)] : []
    this.length = bytes.length - at
    this.wanted = frame
    return { events, isBroken: false }
  }
}

const nothing: Decoded = { events: [], isBroken: false }

const lengthAt = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset + at, lengthBytes).getUint32(0)

const codec = new EventStreamCodec(toUtf8, fromUtf8)

type Headers = ReturnType<EventStreamCodec["decode"]>["headers"]

const noEvent = new Uint8Array(0)

// The event of a frame: `noEvent` if it has none for the client, `undefined` if it is broken.
const eventOf = (frame: Uint8Array): Uint8Array | undefined => {
  const message = Result.getOrUndefined(Result.try(() => codec.decode(frame)))
  if (message === undefined) return undefined
  const { headers, body } = message
  switch (header(headers, ":message-type")) {
    case "event": {
      const type = header(headers, ":event-type")
      if (type === undefined) return undefined
      return type === "chunk" ? chunkEvent(body) : noEvent
    }
    case "exception":
      return errorEvent(header(headers, ":exception-type"), Json.member(Json.parse(toUtf8(body)), "message"))
    case "error":
      return errorEvent(header(headers, ":error-code"), header(headers, ":error-message"))
    default:
      return undefined
  }
}

const header = (headers: Headers, name: string): string | undefined => {
  const found = headers[name]
  return found?.type === "string" ? found.value : undefined
}

// `{"bytes":"<base64>","p":"<padding against guesses by length>"}`
const chunkEvent = (body: Uint8Array): Uint8Array | undefined => {
  const base64 = Json.member(Json.parse(toUtf8(body)), "bytes")
  if (typeof base64 !== "string") return undefined
  const data = Result.getOrUndefined(Result.try(() => fromBase64(base64)))
  if (data === undefined) return undefined
  const hasLineBreaks = data.includes(lineFeed) || data.includes(carriageReturn)
  const type = (hasLineBreaks ? undefined : typeAtHead(data)) ?? Json.member(Json.parse(toUtf8(data)), "type")
  if (typeof type !== "string" || !/^\w+$/.test(type)) return undefined
  return sse(type, hasLineBreaks ? onOneLine(data) : data)
}

const errorEvent = (exception: string | undefined, message: unknown): Uint8Array => {
  const text =
    typeof message === "string" && message !== "" ? message : `the stream ended with ${exception ?? "an error"}`
  return sse("error", fromUtf8(Exceptions.toError(exception, text, 500).json))
}

const sse = (type: string, data: Uint8Array): Uint8Array => {
  const head = fromUtf8(`event: ${type}\ndata: `)
  const event = new Uint8Array(head.length + data.length + 2)
  event.set(head)
  event.set(data, head.length)
  event.fill(lineFeed, head.length + data.length)
  return event
}

// Where it stands in nearly all events; else the whole JSON must be parsed.
const typeAtHead = (json: Uint8Array): string | undefined =>
  /^\{\s*"type"\s*:\s*"(\w+)"/.exec(toUtf8(json.subarray(0, 80)))?.[1]

const isLast = (event: Uint8Array): boolean => lastEvent.every((byte, index) => event[index] === byte)

const lastEvent = fromUtf8("event: message_stop\n")

const lineFeed = 0x0a
const carriageReturn = 0x0d
const space = 0x20

// In JSON a raw line break can only be white space, and so can a space in its place.
const onOneLine = (json: Uint8Array): Uint8Array =>
  json.map((byte) => (byte === lineFeed || byte === carriageReturn ? space : byte))
