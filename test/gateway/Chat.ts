/** OpenAI Chat Completions, as its provider documents it: events without names, and a sentinel at the end. */
import * as Fixture from "./Fixture.ts"
import * as OpenAiShape from "./OpenAiShape.ts"

const request = {
  model: "gpt-5.1",
  messages: [{ role: "user", content: "Weather in Paris and Rome?" }],
  tools: [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }]
}

const about = { id: "chatcmpl-01", created: 1_700_000_000, model: "gpt-5.1-2025-11-13", service_tier: "default" }

const usage = {
  prompt_tokens: 45,
  completion_tokens: 60,
  total_tokens: 105,
  prompt_tokens_details: { cached_tokens: 5, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 32, accepted_prediction_tokens: 0 }
}

const toolCall = (id: string, city: string) => ({
  id,
  type: "function",
  function: { name: "weather", arguments: `{"city":"${city}"}` }
})

/** One event: a chunk, but for what is the same in all of a stream. */
export const chunk = (members: Readonly<Record<string, unknown>>): string =>
  `data: ${JSON.stringify({ object: "chat.completion.chunk", ...about, ...members })}\n\n`

const delta = (members: Readonly<Record<string, unknown>>, finish: string | null = null): string =>
  chunk({ choices: [{ index: 0, delta: members, finish_reason: finish }], usage: null })

const toolDelta = (index: number, members: Readonly<Record<string, unknown>>): string =>
  delta({ tool_calls: [{ index, ...members }] })

/** The event with the usage, the last but one of a stream that was asked for it. */
export const usageEvent = chunk({ choices: [], usage })

export const doneEvent = "data: [DONE]\n\n"

/** A stream up to its usage. */
const contentEvents: ReadonlyArray<string> = [
  delta({ role: "assistant", content: "", refusal: null }),
  delta({ reasoning_content: "Two cities, two calls." }),
  delta({ content: "Grüße, 世界 👋" }),
  delta({ content: `data: [DONE] and {"error":{}} and prompt_tokens in a text` }),
  toolDelta(0, { id: "call_a", type: "function", function: { name: "weather", arguments: "" } }),
  toolDelta(0, { function: { arguments: `{"city":"Paris"}` } }),
  toolDelta(1, { id: "call_b", type: "function", function: { name: "weather", arguments: `{"city":"Rome"}` } }),
  delta({}, "tool_calls")
]

/** The stream of a client that did not ask for usage, as it must see it. */
export const eventsWithoutUsage = [...contentEvents, doneEvent]

export const fixture = Fixture.make({
  dialect: "chat",
  model: request.model,
  blocking: { body: request },
  streaming: { body: { ...request, stream: true, stream_options: { include_usage: true } } },
  answerText: JSON.stringify({
    object: "chat.completion",
    ...about,
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: "Let me see.",
          reasoning_content: "Two cities, two calls.",
          tool_calls: [toolCall("call_a", "Paris"), toolCall("call_b", "Rome")],
          refusal: null
        },
        finish_reason: "tool_calls"
      }
    ],
    usage
  }),
  events: [...contentEvents, usageEvent, doneEvent],
  errorText: OpenAiShape.errorText,
  errorEvent: (message) => `data: ${OpenAiShape.errorText(500, message)}\n\n`,
  upstreamErrorEvent: `data: {"error": {"message": "overloaded", "type": "server_error", "param": null, "code": null}}\n\n`,
  ping: undefined,
  modelsText: OpenAiShape.modelsText
})
