/** What is said where tools of the gateway's own are used, in each dialect: by clients, by upstreams, and what is read of it. */
import * as Json from "../../src/domain/Json.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import type * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Fixture from "./Fixture.ts"

/** A call of a tool: its name, and its arguments as JSON text. */
export type Call = readonly [name: string, args: string]

export interface Talk {
  readonly dialect: string
  readonly path: string
  readonly request: (stream: boolean) => TestGateway.RequestOptions
  /** An answer that says something, if it is not empty, and then calls. */
  readonly calls: (stream: boolean, text: string, ...calls: ReadonlyArray<Call>) => ScriptedUpstream.Answer
  readonly says: (stream: boolean, text: string) => ScriptedUpstream.Answer
  readonly error: (status: number, type: string) => ScriptedUpstream.Answer
  /** The names of the tools that an upstream request offers. */
  readonly offered: (body: unknown) => ReadonlyArray<unknown>
  /** The results in an upstream request, by the call's id, with their texts. */
  readonly results: (body: unknown) => ReadonlyArray<readonly [id: unknown, text: string]>
  /** The text that a client reads out of an answer. */
  readonly textIn: (stream: boolean, answer: string) => string
  /** Tokens in and out, as the client reads them. */
  readonly usageIn: (stream: boolean, answer: string) => readonly [input: unknown, output: unknown]
  /** With what a stream begins that has committed before anything was said. */
  readonly begins: string | undefined
}

const events = (stream: string): ReadonlyArray<unknown> =>
  stream
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => Json.parse(line.slice("data: ".length)))

const at = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce((inner, name) => Json.member(inner, String(name)), value)

const strings = (values: ReadonlyArray<unknown>): string => values.filter((value) => typeof value === "string").join("")

/** Ten tokens in, and two out, each time. */
const messagesUsage = { input_tokens: 10, output_tokens: 2 }
const chatUsage = { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 }
const responsesUsage = { input_tokens: 10, output_tokens: 2, total_tokens: 12 }

const question = [{ role: "user", content: "Hello" }]

const messageContent = (text: string, calls: ReadonlyArray<Call>) => [
  ...(text === "" ? [] : [{ type: "text", text }]),
  ...calls.map(([name, args], index) => ({ type: "tool_use", id: `call_${index}`, name, input: Json.parse(args) }))
]

const messageEvents = (text: string, calls: ReadonlyArray<Call>): ReadonlyArray<string> => {
  const { event } = Fixture
  const message = { id: "msg_1", type: "message", role: "assistant", model: "a-model", content: [], stop_reason: null }
  return [
    event("message_start", { message: { ...message, usage: { input_tokens: 10, output_tokens: 1 } } }),
    ...(text === "" ? [] : blockEvents(0, { type: "text", text: "" }, { type: "text_delta", text })),
    ...calls.flatMap(([name, args], call) => {
      const block = { type: "tool_use", id: `call_${call}`, name, input: {} }
      return blockEvents(text === "" ? call : call + 1, block, { type: "input_json_delta", partial_json: args })
    }),
    event("message_delta", {
      delta: { stop_reason: calls.length > 0 ? "tool_use" : "end_turn" },
      usage: { output_tokens: 2 }
    }),
    event("message_stop")
  ]
}

const blockEvents = (index: number, content_block: object, delta: object): ReadonlyArray<string> => [
  Fixture.event("content_block_start", { index, content_block }),
  Fixture.event("content_block_delta", { index, delta }),
  Fixture.event("content_block_stop", { index })
]

const messagesAnswer = (stream: boolean, text: string, calls: ReadonlyArray<Call>) =>
  stream
    ? ScriptedUpstream.events(messageEvents(text, calls))
    : ScriptedUpstream.json(200, {
        id: "msg_1",
        type: "message",
        role: "assistant",
        model: "a-model",
        content: messageContent(text, calls),
        stop_reason: calls.length > 0 ? "tool_use" : "end_turn",
        usage: messagesUsage
      })

