/** Chat Completions, in the shapes that OpenAI documents. */
import { member } from "../domain/Json.ts"
import { created, inputTokens, outputTokens, text, words } from "./SimulatedVendor.ts"

export const completion = (model: string) => ({
  ...head("chat.completion", model),
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: text, refusal: null, annotations: [] },
      logprobs: null,
      finish_reason: "stop"
    }
  ],
  usage
})

/** A whole stream. With usage, every chunk has a member for it: `null` in all but the last one, which has nothing else. */
export const stream = (model: string, withUsage: boolean): ReadonlyArray<string> => {
  const chunk = (choices: ReadonlyArray<unknown>, used: typeof usage | null = null) =>
    data({ ...head("chat.completion.chunk", model), choices, ...(withUsage && { usage: used }) })
  const choice = (delta: object, finishReason: "stop" | null = null) =>
    chunk([{ index: 0, delta, logprobs: null, finish_reason: finishReason }])
  return [
    choice({ role: "assistant", content: "", refusal: null }),
    ...words.map((content) => choice({ content })),
    choice({}, "stop"),
    ...(withUsage ? [chunk([], usage)] : []),
    "data: [DONE]\n\n"
  ]
}

/** Whether a stream is to end with its usage. */
export const asksForUsage = (body: unknown): boolean => member(member(body, "stream_options"), "include_usage") === true

const usage = {
  prompt_tokens: inputTokens,
  completion_tokens: outputTokens,
  total_tokens: inputTokens + outputTokens,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0
  }
}

const head = (object: string, model: string) => ({
  id: "chatcmpl-simulated",
  object,
  created,
  model,
  service_tier: "default",
  system_fingerprint: "fp_simulated"
})

const data = (chunk: object): string => `data: ${JSON.stringify(chunk)}\n\n`
