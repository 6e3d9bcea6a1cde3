/** A copy of an answer that is no stream of events, to be read once it is complete. */
import * as Bytes from "../domain/Bytes.ts"
import type { Dialect } from "../dialects/Dialect.ts"
import type { Answer } from "../domain/Usage.ts"

/** Of a larger one nothing is read. */
const maximumBytes = 32 * 1024 * 1024

export class WholeAnswer {
  private readonly dialect: Dialect
  private chunks: Array<Uint8Array> = []
  private size = 0

  constructor(dialect: Dialect) {
    this.dialect = dialect
  }

  /** Keeps the chunk itself. */
  push(chunk: Uint8Array): void {
    this.size += chunk.length
    if (this.size > maximumBytes) this.chunks = []
    else this.chunks.push(chunk)
  }

  /** What it has said, now that it is over; nothing if it is not complete. */
  end(): Answer {
    return this.dialect.readAnswer(Bytes.join(this.chunks))
  }
}
