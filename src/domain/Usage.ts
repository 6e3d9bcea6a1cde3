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

/** What several answers have said together, in their order. The numbers are final if all are. */
export const together = (answers: ReadonlyArray<Answer>): Answer | undefined => {
  const [first, ...others] = answers
  if (first === undefined || others.length === 0) return first
  return others.reduce(
    (sum, { messageId, usage, quality, toolCalls, thoughts }) => ({
      messageId: sum.messageId ?? messageId,
      usage: added(sum.usage, usage),
      quality: sum.quality === quality ? quality : "partial",
      toolCalls: [...sum.toolCalls, ...toolCalls],
      thoughts: [...sum.thoughts, ...thoughts]
    }),
    first
  )
}

const added = (first: Usage | undefined, second: Usage | undefined): Usage | undefined => {
  if (first === undefined || second === undefined) return first ?? second
  const extra: Record<string, number> = { ...first.extra }
  for (const [name, count] of Object.entries(second.extra)) extra[name] = (extra[name] ?? 0) + count
  return {
    input: first.input + second.input,
    output: first.output + second.output,
    cacheRead: first.cacheRead + second.cacheRead,
    cacheWrite: first.cacheWrite + second.cacheWrite,
    extra
  }
}
