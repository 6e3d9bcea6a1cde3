/** What an upstream of the Anthropic kind says: events of a stream, a message, a list of models, errors. */
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"

/** One event on the wire. */
export const event = (name: string, data: Readonly<Record<string, unknown>> = {}): string =>
  `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`

const message = { id: "msg_01", type: "message", role: "assistant", model: "claude-sonnet-4-5" }

const delta = (text: string): string => event("content_block_delta", { index: 0, delta: { type: "text_delta", text } })

/** A short stream, event by event, up to its last one. */
export const events: ReadonlyArray<string> = [
  event("message_start", { message: { ...message, content: [], usage: { input_tokens: 3, output_tokens: 1 } } }),
  event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
  event("ping"),
  delta("Grüße, 世界 👋"),
  delta(`a "message_stop" in a text`),
  event("content_block_stop", { index: 0 }),
  event("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 12 } }),
  event("message_stop")
]

export const streamText = events.join("")

export const messageText = JSON.stringify({ ...message, content: [{ type: "text", text: "Hello" }] })

export const modelsText = JSON.stringify({ data: [{ id: "claude-sonnet-4-5", type: "model" }], has_more: false })

/** The keep-alive event. */
export const ping = `event: ping\ndata: {"type": "ping"}\n\n`

export const errorText = (type: string, text: string): string =>
  JSON.stringify({ type: "error", error: { type, message: text } })

/** The event that ends a stream which broke off. */
export const errorEvent = (text: string): string => `event: error\ndata: ${errorText("api_error", text)}\n\n`

export const cutEvent = errorEvent("upstream closed the stream early")

const errorTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  429: "rate_limit_error"
}

/** An error answer as the provider makes it. */
export const error = (status: number, retryAfter?: string): ScriptedUpstream.Answer =>
  ScriptedUpstream.text(status, upstreamErrorText(status), {
    "content-type": "application/json",
    ...(retryAfter !== undefined && { "retry-after": retryAfter })
  })

export const upstreamErrorText = (status: number): string =>
  errorText(errorTypes[status] ?? "api_error", `the upstream's own ${status}`)

const json = { "content-type": "application/json" }

/** The good answers. */
export const message200 = ScriptedUpstream.text(200, messageText, json)
export const models200 = ScriptedUpstream.text(200, modelsText, json)
export const stream200 = ScriptedUpstream.events(events)
