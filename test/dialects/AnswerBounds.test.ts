/** How much of an answer is kept, and how much is read. */
import { assert, describe, it, vi } from "@effect/vitest"
import { dialect as anthropic } from "../../src/dialects/AnthropicMessages.ts"
import type { Dialect } from "../../src/dialects/Dialect.ts"
import { dialect as chat } from "../../src/dialects/OpenAiChat.ts"
import { dialect as responses } from "../../src/dialects/OpenAiResponses.ts"
import type { Answer } from "../../src/domain/Usage.ts"
import * as Bodies from "./Bodies.ts"

const mebibyte = 1024 * 1024

const read = (dialect: Dialect, events: ReadonlyArray<unknown>): Answer => {
  const reader = dialect.answerReader()
  for (const event of events) reader.event(typeof event === "string" ? event : JSON.stringify(event))
  return reader.answer()
}
const whole = (dialect: Dialect, body: unknown): Answer => dialect.readAnswer(Bodies.bytes(JSON.stringify(body)))

const anthropicBlock = (index: number, content_block: object, deltas: ReadonlyArray<object> = []) => [
  { type: "content_block_start", index, content_block },
  ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
  { type: "content_block_stop", index }
]
const toolUse = (index: number) => ({ type: "tool_use", id: `id_${index}`, name: "read", input: {} })
const partialJson = (partial_json: string) => ({ type: "input_json_delta", partial_json })
const thinking = (text: string) => ({ type: "thinking_delta", thinking: text })
const chatCall = (index: number, args: string) => ({
  index,
  id: `id_${index}`,
  function: { name: "read", arguments: args }
})
const chatChunk = (...tool_calls: ReadonlyArray<object>) => ({
  id: "c",
  choices: [{ index: 0, delta: { tool_calls } }]
})
const chatWhole = (...tool_calls: ReadonlyArray<object>) => ({ choices: [{ index: 0, message: { tool_calls } }] })
const functionCall = (index: number, args: string) => ({
  type: "function_call",
  call_id: `id_${index}`,
  name: "read",
  arguments: args
})
const reasoning = (...texts: ReadonlyArray<string>) => ({
  type: "reasoning",
  summary: texts.map((text) => ({ type: "summary_text", text }))
})
const itemDone = (item: object) => ({ type: "response.output_item.done", output_index: 0, item })

const blocks = (index: number) => [
  ...anthropicBlock(index, toolUse(index)),
  ...anthropicBlock(index, { type: "thinking", thinking: `${index}` })
]

describe("Arguments of a call", () => {
  const rows: ReadonlyArray<{ readonly way: string; readonly read: (parts: ReadonlyArray<string>) => Answer }> = [
    {
      way: "Anthropic, streamed",
      read: (parts) => read(anthropic, anthropicBlock(0, toolUse(0), parts.map(partialJson)))
    },
    {
      way: "chat, streamed",
      read: (parts) => read(chat, [...parts.map((part) => chatChunk(chatCall(0, part))), "[DONE]"])
    },
    { way: "chat, whole", read: (parts) => whole(chat, chatWhole(chatCall(0, parts.join("")))) },
    { way: "Responses, streamed", read: (parts) => read(responses, [itemDone(functionCall(0, parts.join("")))]) },
    { way: "Responses, whole", read: (parts) => whole(responses, { output: [functionCall(0, parts.join(""))] }) }
  ]

  it.each(rows)("are kept up to 1 MiB, and cut beyond ($way)", (row) => {
    const exact = row.read(["a".repeat(mebibyte - 1), "b"])
    const more = row.read(["a".repeat(mebibyte - 1), "b", "c", "d".repeat(mebibyte)])

    assert.isTrue(exact.toolCalls[0]?.args === `${"a".repeat(mebibyte - 1)}b`)
    assert.isTrue(more.toolCalls[0]?.args === exact.toolCalls[0]?.args)
  })

  it.each(rows)("are not cut in the middle of a character ($way)", (row) => {
    const { toolCalls } = row.read(["a".repeat(mebibyte - 1), "👋", "b"])

    assert.isTrue(toolCalls[0]?.args === "a".repeat(mebibyte - 1))
  })

  it("are kept like its id and its name, which are cut, too", () => {
    const long = "a".repeat(mebibyte + 1)
    const called = { type: "tool_use", id: long, name: long, input: {} }

    const streamed = read(anthropic, anthropicBlock(0, called)).toolCalls[0]
    const kept = whole(anthropic, { content: [called] }).toolCalls[0]

    for (const one of [streamed, kept]) {
      assert.deepStrictEqual([one?.id.length, one?.name.length, one?.args], [mebibyte, mebibyte, "{}"])
    }
  })

  it("are empty if they are nested more deeply than can be printed", () => {
    const depth = 200_000
    const input = `${"[".repeat(depth)}${"]".repeat(depth)}`

    const answer = anthropic.readAnswer(
      Bodies.bytes(`{"content":[{"type":"tool_use","id":"a","name":"deep","input":${input}}]}`)
    )

    assert.deepStrictEqual(answer.toolCalls, [{ id: "a", name: "deep", args: "" }])
  })
})