const messages: Talk = {
  dialect: "messages",
  path: "/anthropic/v1/messages",
  request: (stream) => ({ body: { model: "a-model", stream, max_tokens: 100, messages: question } }),
  calls: (stream, text, ...calls) => messagesAnswer(stream, text, calls),
  says: (stream, text) => messagesAnswer(stream, text, []),
  error: (status, type) => ScriptedUpstream.json(status, { type: "error", error: { type, message: `an own ${type}` } }),
  offered: (body) => Json.elements(at(body, "tools")).map((tool) => at(tool, "name")),
  results: (body) =>
    Json.elements(at(body, "messages")).flatMap((message) =>
      Json.elements(at(message, "content"))
        .filter((block) => at(block, "type") === "tool_result")
        .map(
          (block) =>
            [
              at(block, "tool_use_id"),
              strings(Json.elements(at(block, "content")).map((part) => at(part, "text")))
            ] as const
        )
    ),
  textIn: (stream, answer) =>
    stream
      ? strings(events(answer).map((event) => at(event, "delta", "text")))
      : strings(Json.elements(at(Json.parse(answer), "content")).map((block) => at(block, "text"))),
  usageIn: (stream, answer) => {
    const usage = stream
      ? at(
          events(answer).find((event) => at(event, "type") === "message_delta"),
          "usage"
        )
      : at(Json.parse(answer), "usage")
    return [at(usage, "input_tokens"), at(usage, "output_tokens")]
  },
  begins: "event: message_start"
}

const chatCalls = (calls: ReadonlyArray<Call>) =>
  calls.map(([name, args], index) => ({
    index,
    id: `call_${index}`,
    type: "function",
    function: { name, arguments: args }
  }))

const chunk = (choices: ReadonlyArray<object>, usage?: object) =>
  `data: ${JSON.stringify({ id: "chat_1", object: "chat.completion.chunk", choices, ...(usage && { usage }) })}\n\n`

const chatAnswer = (stream: boolean, text: string, calls: ReadonlyArray<Call>) => {
  const finish_reason = calls.length > 0 ? "tool_calls" : "stop"
  if (!stream) {
    const tool_calls = chatCalls(calls).map(({ id, type, function: called }) => ({ id, type, function: called }))
    const message = { role: "assistant", content: text || null, ...(calls.length > 0 && { tool_calls }) }
    return ScriptedUpstream.json(200, {
      id: "chat_1",
      choices: [{ index: 0, message, finish_reason }],
      usage: chatUsage
    })
  }
  const delta = (value: object, finished: string | null = null) =>
    chunk([{ index: 0, delta: value, finish_reason: finished }])
  return ScriptedUpstream.events([
    delta({ role: "assistant", content: "" }),
    ...(text === "" ? [] : [delta({ content: text })]),
    ...chatCalls(calls).map((call) => delta({ tool_calls: [call] })),
    delta({}, finish_reason),
    chunk([], chatUsage),
    "data: [DONE]\n\n"
  ])
}

const chat: Talk = {
  dialect: "chat",
  path: "/openai/v1/chat/completions",
  request: (stream) => ({
    body: { model: "a-model", stream, messages: question, ...(stream && { stream_options: { include_usage: true } }) }
  }),
  calls: (stream, text, ...calls) => chatAnswer(stream, text, calls),
  says: (stream, text) => chatAnswer(stream, text, []),
  error: (status, type) => ScriptedUpstream.json(status, { error: { type, message: `an own ${type}`, code: null } }),
  offered: (body) => Json.elements(at(body, "tools")).map((tool) => at(tool, "function", "name")),
  results: (body) =>
    Json.elements(at(body, "messages"))
      .filter((message) => at(message, "role") === "tool")
      .map((message) => [at(message, "tool_call_id"), mcpText(at(message, "content"))] as const),
  textIn: (stream, answer) =>
    stream
      ? strings(events(answer).map((event) => at(event, "choices", 0, "delta", "content")))
      : strings([at(Json.parse(answer), "choices", 0, "message", "content")]),
  usageIn: (stream, answer) => {
    const usage = stream
      ? at(
          events(answer).findLast((event) => at(event, "usage") !== undefined),
          "usage"
        )
      : at(Json.parse(answer), "usage")
    return [at(usage, "prompt_tokens"), at(usage, "completion_tokens")]
  },
  begins: "data: "
}

