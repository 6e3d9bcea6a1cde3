/** Reads a copy of a stream of server-sent events: where events end, and whether the last one has come. Changes nothing. */
import type { Dialect } from "../dialects/Dialect.ts"
import { isUpstreamsError } from "../dialects/Dialect.ts"
import * as ByteText from "./ByteText.ts"

type Terminals = Pick<
  Dialect,
  "terminalEvents" | "errorEvents" | "isTerminalData" | "isErrorData" | "terminalDataStarts"
>

// How much of a line is looked at.
const headBytes = 1024

/**
 * Fed with the chunks of one stream, split anywhere; lines may end in LF, CRLF or CR (WHATWG HTML, "Server-sent events"). One
 * pass over the bytes, and no text is made but of lines that could end the stream.
 */
export class SseTap {
  private readonly dialect: Terminals
  private readonly readsNames: boolean
  private terminal = false
  private error = false
  // Of the event under way: its name if that could be a terminal one, whether it has a name, the head of its first data line.
  private name: string | undefined
  private named = false
  private data: string | undefined
  // Of the line under way: its length so far, and what of it came with earlier chunks.
  private lineLength = 0
  private lineHead = ""
  private afterCarriageReturn = false
  private atBoundary = true

  constructor(dialect: Terminals) {
    this.dialect = dialect
    this.readsNames = dialect.terminalEvents.length > 0
  }

  /** Whether the stream's last event has come. */
  get sawTerminal(): boolean {
    return this.terminal
  }

  /** Whether that event says that the upstream has failed. */
  get sawError(): boolean {
    return this.error
  }

  /**
   * Takes the next chunk. Answers where in it the last complete event ends; 0 if none ends in it.
   *
   * @param ends gets the places where events end, the last one included
   */
  push(chunk: Uint8Array, ends?: Array<number>): number {
    const length = chunk.length
    let end = 0
    let start = 0
    for (let index = nextLineEnd(chunk, 0); index < length; index = nextLineEnd(chunk, start)) {
      const byte = chunk[index]
      if (byte === lineFeed && index === start && this.afterCarriageReturn) {
        // The second half of a CRLF belongs to the event that the first half ended.
        if (end === index && this.atBoundary) {
          end = index + 1
          if (ends !== undefined) ends[Math.max(0, ends.length - 1)] = end
        }
      } else if (this.line(chunk, start, index)) {
        end = index + 1
        ends?.push(end)
      }
      this.afterCarriageReturn = byte === carriageReturn
      start = index + 1
    }
    if (start < length) {
      this.afterCarriageReturn = false
      this.keep(chunk, start, length)
    }
    return end
  }

  /** The stream is over: an event without its final blank line counts as if it had one. */
  end(): void {
    this.line(noBytes, 0, 0)
    this.line(noBytes, 0, 0)
  }

  // Remembers a part of a line, if its line is one that is looked at.
  private keep(chunk: Uint8Array, start: number, end: number): void {
    const isWanted = this.lineLength === 0 ? this.mayMatter(chunk[start]) : this.lineHead !== ""
    const room = headBytes - this.lineHead.length
    if (isWanted && room > 0) this.lineHead += latin1(chunk, start, end, room)
    this.lineLength += end - start
  }

  // A whole line, but for what earlier chunks brought of it. Answers whether it ends an event.
  private line(chunk: Uint8Array, start: number, end: number): boolean {
    this.atBoundary = false
    if (this.lineLength > 0) {
      this.keep(chunk, start, end)
      this.field(this.lineHead, this.lineLength)
      this.lineHead = ""
      this.lineLength = 0
      return false
    }
    const length = end - start
    if (length === 0) return this.dispatch()
    if (this.isOtherName(chunk, start, length)) {
      this.named = true
      this.name = undefined
    } else if (this.mayMatter(chunk[start])) {
      this.wholeField(chunk, start, end)
    }
    return false
  }

