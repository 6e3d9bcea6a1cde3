/** Responses, in the shapes that OpenAI documents. */
import { created, inputTokens, outputTokens, text, words } from "./SimulatedVendor.ts"

/** Of every response. */
export const id = "resp_simulated"

export const response = (model: string) => ({
  ...unfinished(model),
  status: "completed",
  completed_at: created,
  output: [item],
  usage
})

/** A whole stream. */
export const stream = (model: string): ReadonlyArray<string> => {
  const all: ReadonlyArray<{ readonly type: string; readonly [member: string]: unknown }> = [
    { type: "response.created", response: unfinished(model) },
    { type: "response.in_progress", response: unfinished(model) },
    ofItem("response.output_item.added", { item: { ...item, status: "in_progress", content: [] } }),
    ofPart("response.content_part.added", { part: { ...part, text: "" } }),
    ...words.map((delta) => ofPart("response.output_text.delta", { delta, logprobs: [] })),
    ofPart("response.output_text.done", { text, logprobs: [] }),
    ofPart("response.content_part.done", { part }),
    ofItem("response.output_item.done", { item }),
    { type: "response.completed", response: response(model) }
  ]
  return all.map(
    ({ type, ...members }, index) =>
      `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: index, ...members })}\n\n`
  )
}

const ofItem = (type: string, members: object) => ({ type, output_index: 0, ...members })

const ofPart = (type: string, members: object) => ofItem(type, { item_id: item.id, content_index: 0, ...members })

const part = { type: "output_text", text, annotations: [], logprobs: [] }

const item = { id: "msg_simulated", type: "message", status: "completed", role: "assistant", content: [part] }

const usage = {
  input_tokens: inputTokens,
  input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
  output_tokens: outputTokens,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: inputTokens + outputTokens
}

const unfinished = (model: string) => ({
  id,
  object: "response",
  created_at: created,
  status: "in_progress",
  background: false,
  error: null,
  incomplete_details: null,
  instructions: null,
  max_output_tokens: null,
  metadata: {},
  model,
  output: [],
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  store: true,
  temperature: 1,
  text: { format: { type: "text" } },
  tool_choice: "auto",
  tools: [],
  top_p: 1,
  truncation: "disabled",
  usage: null
})
