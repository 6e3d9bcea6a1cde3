/** What an answer of a model has cost, in tokens. */

/** The tokens of one upstream answer. What was read from a cache is not in `input`. */
export interface Usage {
  readonly input: number
  readonly output: number
  /** Input that was read from a cache. */
  readonly cacheRead: number
  /** Input that was written to a cache. */
  readonly cacheWrite: number
  /** Other numbers that the vendor counts, by names in snake case, such as `output_reasoning`; those that are 0 included. */
  readonly extra: Readonly<Record<string, number>>
}

/**
 * `final`: the vendor's last word. `partial`: what it had said when the answer broke off. `none`: it has said nothing.
 */
export type UsageQuality = "final" | "partial" | "none"

/** What an answer says of itself, as far as it has come. */
export interface Answer {
  /** The vendor's own id of the answer; `undefined` if it has not said one. */
  readonly messageId: string | undefined
  /** The last numbers count (spec: last value wins inside a stream). */
  readonly usage: Usage | undefined
  readonly quality: UsageQuality
  /** The tools of the client that the model has called, complete calls only, in order. */
  readonly toolCalls: ReadonlyArray<ToolCall>
  readonly thoughts: ReadonlyArray<Thought>
}

/** A call of a tool by the model. */
export interface ToolCall {
  /** The vendor's id of the call. */
  readonly id: string
  readonly name: string
  /** JSON text, or whatever the model has put in its place. */
  readonly args: string
}

/** What a model has thought aloud. */
export interface Thought {
  readonly text: string
  readonly source: "thinking" | "reasoning_summary" | "commentary"
}
