/** Chat completions and responses as an upstream of OpenAI's kind sends them. */
import * as Effect from "effect/Effect"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import type { Answer } from "./TestMessages.ts"

const completion = { id: "chatcmpl-1", created: 1_764_000_000, model: "gpt-test" }
const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }

export const chat = (content: string): Buffer =>
  TestAnswer.json(200, {
    ...completion,
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", content, refusal: null }, finish_reason: "stop" }],
    usage
  })

/** One chunk as an event. */
export const chunk = (members: Readonly<Record<string, unknown>>): string =>
  `data: ${JSON.stringify({ ...completion, object: "chat.completion.chunk", ...members })}\n\n`

const delta = (members: object, finish: string | null = null): string =>
  chunk({ choices: [{ index: 0, delta: { role: "assistant", ...members }, finish_reason: finish }] })

/** The last chunk of a stream whose request asked for usage. */
export const usageOnly = chunk({ choices: [], usage })

/** A chat stream that says these words, with usage. */
export const chatEvents = (words: ReadonlyArray<string>): ReadonlyArray<string> => [
  ...words.map((content) => delta({ content })),
  delta({}, "stop"),
  usageOnly,
  "data: [DONE]\n\n"
]

/** A chat stream that calls a tool, its arguments in pieces. */
export const toolEvents = (name: string, pieces: ReadonlyArray<string>): ReadonlyArray<string> => [
  toolDelta({ id: "call_1", type: "function", function: { name, arguments: "" } }),
  ...pieces.map((piece) => toolDelta({ function: { arguments: piece } })),
  delta({}, "tool_calls"),
  usageOnly,
  "data: [DONE]\n\n"
]

const toolDelta = (call: object): string => delta({ tool_calls: [{ index: 0, ...call }] })

const response = (text: string, status: string) => ({
  id: "resp_1",
  object: "response",
  created_at: 1_764_000_000,
  model: "gpt-test",
  status,
  error: null,
  incomplete_details: null,
  output:
    status === "completed"
      ? [
          {
            id: "msg_1",
            type: "message",
            role: "assistant",
            status: "completed",
            content: [{ type: "output_text", text, annotations: [] }]
          }
        ]
      : [],
  usage: status === "completed" ? { input_tokens: 10, output_tokens: 5, total_tokens: 15 } : null
})

export const responses = (text: string): Buffer => TestAnswer.json(200, response(text, "completed"))

/** A stream of responses that says these words. */
export const responseEvents = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  const text = words.join("")
  const item = { id: "msg_1", type: "message", role: "assistant", status: "in_progress", content: [] }
  const part = { type: "output_text", text: "", annotations: [] }
  const place = { item_id: "msg_1", output_index: 0, content_index: 0 }
  return numbered([
    { type: "response.created", response: response("", "in_progress") },
    { type: "response.output_item.added", output_index: 0, item },
    { type: "response.content_part.added", ...place, part },
    ...words.map((word) => ({ type: "response.output_text.delta", ...place, delta: word, logprobs: [] })),
    { type: "response.output_text.done", ...place, text, logprobs: [] },
    { type: "response.completed", response: response(text, "completed") }
  ])
}

/** A stream of responses that calls a tool. */
export const callEvents = (name: string, args: string): ReadonlyArray<string> => {
  const item = { id: "fc_1", type: "function_call", call_id: "call_1", name, arguments: args, status: "completed" }
  const place = { item_id: "fc_1", output_index: 0 }
  return numbered([
    { type: "response.created", response: response("", "in_progress") },
    {
      type: "response.output_item.added",
      output_index: 0,
      item: { ...item, arguments: "", status: "in_progress" }
    },
    { type: "response.function_call_arguments.delta", ...place, delta: args },
    { type: "response.function_call_arguments.done", ...place, arguments: args },
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response: { ...response("", "completed"), output: [item] } }
  ])
}

interface Event {
  readonly type: string
  readonly [member: string]: unknown
}

const numbered = (events: ReadonlyArray<Event>): ReadonlyArray<string> =>
  events.map(
    (event, index) => `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: index })}\n\n`
  )

/** A whole stream. */
export const streamed = (events: ReadonlyArray<string>): Buffer =>
  Buffer.concat([
    Buffer.from(TestAnswer.eventStreamHead()),
    ...events.map((event) => TestAnswer.chunk(event)),
    Buffer.from(TestAnswer.lastChunk)
  ])

/** A stream that begins with these events and stays open. */
export const unfinished = (events: ReadonlyArray<string>): Buffer =>
  Buffer.concat([Buffer.from(TestAnswer.eventStreamHead()), ...events.map((event) => TestAnswer.chunk(event))])

/** A stream that begins with these events and breaks off. */
export const cut =
  (events: ReadonlyArray<string>): Answer =>
  (exchange) =>
    Effect.andThen(exchange.write(unfinished(events)), exchange.reset)

const error = (type: string, code: string, message: string) => ({ error: { message, type, param: null, code } })

export const limited = (seconds: number): Buffer =>
  TestAnswer.json(429, error("requests", "rate_limit_exceeded", "this key is over its limit"), [
    ["retry-after", String(seconds)]
  ])

export const revoked: Buffer = TestAnswer.json(
  401,
  error("invalid_request_error", "invalid_api_key", "Incorrect API key provided")
)