// The result is the text of MCP's own JSON.
const mcpText = (content: unknown): string =>
  strings(Json.elements(at(Json.parse(String(content)), "content")).map((part) => at(part, "text")))

const responseOutput = (text: string, calls: ReadonlyArray<Call>) => [
  ...(text === ""
    ? []
    : [{ type: "message", id: "item_t", role: "assistant", content: [{ type: "output_text", text }] }]),
  ...calls.map(([name, args], index) => ({
    type: "function_call",
    id: `item_${index}`,
    call_id: `call_${index}`,
    name,
    arguments: args,
    status: "completed"
  }))
]

const itemEvents = (item: ReturnType<typeof responseOutput>[number], output_index: number): ReadonlyArray<string> => {
  const { event } = Fixture
  const done = event("response.output_item.done", { output_index, item })
  if (item.type !== "message") return [event("response.output_item.added", { output_index, item }), done]
  const of = { item_id: item.id, output_index, content_index: 0 }
  const part = { type: "output_text", text: "", annotations: [] }
  return [
    event("response.output_item.added", { output_index, item: { ...item, content: [] } }),
    event("response.content_part.added", { ...of, part }),
    event("response.output_text.delta", { ...of, delta: textOf(item) }),
    done
  ]
}

const textOf = (item: object): unknown => at(item, "content", 0, "text")

const responsesAnswer = (stream: boolean, text: string, calls: ReadonlyArray<Call>) => {
  const output = responseOutput(text, calls)
  const response = { id: "resp_1", object: "response", status: "completed", output, usage: responsesUsage }
  if (!stream) return ScriptedUpstream.json(200, response)
  const { event } = Fixture
  return ScriptedUpstream.events([
    event("response.created", { response: { ...response, status: "in_progress", output: [], usage: null } }),
    ...output.flatMap(itemEvents),
    event("response.completed", { response })
  ])
}

const responses: Talk = {
  dialect: "responses",
  path: "/openai/v1/responses",
  request: (stream) => ({ body: { model: "a-model", stream, input: "Hello" } }),
  calls: (stream, text, ...calls) => responsesAnswer(stream, text, calls),
  says: (stream, text) => responsesAnswer(stream, text, []),
  error: chat.error,
  offered: (body) => Json.elements(at(body, "tools")).map((tool) => at(tool, "name")),
  results: (body) =>
    Json.elements(at(body, "input"))
      .filter((item) => at(item, "type") === "function_call_output")
      .map((item) => [at(item, "call_id"), mcpText(at(item, "output"))] as const),
  textIn: (stream, answer) =>
    stream
      ? strings(
          events(answer)
            .filter((event) => at(event, "type") === "response.output_text.delta")
            .map((event) => at(event, "delta"))
        )
      : strings(Json.elements(at(Json.parse(answer), "output")).map((item) => at(item, "content", 0, "text"))),
  usageIn: (stream, answer) => {
    const response = stream
      ? at(
          events(answer).find((event) => at(event, "type") === "response.completed"),
          "response"
        )
      : Json.parse(answer)
    return [at(response, "usage", "input_tokens"), at(response, "usage", "output_tokens")]
  },
  begins: undefined
}

export const all: ReadonlyArray<Talk> = [messages, chat, responses]

/** Each with and without a stream. */
export const rows = all.flatMap((talk) =>
  [false, true].map((stream) => ({
    talk,
    stream,
    name: `${stream ? "a stream" : "a whole answer"} of ${talk.dialect}`
  }))
)
