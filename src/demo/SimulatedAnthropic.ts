/** The simulated Anthropic: messages, models and token counts in the shapes that it documents. */
import * as SimulatedKeys from "./SimulatedKeys.ts"
import * as SimulatedMessages from "./SimulatedMessages.ts"
import * as SimulatedTurn from "./SimulatedTurn.ts"
import type { SimulatedVendor } from "./SimulatedVendor.ts"
import { asksForStream, events, inputTokens, json, modelOf } from "./SimulatedVendor.ts"

export const vendor: SimulatedVendor = {
  name: "anthropic",
  type: "anthropic",
  path: "",
  keys: ["sk-simulated-primary-0001", "sk-simulated-second-0002", "sk-simulated-third-0003"],
  credential: ({ headers }) => headers["x-api-key"]?.toString(),
  refused: json(401, error("authentication_error", "invalid x-api-key")),
  limited: json(429, error("rate_limit_error", "this key is over its limit"), SimulatedKeys.retryAfter),
  answer: ({ route, body }) => {
    switch (route) {
      case "POST /v1/messages":
        return asksForStream(body)
          ? events(SimulatedMessages.stream(modelOf(body), SimulatedTurn.of(body)).map(event))
          : json(200, SimulatedMessages.message(modelOf(body), SimulatedTurn.of(body)))
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

const event = (data: SimulatedMessages.Event): string => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`

function error(type: string, detail: string) {
  return { type: "error", error: { type, message: detail } }
}
