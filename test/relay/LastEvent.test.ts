import { assert, describe, it } from "@effect/vitest"
import * as AnthropicMessages from "../../src/dialects/AnthropicMessages.ts"
import * as OpenAiChat from "../../src/dialects/OpenAiChat.ts"
import * as OpenAiResponses from "../../src/dialects/OpenAiResponses.ts"
import { sawTerminal as saw } from "./TapReading.ts"

describe("The last event of Anthropic Messages", () => {
  it.each([
    { behaviour: "named message_stop", chunks: ["event: message_stop\ndata: {}\n\n"] },
    { behaviour: "named error", chunks: ["event: error\ndata: {}\n\n"] },
    { behaviour: "named without a space", chunks: ["event:message_stop\ndata:{}\n\n"] },
    { behaviour: "named after its data", chunks: ["data: {}\nevent: message_stop\n\n"] },
    { behaviour: "without a name, by its type", chunks: [`data: {"type":"message_stop"}\n\n`] },
    { behaviour: "without a name, by its type with blanks", chunks: [`data: { "type" : "error" }\n\n`] },
    { behaviour: "without a name, by a type that comes later", chunks: [`data: {"n":9,"type":"error"}\n\n`] },
    { behaviour: "with a comment", chunks: [": x\nevent: message_stop\n: y\ndata: {}\n\n"] },
    { behaviour: "in pieces", chunks: ["e", "vent: mess", "age_stop", "\ndata: {}", "\n", "\n"] }
  ])("is seen when it is $behaviour", ({ chunks }) => {
    assert.deepStrictEqual(saw(AnthropicMessages.dialect, chunks), [true])
  })

  it.each([
    { behaviour: "not complete", chunks: ["event: message_stop\ndata: {}\n"] },
    { behaviour: "named otherwise", chunks: ["event: message_stopped\ndata: {}\n\n"] },
    { behaviour: "of the same length", chunks: ["event: message_stap\ndata: {}\n\n"] },
    { behaviour: "named in other case", chunks: ["event: MESSAGE_STOP\ndata: {}\n\n"] },
    { behaviour: "named in a comment", chunks: [": event: message_stop\n\n"] },
    { behaviour: "named in the data", chunks: ["event: x\ndata: event: message_stop\n\n"] },
    { behaviour: "typed in the data of a named event", chunks: [`event: ping\ndata: {"type":"message_stop"}\n\n`] },
    { behaviour: "typed in a text", chunks: [`data: {"text":"\\"type\\":\\"message_stop\\""}\n\n`] },
    { behaviour: "typed in data before another name", chunks: [`data: {"type":"message_stop"}\nevent: ping\n\n`] },
    { behaviour: "typed in what is no object", chunks: [`data: [{"type":"message_stop"}]\n\n`] },
    { behaviour: "typed after more than a space", chunks: [`data:  {"type":"message_stop"}\n\n`] },
    { behaviour: "named in another event", chunks: ["event: message_stop", "x\n\n", "data: {}\n\n"] },
    { behaviour: "one of another dialect", chunks: ["data: [DONE]\n\nevent: response.completed\ndata: {}\n\n"] }
  ])("is not seen when it is $behaviour", ({ chunks }) => {
    assert.deepStrictEqual(saw(AnthropicMessages.dialect, chunks), [false])
  })
})