  // Whether a line that begins so can say anything about the end of the stream.
  private mayMatter(first: number | undefined): boolean {
    if (first === letterE) return this.readsNames
    return first === letterD && this.data === undefined && (!this.named || this.isErrorName())
  }

  private isErrorName(): boolean {
    return this.name !== undefined && this.dialect.errorEvents.includes(this.name)
  }

  // "event:", and a name that is none of the terminal ones by its length alone (with or without a space before it).
  private isOtherName(chunk: Uint8Array, start: number, length: number): boolean {
    if (chunk[start] !== letterE || chunk[start + 5] !== colon || !this.readsNames) return false
    for (const name of this.dialect.terminalEvents) {
      const rest = length - name.length
      if (rest === 6 || rest === 7) return false
    }
    return true
  }

  // Apart, because it is rare where events have names: the line's own code stays small enough to be inlined.
  private wholeField(chunk: Uint8Array, start: number, end: number): void {
    if (this.isOtherData(chunk, start)) this.data = ""
    else this.field(latin1(chunk, start, end, headBytes), end - start)
  }

  // "data:", and what no terminal event's data begins with.
  private isOtherData(chunk: Uint8Array, start: number): boolean {
    if (!ByteText.isAt(chunk, start, dataField)) return false
    const value = start + dataField.length
    const at = chunk[value] === space ? value + 1 : value
    for (const dataStart of this.dialect.terminalDataStarts) {
      if (ByteText.isAt(chunk, at, dataStart)) return false
    }
    return true
  }

  private field(head: string, length: number): void {
    if (head.startsWith("event:")) {
      this.named = true
      this.name = length < headBytes ? withoutSpace(head.slice("event:".length)) : undefined
    } else if (head.startsWith("data:") && this.data === undefined) {
      const data = withoutSpace(head.slice("data:".length))
      this.data = this.dialect.terminalDataStarts.some((start) => data.startsWith(start)) ? data : ""
    }
  }

  private dispatch(): boolean {
    if (this.named) {
      if (this.name !== undefined && this.dialect.terminalEvents.includes(this.name)) {
        this.terminal = true
        this.error ||= this.isErrorName() && isUpstreamsError(this.data ?? "")
      }
    } else if (this.data !== undefined && this.dialect.isTerminalData(this.data)) {
      this.terminal = true
      this.error ||= this.dialect.isErrorData(this.data) && isUpstreamsError(this.data)
    }
    this.name = undefined
    this.named = false
    this.data = undefined
    this.atBoundary = true
    return true
  }
}

const lineFeed = 0x0a
const carriageReturn = 0x0d
const space = 0x20
const colon = 0x3a
const letterD = 0x64
const letterE = 0x65
const noBytes = new Uint8Array(0)

const dataField = "data:"

// The place of the next CR or LF; the chunk's length if there is none. Eight bytes at a time: nearly all of them are text.
const nextLineEnd = (chunk: Uint8Array, from: number): number => {
  const length = chunk.length
  let index = from
  while (
    index + 8 <= length &&
    isText(chunk[index]) &&
    isText(chunk[index + 1]) &&
    isText(chunk[index + 2]) &&
    isText(chunk[index + 3]) &&
    isText(chunk[index + 4]) &&
    isText(chunk[index + 5]) &&
    isText(chunk[index + 6]) &&
    isText(chunk[index + 7])
  ) {
    index += 8
  }
  while (index < length && chunk[index] !== lineFeed && chunk[index] !== carriageReturn) index++
  return index
}

const isText = (byte: number | undefined): boolean => byte !== undefined && byte > carriageReturn

const withoutSpace = (value: string): string => (value.startsWith(" ") ? value.slice(1) : value)

// Letter by letter: a spread of the bytes into one call takes ten times as long.
const latin1 = (chunk: Uint8Array, start: number, end: number, limit: number): string => {
  let text = ""
  for (let index = start; index < end && index < start + limit; index++) text += String.fromCharCode(chunk[index] ?? 0)
  return text
}
