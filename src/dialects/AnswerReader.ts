/** Reads what an answer says of itself, for records: the contract, and what all dialects share. */
import * as Json from "../domain/Json.ts"
import type { Answer, Thought, ToolCall } from "../domain/Usage.ts"
import type { UsageMembers } from "./UsageTally.ts"
import { UsageTally } from "./UsageTally.ts"

/** The reader of one stream. */
export interface AnswerReader {
  /**
   * Takes the data of the next event. Never throws: what is malformed or unknown is skipped. Most events of a stream hold pieces
   * of text, which nobody here wants: a look at their text tells them, and they are not parsed.
   */
  readonly event: (data: string) => void
  /** What the events up to now have said; may be asked at any moment, and again. */
  readonly answer: () => Answer
}

/** How much is kept of one text, in characters (UTF-16 code units); the rest is cut. */
export const maximumText = 1024 * 1024

/** How many tool calls are kept of an answer, and how many thoughts. */
export const maximumItems = 200

/** A text with one more part; once it is longer than `maximumText` parts are ignored. */
export const append = (text: string, part: string): string =>
  text.length > maximumText ? text : text + part.slice(0, maximumText + 1 - text.length)

/** An answer under way. */
export class AnswerDraft {
  readonly usage: UsageTally
  private messageId: string | undefined
  private readonly toolCalls: Array<ToolCall> = []
  private readonly thoughts: Array<Thought> = []

  constructor(members: UsageMembers) {
    this.usage = new UsageTally(members)
  }

  /** Whether the vendor's id is known. */
  get isIdentified(): boolean {
    return this.messageId !== undefined
  }

  /** Takes the vendor's id of the answer, the first one. */
  identify(id: unknown): void {
    if (this.messageId === undefined && typeof id === "string" && id !== "") this.messageId = id
  }

  /** Adds a complete call. */
  call(call: ToolCall | undefined): void {
    if (call !== undefined && this.toolCalls.length < maximumItems) this.toolCalls.push(call)
  }

  /** Whether there is a call with this id. */
  hasCall(id: string): boolean {
    return this.toolCalls.some((call) => call.id === id)
  }

  /**
   * Adds a complete thought; an empty one is none.
   *
   * @param known those that may come again, and count once
   */
  thought(text: unknown, source: Thought["source"], known: ReadonlyArray<Thought> = []): void {
    if (typeof text !== "string" || text === "" || this.thoughts.length >= maximumItems) return
    const thought = { text: cut(text), source }
    if (!known.some((other) => other.source === source && other.text === thought.text)) this.thoughts.push(thought)
  }

  /**
   * What is known now.
   *
   * @param isFinal whether the vendor's last numbers have come, if it has said any
   * @param more calls that are complete now, but not yet for ever
   */
  answer(isFinal: boolean, more: ReadonlyArray<ToolCall> = []): Answer {
    const { usage } = this.usage
    return {
      messageId: this.messageId,
      usage,
      quality: usage === undefined ? "none" : isFinal ? "final" : "partial",
      toolCalls: [...this.toolCalls, ...more],
      thoughts: [...this.thoughts]
    }
  }
}

/** A call with its texts cut to what is kept; one without a name is none. */
export const toolCall = (id: unknown, name: unknown, args: string): ToolCall | undefined =>
  typeof name === "string" && name !== ""
    ? { id: cut(Json.string(id) ?? ""), name: cut(name), args: cut(args) }
    : undefined

/** The JSON of a whole answer; `undefined` if it is none. */
export const parseAnswer = (body: Uint8Array): unknown => Json.parse(decoder.decode(body))

/** The arguments of a call: JSON text as it came, without white space around it; of any other value its JSON. */
export const argsText = (args: unknown): string =>
  typeof args === "string" ? args.trim() : args === null ? "" : (Json.print(args) ?? "")

const encoder = new TextEncoder()
const decoder = new TextDecoder()

// Within the bound, and not in the middle of a character. Copied, because a part of a text keeps the whole in memory.
const cut = (text: string): string => {
  if (text.length <= maximumText) return text
  const isHalf = /[\uD800-\uDBFF]/.test(text.charAt(maximumText - 1))
  return decoder.decode(encoder.encode(text.slice(0, isHalf ? maximumText - 1 : maximumText)))
}
