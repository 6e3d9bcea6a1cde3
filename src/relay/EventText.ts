/** Makes texts of the bytes of a stream of server-sent events. Not for the way to the client: it reads copies, and later. */

/** How long a line may be, and the data of an event, in characters; an event with more is skipped. */
export const maximumLine = 8 * 1024 * 1024

/**
 * Gets each complete event.
 *
 * @param name empty if the event has none
 * @param data its data lines, with line feeds between
 */
export type OnEvent = (name: string, data: string) => void

/**
 * Fed with the chunks of one stream, split anywhere; lines may end in LF, CRLF or CR (WHATWG HTML, "Server-sent events"). An
 * event without data is none.
 */
export class EventText {
  private readonly onEvent: OnEvent
  private readonly decoder = new TextDecoder()
  // Of the event under way.
  private name = ""
  private data: string | undefined
  private isTooLong = false
  // Of the line under way: what earlier chunks brought of it.
  private rest = ""
  private afterCarriageReturn = false

  constructor(onEvent: OnEvent) {
    this.onEvent = onEvent
  }

  /** Takes the next chunk. */
  push(chunk: Uint8Array): void {
    this.read(this.decoder.decode(chunk, { stream: true }))
  }

  /** The stream is over: an event without its final blank line counts as if it had one. */
  end(): void {
    this.read(this.decoder.decode())
    if (this.rest !== "") this.line("")
    this.line("")
  }

  private read(text: string): void {
    let start = 0
    let lineFeed = -1
    let carriageReturn = -1
    for (;;) {
      if (lineFeed < start) lineFeed = placeOf(text, "\n", start)
      if (carriageReturn < start) carriageReturn = placeOf(text, "\r", start)
      const end = Math.min(lineFeed, carriageReturn)
      if (end === Number.POSITIVE_INFINITY) break
      const isSecondHalf = this.afterCarriageReturn && end === start && end === lineFeed
      this.afterCarriageReturn = end === carriageReturn
      if (!isSecondHalf) this.line(text.slice(start, end))
      start = end + 1
    }
    if (start < text.length) this.keep(text.slice(start))
  }

  private keep(text: string): void {
    this.afterCarriageReturn = false
    if (this.rest.length + text.length <= maximumLine) {
      this.rest += text
      return
    }
    const beginning = this.rest.slice(0, 4) + text.slice(0, 4)
    this.isTooLong ||= beginning.startsWith("data")
    // A comment: there is a line, and nothing of it.
    this.rest = ":"
  }

  private line(text: string): void {
    const line = this.rest === "" ? text : this.rest + text
    this.rest = ""
    if (line === "") this.dispatch()
    else if (line.startsWith("data")) this.addData(valueOf(line, "data"))
    else if (line.startsWith("event")) this.name = valueOf(line, "event") ?? this.name
  }

  private addData(value: string | undefined): void {
    if (value === undefined) return
    if ((this.data?.length ?? 0) + value.length > maximumLine) this.isTooLong = true
    if (!this.isTooLong) this.data = this.data === undefined ? value : `${this.data}\n${value}`
  }

  private dispatch(): void {
    const { name, data, isTooLong } = this
    this.name = ""
    this.data = undefined
    this.isTooLong = false
    if (data !== undefined && !isTooLong) this.onEvent(name, data)
  }
}

const placeOf = (text: string, character: string, start: number): number => {
  const place = text.indexOf(character, start)
  return place < 0 ? Number.POSITIVE_INFINITY : place
}

// What stands behind the name of a field and a colon; `undefined` if the line is of another field with a longer name.
const valueOf = (line: string, field: string): string | undefined => {
  const length = field.length
  if (line.length === length) return ""
  if (line[length] !== ":") return undefined
  return line.slice(line[length + 1] === " " ? length + 2 : length + 1)
}
