/** What a request says of the conversation: what the user asks, or which tool call it answers. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { dialect as anthropic } from "../../src/dialects/AnthropicMessages.ts"
import type { Dialect } from "../../src/dialects/Dialect.ts"
import { dialect as chat } from "../../src/dialects/OpenAiChat.ts"
import { dialect as responses } from "../../src/dialects/OpenAiResponses.ts"
import * as Bodies from "./Bodies.ts"

const read = (dialect: Dialect, members: object) =>
  Result.getOrThrow(dialect.readRequest(Bodies.bytes(JSON.stringify({ model: "m", ...members }))))

const user = (content: unknown) => ({ role: "user", content })
const assistant = (content: unknown) => ({ role: "assistant", content })
const text = (part: unknown) => ({ type: "text", text: part })
const inputText = (part: unknown) => ({ type: "input_text", text: part })
const image = { type: "image", source: {} }
const toolResult = (tool_use_id: unknown) => ({ type: "tool_result", tool_use_id, content: "ok" })
const tool = (tool_call_id: unknown) => ({ role: "tool", tool_call_id, content: "ok" })
const output = (call_id: unknown, type = "function_call_output") => ({ type, call_id, output: "ok" })

describe("The prompt of a request of Anthropic Messages", () => {
  it.each([
    { messages: [user("hello")], prompt: "hello" },
    { messages: [user("")], prompt: "" },
    { messages: [user(" hello\n")], prompt: " hello\n" },
    { messages: [user([text("a")])], prompt: "a" },
    { messages: [user([text("context"), image, text("a"), image])], prompt: "a" },
    { messages: [user([text("a"), text("")])], prompt: "" },
    { messages: [user([text("a"), text(1), { type: "text" }])], prompt: "a" },
    { messages: [user([toolResult("toolu_1"), text("and now?")])], prompt: "and now?" },
    { messages: [user("first"), assistant("yes"), user("second")], prompt: "second" },
    { messages: [user("first"), assistant("yes")], prompt: undefined },
    { messages: [user("first"), user([image])], prompt: undefined },
    { messages: [user("first"), user([toolResult("toolu_1")])], prompt: undefined },
    { messages: [user([])], prompt: undefined },
    { messages: [user(null)], prompt: undefined },
    { messages: [{ role: "user" }], prompt: undefined },
    { messages: [user({ type: "text", text: "a" })], prompt: undefined },
    { messages: [user([inputText("a")])], prompt: undefined },
    { messages: [user(["a", null, 1])], prompt: undefined },
    { messages: [{ content: "a" }], prompt: undefined },
    { messages: ["a"], prompt: undefined },
    { messages: [null], prompt: undefined },
    { messages: [], prompt: undefined },
    { messages: "a", prompt: undefined },
    { messages: user("a"), prompt: undefined },
    { messages: null, prompt: undefined }
  ])("is $prompt for $messages", ({ messages, prompt }) => {
    assert.strictEqual(read(anthropic, { messages }).prompt, prompt)
  })
})

describe("The prompt of a request of OpenAI Chat Completions", () => {
  it.each([
    { messages: [user("hello")], prompt: "hello" },
    { messages: [user("")], prompt: undefined },
    { messages: [user([text("context"), { type: "image_url" }, text("a"), { type: "image_url" }])], prompt: "a" },
    { messages: [user([text("a"), text("")])], prompt: undefined },
    { messages: [user([text("a"), text(1)])], prompt: "a" },
    { messages: [user("first"), assistant("yes"), user("second")], prompt: "second" },
    { messages: [user("first"), assistant("yes")], prompt: undefined },
    { messages: [user("first"), { role: "tool", tool_call_id: "call_1", content: "ok" }], prompt: undefined },
    { messages: [user("first"), { role: "developer", content: "a" }], prompt: undefined },
    { messages: [user([{ type: "image_url" }])], prompt: undefined },
    { messages: [user([])], prompt: undefined },
    { messages: [user(null)], prompt: undefined },
    { messages: [], prompt: undefined },
    { messages: "a", prompt: undefined },
    { messages: null, prompt: undefined }
  ])("is $prompt for $messages, streamed or not", ({ messages, prompt }) => {
    assert.strictEqual(read(chat, { messages }).prompt, prompt)
    assert.strictEqual(read(chat, { messages, stream: true }).prompt, prompt)
  })
})

describe("The prompt of a request of OpenAI Responses", () => {
  it.each([
    { input: "hello", prompt: "hello" },
    { input: "", prompt: "" },
    { input: [user("hello")], prompt: "hello" },
    { input: [user("")], prompt: "" },
    {
      input: [{ type: "message", ...user([inputText("a"), { type: "input_image" }, inputText("b")]) }],
      prompt: "a\nb"
    },
    { input: [user([inputText("")])], prompt: "" },
    { input: [user([inputText(1), inputText("b"), inputText(null)])], prompt: "b" },
    { input: [user([inputText(1)])], prompt: undefined },
    { input: [user([text("a")])], prompt: undefined },
    { input: [user([])], prompt: undefined },
    { input: [user(null)], prompt: undefined },
    { input: [{ role: "user" }], prompt: undefined },
    { input: [user("first"), assistant("yes")], prompt: undefined },
    { input: [user("first"), { type: "function_call_output", call_id: "call_1" }], prompt: undefined },
    { input: [{ role: "developer", content: "a" }], prompt: undefined },
    { input: ["a"], prompt: undefined },
    { input: [], prompt: undefined },
    { input: null, prompt: undefined },
    { input: 1, prompt: undefined },
    { input: user("a"), prompt: undefined }
  ])("is $prompt for $input", ({ input, prompt }) => {
    assert.strictEqual(read(responses, { input }).prompt, prompt)
  })
})

describe("The tool call that a request of Anthropic Messages answers", () => {
  it.each([
    { messages: [user([toolResult("toolu_1")])], id: "toolu_1" },
    { messages: [user([toolResult("toolu_1"), toolResult("toolu_2"), text("a")])], id: "toolu_2" },
    { messages: [user([toolResult("toolu_1"), toolResult(""), toolResult(1), toolResult(undefined)])], id: "toolu_1" },
    { messages: [user([toolResult("toolu_1")]), assistant("yes"), user([text("a")])], id: undefined },
    { messages: [user([{ type: "tool_use", tool_use_id: "toolu_1" }])], id: undefined },
    { messages: [user([text("a")])], id: undefined },
    { messages: [user("toolu_1")], id: undefined },
    { messages: [], id: undefined },
    { messages: null, id: undefined }
  ])("is $id for $messages", ({ messages, id }) => {
    assert.strictEqual(read(anthropic, { messages }).toolResultId, id)
  })
})

describe("The tool call that a request of OpenAI Chat Completions answers", () => {
  it.each([
    { messages: [user("a"), tool("call_1")], id: "call_1" },
    { messages: [tool("call_1"), tool("call_2")], id: "call_2" },
    { messages: [tool("call_1"), tool("")], id: undefined },
    { messages: [tool("call_1"), tool(1)], id: undefined },
    { messages: [tool("call_1"), user("a")], id: undefined },
    { messages: [{ ...user("a"), tool_call_id: "call_1" }], id: undefined },
    { messages: [], id: undefined },
    { messages: null, id: undefined }
  ])("is $id for $messages, streamed or not", ({ messages, id }) => {
    assert.strictEqual(read(chat, { messages }).toolResultId, id)
    assert.strictEqual(read(chat, { messages, stream: true }).toolResultId, id)
  })
})

describe("The tool call that a request of OpenAI Responses answers", () => {
  it.each([
    { input: [user("a"), output("call_1")], id: "call_1" },
    { input: [output("call_1"), output("call_2")], id: "call_2" },
    { input: [output("call_1", "custom_tool_call_output")], id: "call_1" },
    { input: [output("call_1"), output("")], id: undefined },
    { input: [output("call_1"), output(1)], id: undefined },
    { input: [output("call_1"), user("a")], id: undefined },
    { input: [output("call_1", "function_call")], id: undefined },
    { input: "call_1", id: undefined },
    { input: [], id: undefined },
    { input: null, id: undefined }
  ])("is $id for $input", ({ input, id }) => {
    assert.strictEqual(read(responses, { input }).toolResultId, id)
  })
})
