/** Takes out of a stream of events the one that the client must not see. */
import * as Bytes from "../domain/Bytes.ts"
import type { OmittedEvent } from "../dialects/Dialect.ts"
import { dataOf } from "../domain/SseEvent.ts"
import * as ByteText from "./ByteText.ts"

/** Complete events. */
export interface CompleteEvents {
  /** What earlier chunks brought of the first event. */
  readonly held: ReadonlyArray<Uint8Array>
  /** The rest of that event, and all others. */
  readonly complete: Uint8Array
  /** Where in `complete` events end, the last one at its end. */
  readonly ends: ReadonlyArray<number>
  /** Whether the client has already seen the beginning of the first event. */
  readonly isRest: boolean
}

/** The filter of one stream, fed with its complete events in order. */
export class EventFilter {
  private readonly omitted: OmittedEvent
  // Whether the last event was taken out with the first half only of its final CRLF.
  private awaitsLineFeed = false

  constructor(omitted: OmittedEvent) {
    this.omitted = omitted
  }

  /** The bytes that remain, unchanged, in as few pieces as they came in unless there was something to take out. */
  apply({ held, complete, ends, isRest }: CompleteEvents): ReadonlyArray<Uint8Array> {
    const bytes = held.length === 0 ? complete : Bytes.join([...held, complete])
    if (!this.awaitsLineFeed && !ByteText.isIn(bytes, this.omitted.marker)) return [bytes]

    const shift = bytes.length - complete.length
    const remaining: Array<Uint8Array> = []
    let from = 0
    let start = 0
    for (const end of ends) {
      const event = bytes.subarray(start, end + shift)
      if (this.isOmitted(event, isRest && start === 0)) {
        if (from < start) remaining.push(bytes.subarray(from, start))
        from = end + shift
      }
      start = end + shift
    }
    if (from < start) remaining.push(bytes.subarray(from))
    return remaining
  }

  private isOmitted(event: Uint8Array, isRest: boolean): boolean {
    const isLineFeed = event.length === 1 && event[0] === lineFeed
    const isOmitted =
      (this.awaitsLineFeed && isLineFeed) ||
      (!isRest && ByteText.isIn(event, this.omitted.marker) && this.omitted.matches(dataOf(event)))
    this.awaitsLineFeed = isOmitted && event.at(-1) === carriageReturn
    return isOmitted
  }
}

const lineFeed = 0x0a
const carriageReturn = 0x0d