describe("A thought", () => {
  it.each([
    {
      way: "Anthropic",
      read: (parts: ReadonlyArray<string>) =>
        read(anthropic, anthropicBlock(0, { type: "thinking", thinking: "" }, parts.map(thinking)))
    },
    { way: "Responses", read: (parts: ReadonlyArray<string>) => read(responses, [itemDone(reasoning(parts.join("")))]) }
  ])("is kept up to 1 MiB, and cut beyond ($way)", (row) => {
    const { thoughts } = row.read(["a".repeat(mebibyte), "b", "c"])

    assert.isTrue(thoughts[0]?.text === "a".repeat(mebibyte))
  })
})

describe("Of calls and thoughts", () => {
  const numbers = Array.from({ length: 201 }, (_, index) => index)
  const output = numbers.flatMap((index) => [functionCall(index, "{}"), reasoning(`${index}`)])

  it.each([
    { way: "Anthropic, streamed", answer: () => read(anthropic, numbers.flatMap(blocks)), thoughts: 200 },
    {
      way: "Anthropic, whole",
      answer: () => whole(anthropic, { content: numbers.map(toolUse) }),
      thoughts: 0
    },
    {
      way: "chat, streamed",
      answer: () => read(chat, [...numbers.map((index) => chatChunk(chatCall(index, ""))), "[DONE]"]),
      thoughts: 0
    },
    {
      way: "chat, whole",
      answer: () => whole(chat, chatWhole(...numbers.map((index) => chatCall(index, "")))),
      thoughts: 0
    },
    { way: "Responses, streamed", answer: () => read(responses, output.map(itemDone)), thoughts: 200 },
    { way: "Responses, whole", answer: () => whole(responses, { output }), thoughts: 200 }
  ])("the first 200 of each are kept ($way)", ({ answer, thoughts }) => {
    const kept = answer()

    assert.deepStrictEqual(
      kept.toolCalls.map(({ id }) => id),
      numbers.slice(0, 200).map((index) => `id_${index}`)
    )
    assert.strictEqual(kept.thoughts.length, thoughts)
  })

  it("no more than 200 are open at a time, where they overlap (Anthropic)", () => {
    const open = numbers.map((index) => ({ type: "content_block_start", index, content_block: toolUse(index) }))
    const stop = numbers.toReversed().map((index) => ({ type: "content_block_stop", index }))

    const { toolCalls } = read(anthropic, [...open, ...stop])

    assert.strictEqual(toolCalls.length, 200)
    assert.strictEqual(toolCalls[0]?.id, "id_199")
  })
})

describe("Pieces of text in a stream", () => {
  it.each([
    {
      name: "Anthropic",
      dialect: anthropic,
      first: { type: "message_start", message: { id: "msg_1" } },
      pieces: [
        { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: `"message_stop"` } },
        { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "Eq" } },
        { type: "ping" }
      ]
    },
    {
      name: "chat",
      dialect: chat,
      first: { id: "chatcmpl-1", choices: [] },
      pieces: [
        {
          id: "chatcmpl-1",
          choices: [{ delta: { content: `"usage":{"tool_calls":[` }, finish_reason: null }],
          usage: null
        }
      ]
    },
    {
      name: "Responses",
      dialect: responses,
      first: { type: "response.created", response: { id: "resp_1" } },
      pieces: [
        { type: "response.output_text.delta", delta: `"response.completed"` },
        { type: "response.in_progress", response: { id: "resp_1" } },
        { type: "response.output_item.added", item: { type: "message" } }
      ]
    }
  ])("are not parsed as JSON ($name)", ({ dialect, first, pieces }) => {
    const reader = dialect.answerReader()
    reader.event(JSON.stringify(first))
    const events = pieces.map((piece) => JSON.stringify(piece))
    const parse = vi.spyOn(JSON, "parse")

    for (const event of events) reader.event(event)
    const calls = parse.mock.calls.length
    parse.mockRestore()

    assert.strictEqual(calls, 0)
    assert.isDefined(reader.answer().messageId)
  })
})
