/** Server-sent events as bytes (WHATWG HTML, "Server-sent events"): lines end in LF, CRLF or CR, and a blank one ends an event. */
import * as Bytes from "./Bytes.ts"

/** The data lines of one whole event, with line feeds between; empty if it has none. */
export const dataOf = (event: Uint8Array): string =>
  decoder
    .decode(event)
    .split(/\r\n|\r|\n/)
    .flatMap((line) => (line.startsWith("data:") ? [line.slice(line[5] === " " ? 6 : 5)] : []))
    .join("\n")

const decoder = new TextDecoder()

/** Cuts the chunks of one stream, split anywhere, into its events. */
export class EventSplitter {
  private rest: Uint8Array = new Uint8Array(0)
  // How much of the rest has no event's end in it.
  private read = 0

  /** The events that are complete now, each with its final blank line. */
  push(chunk: Uint8Array): ReadonlyArray<Uint8Array> {
    const bytes = this.rest.length === 0 ? chunk : Bytes.join([this.rest, chunk])
    const events: Array<Uint8Array> = []
    let start = 0
    let line = this.read
    for (let at = line; at < bytes.length; at++) {
      const byte = bytes[at]
      if (byte !== lineFeed && byte !== carriageReturn) continue
      const isBlank = at === line
      if (byte === carriageReturn) {
        // Whether it is the first half of a CRLF is known with the next byte.
        if (at + 1 === bytes.length) break
        if (bytes[at + 1] === lineFeed) at++
      }
      line = at + 1
      if (!isBlank) continue
      events.push(bytes.subarray(start, line))
      start = line
    }
    this.rest = bytes.subarray(start)
    this.read = line - start
    return events
  }

  /** What is left when the stream is over: part of an event, mostly nothing. */
  end(): Uint8Array {
    const { rest } = this
    this.rest = rest.subarray(rest.length)
    this.read = 0
    return rest
  }
}

const lineFeed = 0x0a
const carriageReturn = 0x0d
