/** The events that wait to be written, in order and bounded. */
import type { RecordEvent } from "../domain/RecordEvent.ts"

export interface EventQueue {
  /**
   * `taken`, `refused` if there is no room, or `displaced`: taken in the place of another, which is dropped. That is done for
   * the end of an interception only; what belongs to an interception goes before the start of one.
   */
  readonly offer: (event: RecordEvent) => "taken" | "refused" | "displaced"
  readonly size: () => number
  /** Whether the next one of an interception that begins would be taken. */
  readonly hasRoom: () => boolean
  /** The oldest ones, which stay in the queue, and are not displaced, until they are removed or let go. */
  readonly hold: (count: number) => ReadonlyArray<RecordEvent>
  readonly remove: () => void
  readonly letGo: () => void
}

export interface Options {
  readonly capacity: number
  /** In UTF-16 units. */
  readonly textCapacity: number
}

// A batch holds no more text than this, unless it is of one event; in UTF-16 units.
const textOfBatch = 4 << 20

export const make = ({ capacity, textCapacity }: Options): EventQueue => {
  const events: Array<RecordEvent> = []
  let text = 0
  let held = 0

  const displace = (): boolean => {
    const child = events.findLastIndex((event, at) => at >= held && isChild(event))
    const index = child === -1 ? events.findLastIndex((event, at) => at >= held && !isEnd(event)) : child
    if (index === -1) return false
    for (const event of events.splice(index, 1)) text -= textOf(event)
    return true
  }

  return {
    offer: (event) => {
      const more = textOf(event)
      const isFull = events.length >= capacity || (more > 0 && text + more > textCapacity)
      if (isFull && !(isEnd(event) && displace())) return "refused"
      events.push(event)
      text += more
      return isFull ? "displaced" : "taken"
    },
    size: () => events.length,
    hasRoom: () => events.length < capacity,
    hold: (count) => {
      let units = 0
      held = 0
      for (const event of events.slice(0, count)) {
        units += textOf(event)
        if (held > 0 && units > textOfBatch) break
        held++
      }
      return events.slice(0, held)
    },
    remove: () => {
      for (const event of events.splice(0, held)) text -= textOf(event)
      held = 0
    },
    letGo: () => {
      held = 0
    }
  }
}

const isEnd = (event: RecordEvent): boolean => event._tag === "InterceptionEnded"

const isChild = (event: RecordEvent): boolean => !isEnd(event) && event._tag !== "InterceptionStarted"

const textOf = (event: RecordEvent): number => {
  switch (event._tag) {
    case "PromptUsage":
      return event.text.length
    case "ToolUsage":
      return event.call.args.length
    case "ModelThought":
      return event.thought.text.length
    default:
      return 0
  }
}
