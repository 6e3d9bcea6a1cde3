// What the scripted upstream answers, byte for byte: the upstream writes it and the load generator checks it.

export type Kind = "blocking" | "tools" | "burst" | "paced" | "idle"

export const isKind = (value: unknown): value is Kind =>
  value === "blocking" || value === "tools" || value === "burst" || value === "paced" || value === "idle"

/** The request header that selects the answer. It is end-to-end, so every proxy has to forward it. */
export const kindHeader = "x-bench"

export const eventsPerStream = 200
export const eventsPerSecond = 40

const blockingBytes = 2048
const requestBytes = 1024

const event = (name: string, data: object) =>
  Buffer.from(`event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`)

const message = {
  id: "msg_01XFDUDYJgAACzvnptvVoYEL",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-4-5",
  stop_sequence: null
}

export const messageStart = event("message_start", {
  message: { ...message, content: [], stop_reason: null, usage: { input_tokens: 25, output_tokens: 1 } }
})

export const delta = event("content_block_delta", {
  index: 0,
  delta: { type: "text_delta", text: " a few words of an answer, as they come" }
})

const opening = [messageStart, event("content_block_start", { index: 0, content_block: { type: "text", text: "" } })]

const closing = [
  event("content_block_stop", { index: 0 }),
  event("message_delta", { delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 195 } }),
  event("message_stop", {})
]

/** The events of a whole stream, in order. */
export const events: ReadonlyArray<Buffer> = [
  ...opening,
  ...Array.from({ length: eventsPerStream - opening.length - closing.length }, () => delta),
  ...closing
]

const paddedJson = (size: number, build: (text: string) => object) => {
  const bare = Buffer.byteLength(JSON.stringify(build("")))
  return Buffer.from(JSON.stringify(build("a".repeat(size - bare))))
}

/** The blocking answer: a message of 2 KB. */
export const blockingAnswer = paddedJson(blockingBytes, (text) => ({
  ...message,
  content: [{ type: "text", text }],
  stop_reason: "end_turn",
  usage: { input_tokens: 25, output_tokens: 400 }
}))

const toolCall = { type: "tool_use", id: "toolu_01A09q90qw90lq917835lq9", name: "Read", input: { path: "src/main.ts" } }

/** The same with the call of a tool, whose result the next request brings. */
export const toolAnswer = paddedJson(blockingBytes, (text) => ({
  ...message,
  content: [{ type: "text", text }, toolCall],
  stop_reason: "tool_use",
  usage: { input_tokens: 25, output_tokens: 400 }
}))

const streamBytes = events.reduce((total, each) => total + each.length, 0)

/** How many body bytes a complete answer has; an idle stream has only its first event. */
export const answerBytes: Record<Kind, number> = {
  blocking: blockingAnswer.length,
  tools: toolAnswer.length,
  burst: streamBytes,
  paced: streamBytes,
  idle: messageStart.length
}

const requestBody = (stream: boolean) =>
  paddedJson(requestBytes, (content) => ({
    model: message.model,
    max_tokens: 1024,
    stream,
    messages: [{ role: "user", content }]
  }))

const streamingBody = requestBody(true)

/** The request body that goes with each kind, 1 KB. */
export const requestBodies: Record<Kind, Buffer> = {
  blocking: requestBody(false),
  tools: paddedJson(requestBytes, (content) => ({
    model: message.model,
    max_tokens: 1024,
    messages: [
      { role: "user", content: "Go on." },
      { role: "assistant", content: [toolCall] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: toolCall.id, content }] }
    ]
  })),
  burst: streamingBody,
  paced: streamingBody,
  idle: streamingBody
}
