/** Lets complete events pass and holds back what has come of an incomplete one. */
import type * as Arr from "effect/Array"
import type { OmittedEvent } from "../dialects/Dialect.ts"
import { EventFilter } from "./EventFilter.ts"
import type { SseTap } from "./SseTap.ts"

/** How much of an incomplete event is held back; a larger one passes as it comes. */
export const heldBytes = 64 * 1024

/** The gate of one stream. */
export class EventGate {
  private readonly tap: SseTap
  private readonly filter: EventFilter | undefined
  private held: Array<Uint8Array> = []
  private size = 0
  private open = false

  constructor(tap: SseTap, omitted: OmittedEvent | undefined) {
    this.tap = tap
    this.filter = omitted && new EventFilter(omitted)
  }

  /** Whether the client has seen nothing of an incomplete event. */
  get betweenEvents(): boolean {
    return !this.open
  }

  /** What of these chunks, and of what was held before them, the client may see now. */
  pass(chunks: ReadonlyArray<Uint8Array>): Array<Uint8Array> {
    const passed: Array<Uint8Array> = []
    for (const chunk of chunks) {
      const ends: Array<number> | undefined = this.filter && []
      const end = this.tap.push(chunk, ends)
      if (end > 0) {
        const complete = end === chunk.length ? chunk : chunk.subarray(0, end)
        if (this.filter === undefined || ends === undefined) {
          for (const earlier of this.takeHeld()) passed.push(earlier)
          passed.push(complete)
        } else {
          const remaining = this.filter.apply({ held: this.takeHeld(), complete, ends, isRest: this.open })
          for (const piece of remaining) passed.push(piece)
        }
        this.open = false
      }
      if (end < chunk.length) this.hold(end === 0 ? chunk : chunk.subarray(end), passed)
    }
    return passed
  }

  /** Gives out what is held back, once. */
  takeHeld(): ReadonlyArray<Uint8Array> {
    const held = this.held
    if (held.length === 0) return held
    this.held = []
    this.size = 0
    return held
  }

  /** The error event in place of the rest. Within an event that has begun to pass, a line end makes its name the last one. */
  interrupted(errorEvent: Uint8Array): Arr.NonEmptyReadonlyArray<Uint8Array> {
    return this.open ? [lineFeed, errorEvent] : [errorEvent]
  }

  private hold(chunk: Uint8Array, passed: Array<Uint8Array>): void {
    this.held.push(chunk)
    this.size += chunk.length
    if (!this.open && this.size <= heldBytes) return
    this.open = true
    for (const piece of this.takeHeld()) passed.push(piece)
  }
}

const lineFeed = new Uint8Array([0x0a])
