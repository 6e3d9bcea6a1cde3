/** Anthropic Messages, as its provider documents it. */
import * as Fixture from "./Fixture.ts"

const { event } = Fixture

const request = {
  model: "claude-sonnet-4-5",
  max_tokens: 64,
  messages: [{ role: "user", content: "Hello" }]
}

const message = { id: "msg_01", type: "message", role: "assistant", model: "claude-sonnet-4-5" }

const delta = (text: string): string => event("content_block_delta", { index: 0, delta: { type: "text_delta", text } })

const errorTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  529: "overloaded_error",
  503: "overloaded_error",
  504: "timeout_error"
}

export const errorText = (type: string, text: string): string =>
  `{"type":"error","error":{"type":"${type}","message":${JSON.stringify(text)}}}`

export const fixture = Fixture.make({
  dialect: "messages",
  model: request.model,
  blocking: { body: request },
  streaming: { body: { ...request, stream: true } },
  answerText: JSON.stringify({ ...message, content: [{ type: "text", text: "Hello" }] }),
  events: [
    event("message_start", { message: { ...message, content: [], usage: { input_tokens: 3, output_tokens: 1 } } }),
    event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    event("ping"),
    delta("Grüße, 世界 👋"),
    delta(`a "message_stop" in a text`),
    event("content_block_stop", { index: 0 }),
    event("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 12 } }),
    event("message_stop")
  ],
  errorText: (status, text) =>
    errorText(errorTypes[status] ?? (status >= 500 ? "api_error" : "invalid_request_error"), text),
  errorEvent: (text) => `event: error\ndata: ${errorText("api_error", text)}\n\n`,
  upstreamErrorEvent: `event: error\ndata: ${errorText("overloaded_error", "Overloaded")}\n\n`,
  ping: `event: ping\ndata: {"type": "ping"}\n\n`,
  modelsText: JSON.stringify({ data: [{ id: "claude-sonnet-4-5", type: "model" }], has_more: false })
})
