/** OpenAI Responses, as its provider documents it: events with names and numbers. */
import * as Fixture from "./Fixture.ts"
import * as OpenAiShape from "./OpenAiShape.ts"

const request = {
  model: "gpt-5.1",
  input: [{ role: "user", content: [{ type: "input_text", text: "Weather in Paris and Rome?" }] }],
  tools: [{ type: "function", name: "weather", parameters: { type: "object" } }],
  previous_response_id: "resp_00"
}

const reasoning = {
  id: "rs_01",
  type: "reasoning",
  summary: [{ type: "summary_text", text: "Two cities, two calls." }]
}

const text = `Grüße, 世界 👋, a "response.completed" in a text`

const part = { type: "output_text", text, annotations: [], logprobs: [] }

const message = { id: "msg_01", type: "message", status: "completed", role: "assistant", content: [part] }

const call = (id: string, city: string) => ({
  id: `fc_${id}`,
  type: "function_call",
  status: "completed",
  call_id: `call_${id}`,
  name: "weather",
  arguments: `{"city":"${city}"}`
})

const output = [reasoning, message, call("a", "Paris"), call("b", "Rome")]

const usage = {
  input_tokens: 45,
  input_tokens_details: { cached_tokens: 5 },
  output_tokens: 60,
  output_tokens_details: { reasoning_tokens: 32 },
  total_tokens: 105
}

const response = (status: string, members: Readonly<Record<string, unknown>>) => ({
  id: "resp_01",
  object: "response",
  created_at: 1_700_000_000,
  status,
  error: null,
  model: "gpt-5.1-2025-11-13",
  previous_response_id: request.previous_response_id,
  ...members
})

const begun = { response: response("in_progress", { output: [], usage: null }) }
const completed = response("completed", { output, usage })

type Unnumbered = readonly [name: string, data: Readonly<Record<string, unknown>>]

const item = (index: number, ...between: ReadonlyArray<Unnumbered>): ReadonlyArray<Unnumbered> => [
  ["response.output_item.added", { output_index: index, item: { ...output[index], status: "in_progress" } }],
  ...between,
  ["response.output_item.done", { output_index: index, item: output[index] }]
]

const events: ReadonlyArray<Unnumbered> = [
  ["response.created", begun],
  ["response.in_progress", begun],
  ...item(0, [
    "response.reasoning_summary_text.delta",
    { item_id: "rs_01", output_index: 0, summary_index: 0, delta: "Two cities, two calls." }
  ]),
  ...item(
    1,
    ["response.content_part.added", { item_id: "msg_01", output_index: 1, content_index: 0, part }],
    ["response.output_text.delta", { item_id: "msg_01", output_index: 1, content_index: 0, delta: text }],
    ["response.output_text.done", { item_id: "msg_01", output_index: 1, content_index: 0, text }]
  ),
  ...item(2, [
    "response.function_call_arguments.delta",
    { item_id: "fc_a", output_index: 2, delta: `{"city":"Paris"}` }
  ]),
  ...item(3, [
    "response.function_call_arguments.done",
    { item_id: "fc_b", output_index: 3, arguments: `{"city":"Rome"}` }
  ]),
  ["response.completed", { response: completed }]
]

/** A stream's error has the documented members and those of an error answer. */
const errorEvent = (cause: string): string => {
  const members = `"code":"server_error","message":${JSON.stringify(cause)},"param":null,"sequence_number":0`
  return `event: error\ndata: {"type":"error",${members},"error":${OpenAiShape.errorMember(500, cause)}}\n\n`
}

export const fixture = Fixture.make({
  dialect: "responses",
  model: request.model,
  blocking: { body: request },
  streaming: { body: { ...request, stream: true } },
  answerText: JSON.stringify(completed),
  events: events.map(([name, data], index) => Fixture.event(name, { sequence_number: index, ...data })),
  errorText: OpenAiShape.errorText,
  errorEvent,
  upstreamErrorEvent: Fixture.event("error", { code: "server_error", message: "overloaded", param: null }),
  ping: undefined,
  modelsText: OpenAiShape.modelsText
})
