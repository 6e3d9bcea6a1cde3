/** Reads what an answer says of itself out of a copy of its stream, in its own time. */
import * as Bytes from "../domain/Bytes.ts"
import type { Answer } from "../domain/Usage.ts"
import type { AnswerReader } from "../dialects/AnswerReader.ts"
import type { Dialect } from "../dialects/Dialect.ts"
import { EventText } from "./EventText.ts"

/** How many bytes may wait to be read. */
export const waitingBytes = 256 * 1024

/**
 * The tap of one stream. Keeps the chunks themselves, which nobody may change afterwards, and reads them when many have come or
 * when somebody asks.
 */
export class AnswerTap {
  private readonly reader: AnswerReader
  private readonly events: EventText
  private waiting: Array<Uint8Array> = []
  private size = 0

  constructor(dialect: Pick<Dialect, "answerReader">) {
    const reader = dialect.answerReader()
    this.reader = reader
    this.events = new EventText((_name, data) => reader.event(data))
  }

  /** Takes the next chunk. Costs next to nothing, but once in `waitingBytes`. */
  push(chunk: Uint8Array): void {
    this.waiting.push(chunk)
    this.size += chunk.length
    if (this.size > waitingBytes) this.read()
  }

  /** What the complete events up to now have said; may be asked at any moment, and again. */
  answer(): Answer {
    this.read()
    return this.reader.answer()
  }

  /** What it has said, now that it is over: an event without its final blank line counts as if it had one. */
  end(): Answer {
    this.read()
    this.events.end()
    return this.reader.answer()
  }

  private read(): void {
    if (this.waiting.length === 0) return
    const chunks = this.waiting
    this.waiting = []
    this.size = 0
    this.events.push(Bytes.join(chunks))
  }
}