describe("The last event of OpenAI Chat Completions", () => {
  it.each([
    { behaviour: "[DONE]", chunks: ["data: [DONE]\n\n"] },
    { behaviour: "[DONE] without a space", chunks: ["data:[DONE]\n\n"] },
    { behaviour: "[DONE] and blanks", chunks: ["data: [DONE]  \t\n\n"] },
    { behaviour: "[DONE] and more blanks than are looked at", chunks: [`data: [DONE]${" ".repeat(100)}\n\n`] },
    { behaviour: "[DONE] with a name", chunks: ["event: message\ndata: [DONE]\n\n"] },
    { behaviour: "[DONE] with a name that comes later", chunks: ["data: [DONE]\nevent: message\n\n"] },
    { behaviour: "[DONE] with an id, a comment and a retry", chunks: ["id: 1\n: x\nretry: 1\ndata: [DONE]\n\n"] },
    { behaviour: "[DONE] in pieces", chunks: ["d", "ata: ", "[", "DO", "NE]", "\n", "\n"] },
    { behaviour: "an error", chunks: [`data: {"error":{"message":"no"}}\n\n`] },
    { behaviour: "an error without a space", chunks: [`data:{"error":{"message":"no"}}\n\n`] },
    { behaviour: "an error with blanks", chunks: [`data: { "error" : { "message": "no" } }\n\n`] },
    { behaviour: "an error with tabs", chunks: [`data: {\t"error"\t:\t{ "message": "no" } }\n\n`] },
    { behaviour: "an error that is a text", chunks: [`data: {"error":"no"}\n\n`] },
    { behaviour: "an error with a name", chunks: [`event: error\ndata: {"error":{"message":"no"}}\n\n`] },
    { behaviour: "an error in pieces", chunks: [`data: {"err`, `or":`, `{}}\n`, `\n`] },
    { behaviour: "an error of several lines", chunks: [`data: {"error":{\ndata: "message":"no"}}\n\n`] },
    { behaviour: "an error of 100 KiB", chunks: [`data: {"error":{"message":"${"x".repeat(100 * 1024)}"}}\n\n`] }
  ])("is seen when it is $behaviour", ({ chunks }) => {
    assert.deepStrictEqual(saw(OpenAiChat.dialect, chunks), [true])
  })

  it.each([
    { behaviour: "not complete", chunks: ["data: [DONE]\n"] },
    { behaviour: "longer", chunks: ["data: [DONE]x\n\n"] },
    { behaviour: "in another case", chunks: ["data: [done]\n\n"] },
    { behaviour: "after more than a space", chunks: ["data:  [DONE]\n\n"] },
    { behaviour: "within a text", chunks: [`data: {"x":"[DONE]"}\n\n`] },
    { behaviour: "a text", chunks: [`data: "[DONE]"\n\n`] },
    { behaviour: "in a comment", chunks: [": [DONE]\n\n"] },
    { behaviour: "a name", chunks: ["event: [DONE]\ndata: {}\n\n"] },
    { behaviour: "an id", chunks: ["id: [DONE]\ndata: {}\n\n"] },
    { behaviour: "a line of longer data", chunks: ["data: {\ndata: [DONE]\n\n"] },
    { behaviour: "a name of another dialect", chunks: ["event: message_stop\ndata: {}\n\n"] },
    { behaviour: "no error", chunks: [`data: {"error":null,"choices":[]}\n\n`] },
    { behaviour: "an error within", chunks: [`data: {"choices":[{"error":{}}]}\n\n`] },
    { behaviour: "an error in a text", chunks: [`data: {"x":"{\\"error\\":{"}\n\n`] },
    { behaviour: "an error in the text of pieces", chunks: [`data: {"x":"`, `{"error":{`, `"}\n\n`] },
    { behaviour: "another member", chunks: [`data: {"errors":{"message":"no"}}\n\n`] }
  ])("is not seen when it is $behaviour", ({ chunks }) => {
    assert.deepStrictEqual(saw(OpenAiChat.dialect, chunks), [false])
  })
})

const responseEnds = ["response.completed", "response.failed", "response.incomplete", "error"].map((name) => ({ name }))

describe.each(responseEnds)("The last event of OpenAI Responses, $name,", ({ name }) => {
  it.each([
    { behaviour: "named", chunks: [`event: ${name}\ndata: {}\n\n`] },
    { behaviour: "named without a space", chunks: [`event:${name}\ndata:{}\n\n`] },
    { behaviour: "named after its data", chunks: [`data: {}\nevent: ${name}\n\n`] },
    { behaviour: "without a name, by its type", chunks: [`data: {"type":"${name}","sequence_number":9}\n\n`] },
    { behaviour: "without a name, by its type with blanks", chunks: [`data: { "type" : "${name}" }\n\n`] },
    { behaviour: "without a name, by a type that comes later", chunks: [`data: {"n":9,"type":"${name}"}\n\n`] },
    { behaviour: "named in pieces", chunks: ["ev", "ent: ", ...name, "\n", "data: {}\n", "\n"] },
    { behaviour: "typed in pieces", chunks: [`data: {"ty`, `pe":"`, ...name, `"}`, "\n", "\n"] }
  ])("is seen when it is $behaviour", ({ chunks }) => {
    assert.deepStrictEqual(saw(OpenAiResponses.dialect, chunks), [true])
  })

  it.each([
    { behaviour: "not complete", chunks: [`event: ${name}\ndata: {}\n`] },
    { behaviour: "longer", chunks: [`event: ${name}d\ndata: {}\n\n`] },
    { behaviour: "longer in pieces", chunks: [`event: ${name}`, "d", "\ndata: {}\n\n"] },
    { behaviour: "of the same length", chunks: [`event: ${name.slice(0, -1)}x\ndata: {}\n\n`] },
    { behaviour: "in another case", chunks: [`event: ${name.toUpperCase()}\ndata: {}\n\n`] },
    { behaviour: "another type", chunks: [`data: {"type":"x.${name}"}\n\n`] },
    { behaviour: "typed in a text", chunks: [`data: {"delta":"\\"type\\":\\"${name}\\""}\n\n`] },
    {
      behaviour: "typed in the data of another event",
      chunks: [`event: response.queued\ndata: {"type":"${name}"}\n\n`]
    },
    { behaviour: "typed in what is no object", chunks: [`data: [{"type":"${name}"}]\n\n`] },
    { behaviour: "in a comment", chunks: [`: event: ${name}\n\n`] }
  ])("is not seen when it is $behaviour", ({ chunks }) => {
    assert.deepStrictEqual(saw(OpenAiResponses.dialect, chunks), [false])
  })
})
