/** Messages, in the shapes that Anthropic documents: blocking and in a stream, with a tool or without. */
import type { Block, Turn } from "./SimulatedTurn.ts"
import { inputTokens } from "./SimulatedVendor.ts"

export interface Event {
  readonly type: string
  readonly [member: string]: unknown
}

export const message = (model: string, turn: Turn) => ({
  ...start(model, turn),
  content: turn.blocks.map(({ whole }) => whole),
  stop_reason: turn.stopReason,
  usage: { input_tokens: inputTokens, output_tokens: outputTokens(turn) }
})

/** A whole stream. */
export const stream = (model: string, turn: Turn): ReadonlyArray<Event> => [
  { type: "message_start", message: start(model, turn) },
  ...turn.blocks.flatMap(ofBlock),
  {
    type: "message_delta",
    delta: { stop_reason: turn.stopReason, stop_sequence: null },
    usage: { output_tokens: outputTokens(turn) }
  },
  { type: "message_stop" }
]

/** What an answer is said to have cost: a token for each piece. */
export const outputTokens = ({ blocks }: Turn): number => blocks.flatMap(({ deltas }) => deltas).length

const start = (model: string, { id }: Turn) => ({
  id,
  type: "message",
  role: "assistant",
  model,
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: { input_tokens: inputTokens, output_tokens: 1 }
})

const ofBlock = ({ empty, deltas }: Block, index: number): ReadonlyArray<Event> => [
  { type: "content_block_start", index, content_block: empty },
  ...(index === 0 ? [{ type: "ping" }] : []),
  ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
  { type: "content_block_stop", index }
]
