/** Anthropic Messages as an upstream sends them, and an upstream that answers with them in turn. */
import * as Effect from "effect/Effect"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import type { Exchange, TestServer } from "../upstream/TestServer.ts"

/** What one request gets: these bytes, or whatever is done with it. */
export type Answer = Uint8Array | ((exchange: Exchange) => Effect.Effect<void>)

/** Answers the n-th request with the n-th answer; the requests so far. A request beyond the last answer gets none. */
export const script = Effect.fnUntraced(function* (upstream: TestServer, answers: ReadonlyArray<Answer>) {
  const seen: Array<Exchange> = []
  yield* Effect.forkScoped(
    Effect.forever(
      Effect.flatMap(upstream.eventually, (exchange) => {
        const answer = answers[seen.length]
        seen.push(exchange)
        if (answer === undefined) return Effect.void
        return answer instanceof Uint8Array ? exchange.write(answer) : answer(exchange)
      })
    )
  )
  return seen
})

export const message = (text: string) => ({
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-test",
  content: [{ type: "text", text }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { input_tokens: 10, output_tokens: 5 }
})

export const blocking = (text: string): Buffer => TestAnswer.json(200, message(text), [["request-id", "req_1"]])

const event = (data: { readonly type: string; readonly [member: string]: unknown }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`

const begun = (words: ReadonlyArray<string>): string =>
  [
    event({ type: "message_start", message: { ...message(""), content: [], stop_reason: null } }),
    event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
    ...words.map((text) => event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }))
  ].join("")

const ended = [
  event({ type: "content_block_stop", index: 0 }),
  event({
    type: "message_delta",
    delta: { stop_reason: "end_turn", stop_sequence: null },
    usage: { output_tokens: 5 }
  }),
  event({ type: "message_stop" })
].join("")

/** The events of a whole stream that says these words. */
export const events = (words: ReadonlyArray<string>): string => begun(words) + ended

/** A whole stream that says these words. */
export const streamed = (words: ReadonlyArray<string>): Buffer =>
  Buffer.concat([
    Buffer.from(TestAnswer.eventStreamHead()),
    TestAnswer.chunk(events(words)),
    Buffer.from(TestAnswer.lastChunk)
  ])

/** The beginning of a stream. */
export const unfinished: Buffer = Buffer.concat([
  Buffer.from(TestAnswer.eventStreamHead()),
  TestAnswer.chunk(begun(["Hello"]))
])

/** A stream that begins and breaks off. */
export const cut: Answer = (exchange) => Effect.andThen(exchange.write(unfinished), exchange.reset)

const error = (type: string, text: string) => ({ type: "error", error: { type, message: text } })

export const limited = (seconds: number): Buffer =>
  TestAnswer.json(429, error("rate_limit_error", "this key is over its limit"), [["retry-after", String(seconds)]])

export const revoked: Buffer = TestAnswer.json(401, error("authentication_error", "invalid x-api-key"))
