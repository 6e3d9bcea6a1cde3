/** The simulated Anthropic: messages, models and token counts in the shapes that it documents. */
import type { SimulatedVendor } from "./SimulatedVendor.ts"
import { asksForStream, events, inputTokens, json, modelOf, outputTokens, text, words } from "./SimulatedVendor.ts"

export const vendor: SimulatedVendor = {
  type: "anthropic",
  path: "",
  keys: ["sk-simulated-primary-0001", "sk-simulated-second-0002", "sk-simulated-third-0003"],
  credential: (headers) => headers["x-api-key"]?.toString(),
  refused: error("authentication_error", "invalid x-api-key"),
  limited: error("rate_limit_error", "this key is over its limit"),
  answer: ({ route, body }) => {
    switch (route) {
      case "POST /v1/messages":
        return asksForStream(body) ? events(stream(modelOf(body))) : json(200, message(modelOf(body)))
      case "POST /v1/messages/count_tokens":
        return json(200, { input_tokens: inputTokens })
      case "GET /v1/models":
        return json(200, models)
      default:
        return json(404, error("not_found_error", "not found"))
    }
  }
}

const models = {
  data: [{ type: "model", id: "claude-simulated", display_name: "Simulated", created_at: "2026-01-01T00:00:00Z" }],
  has_more: false,
  first_id: "claude-simulated",
  last_id: "claude-simulated"
}

const start = (model: string) => ({
  id: "msg_simulated",
  type: "message",
  role: "assistant",
  model,
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: { input_tokens: inputTokens, output_tokens: 1 }
})

const message = (model: string) => ({
  ...start(model),
  content: [{ type: "text", text }],
  stop_reason: "end_turn",
  usage: { input_tokens: inputTokens, output_tokens: outputTokens }
})

const stream = (model: string): ReadonlyArray<string> => [
  event({ type: "message_start", message: start(model) }),
  event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
  event({ type: "ping" }),
  ...words.map((word) => event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: word } })),
  event({ type: "content_block_stop", index: 0 }),
  event({
    type: "message_delta",
    delta: { stop_reason: "end_turn", stop_sequence: null },
    usage: { output_tokens: outputTokens }
  }),
  event({ type: "message_stop" })
]

const event = (data: { readonly type: string; readonly [member: string]: unknown }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`

function error(type: string, detail: string) {
  return { type: "error", error: { type, message: detail } }
}
