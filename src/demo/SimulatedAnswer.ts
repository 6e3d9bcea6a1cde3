/** What the simulated provider says, in the shape that Anthropic documents. */

const words = ["Hello", " from", " the", " simulated", " provider", ".", " No", " account", " was", " used", "."]

/** Model and stream flag of a request; a body that is not JSON counts as one without them. */
export const read = (body: string): { readonly model: string; readonly stream: boolean } => {
  try {
    const request: unknown = JSON.parse(body)
    const model = member(request, "model")
    return { model: typeof model === "string" ? model : "unknown", stream: member(request, "stream") === true }
  } catch {
    return { model: "unknown", stream: false }
  }
}

export const error = (type: string, message: string) => ({ type: "error", error: { type, message } })

export const models = {
  data: [{ type: "model", id: "claude-simulated", display_name: "Simulated", created_at: "2026-01-01T00:00:00Z" }],
  has_more: false,
  first_id: "claude-simulated",
  last_id: "claude-simulated"
}

export const message = (model: string) => ({
  ...start(model),
  content: [{ type: "text", text: words.join("") }],
  stop_reason: "end_turn",
  usage: { input_tokens: 12, output_tokens: words.length }
})

/** A whole stream, event by event. */
export const events = (model: string): ReadonlyArray<string> => [
  event({ type: "message_start", message: start(model) }),
  event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
  event({ type: "ping" }),
  ...words.map((text) => event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } })),
  event({ type: "content_block_stop", index: 0 }),
  event({
    type: "message_delta",
    delta: { stop_reason: "end_turn", stop_sequence: null },
    usage: { output_tokens: words.length }
  }),
  event({ type: "message_stop" })
]

const start = (model: string) => ({
  id: "msg_simulated",
  type: "message",
  role: "assistant",
  model,
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: { input_tokens: 12, output_tokens: 1 }
})

const event = (data: { readonly type: string; readonly [member: string]: unknown }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`

const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined
