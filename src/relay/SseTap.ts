/** Reads a copy of a stream of server-sent events: where events end, and whether the last one has come. Changes nothing. */
import type { Dialect } from "../dialects/Dialect.ts"

/** How much of a line is looked at. */
export const headBytes = 256

/**
 * Fed with the chunks of one stream, split anywhere; lines may end in LF, CRLF or CR (WHATWG HTML, "Server-sent events"). One
 * pass over the bytes, and no text is made but of lines that could end the stream.
 */
export class SseTap {
  private readonly dialect: Pick<Dialect, "terminalEvents" | "isTerminalData">
  private terminal = false
  // Of the event under way: its name if that could be a terminal one, whether it has a name, the head of its first data line.
  private name: string | undefined
  private named = false
  private data: string | undefined
  // Of the line under way: its length so far, and what of it came with earlier chunks.
  private lineLength = 0
  private lineHead = ""
  private afterCarriageReturn = false

  constructor(dialect: Pick<Dialect, "terminalEvents" | "isTerminalData">) {
    this.dialect = dialect
  }

  /** Whether the stream's last event has come. */
  get sawTerminal(): boolean {
    return this.terminal
  }

  /** Takes the next chunk. Answers where in it the last complete event ends; 0 if none ends in it. */
  push(chunk: Uint8Array): number {
    if (this.afterCarriageReturn || chunk.includes(carriageReturn)) return this.pushAnyLineEnd(chunk)
    let end = 0
    let start = 0
    for (let lineEnd = chunk.indexOf(lineFeed); lineEnd >= 0; lineEnd = chunk.indexOf(lineFeed, start)) {
      if (this.line(chunk, start, lineEnd)) end = lineEnd + 1
      start = lineEnd + 1
    }
    this.keep(chunk, start, chunk.length)
    return end
  }

  /** The stream is over: an event without its final blank line counts as if it had one. */
  end(): void {
    this.line(empty, 0, 0)
    this.line(empty, 0, 0)
  }

  private pushAnyLineEnd(chunk: Uint8Array): number {
    let end = 0
    let start = 0
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index]
      if (byte === lineFeed && this.afterCarriageReturn) {
        this.afterCarriageReturn = false
        if (end === index) end = index + 1
        start = index + 1
      } else if (byte === lineFeed || byte === carriageReturn) {
        this.afterCarriageReturn = byte === carriageReturn
        if (this.line(chunk, start, index)) end = index + 1
        start = index + 1
      } else {
        this.afterCarriageReturn = false
      }
    }
    this.keep(chunk, start, chunk.length)
    return end
  }

  private keep(chunk: Uint8Array, start: number, end: number): void {
    if (this.lineHead.length < headBytes) this.lineHead += latin1(chunk, start, end, headBytes - this.lineHead.length)
    this.lineLength += end - start
  }

  // A whole line, but for what earlier chunks brought of it. Answers whether it ends an event.
  private line(chunk: Uint8Array, start: number, end: number): boolean {
    const earlier = this.lineLength
    if (earlier > 0) {
      this.keep(chunk, start, end)
      this.field(this.lineHead, this.lineLength)
      this.lineHead = ""
      this.lineLength = 0
      return false
    }
    const length = end - start
    if (length === 0) return this.dispatch()
    const first = chunk[start]
    const relevant =
      (first === letterE && this.mayBeTerminal(length)) || (first === letterD && !this.named && !this.data)
    if (relevant) this.field(latin1(chunk, start, end, headBytes), length)
    else if (first === letterE) this.named = true
    return false
  }

  private field(head: string, length: number): void {
    if (head.startsWith("event:")) {
      this.named = true
      this.name = length < headBytes ? withoutSpace(head.slice("event:".length)) : undefined
    } else if (head.startsWith("data:") && this.data === undefined) {
      this.data = withoutSpace(head.slice("data:".length))
    }
  }

  private dispatch(): boolean {
    if (this.named) {
      if (this.name !== undefined && this.dialect.terminalEvents.has(this.name)) this.terminal = true
    } else if (this.data !== undefined && this.dialect.isTerminalData(this.data)) {
      this.terminal = true
    }
    this.name = undefined
    this.named = false
    this.data = undefined
    return true
  }

  // "event:" with or without a space, and a name as long as one of the terminal ones.
  private mayBeTerminal(length: number): boolean {
    for (const name of this.dialect.terminalEvents) {
      const rest = length - name.length
      if (rest === 6 || rest === 7) return true
    }
    return false
  }
}

const lineFeed = 0x0a
const carriageReturn = 0x0d
const letterD = 0x64
const letterE = 0x65
const empty = new Uint8Array(0)

const withoutSpace = (value: string): string => (value.startsWith(" ") ? value.slice(1) : value)

const latin1 = (chunk: Uint8Array, start: number, end: number, limit: number): string =>
  String.fromCharCode(...chunk.subarray(start, Math.min(end, start + limit)))
