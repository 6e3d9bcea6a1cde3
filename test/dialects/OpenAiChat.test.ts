import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { InvalidBody } from "../../src/domain/GatewayError.ts"
import { dialect } from "../../src/dialects/OpenAiChat.ts"
import * as Bodies from "./Bodies.ts"

const { bytes } = Bodies

describe("A request of OpenAI Chat Completions", () => {
  it.each([
    { body: `{"model":"gpt"}`, model: "gpt" },
    ...Bodies.streams
      .filter(({ stream }) => !stream)
      .map(({ member }) => ({ body: `{"model":"gpt",${member}}`, model: "gpt" })),
    { body: `{"model":"gpt","stream_options":{"include_usage":false}}`, model: "gpt" },
    { body: `{"model":"gpt","stream":false,"stream_options":null}`, model: "gpt" },
    { body: `{"model":"gpt","background":true,"user":"u","metadata":{"user_id":"u"}}`, model: "gpt" },
    { body: `{"messages":1,"model":"a","model":"b"}`, model: "b" },
    { body: `{"model":" "}`, model: " " },
    { body: `\ufeff {"model":"modèle 👋"}\n`, model: "modèle 👋" }
  ])("$body wants no stream, and goes upstream as it is", ({ body, model }) => {
    const sent = bytes(body)

    const request = dialect.readRequest(sent)

    const expected = { model, stream: false, userId: undefined, body: sent, omitted: undefined }
    assert.deepStrictEqual(request, Result.succeed(expected))
    assert.strictEqual(Result.getOrThrow(request).body, sent)
  })

  it.each(Bodies.streams)("wants a stream with $member: $stream", ({ member, stream }) => {
    const request = Result.getOrThrow(dialect.readRequest(bytes(`{"model":"gpt",${member}}`)))

    assert.strictEqual(request.stream, stream)
    assert.strictEqual(request.userId, undefined)
  })

  it.each(Bodies.refused)("$body is refused with what is wrong", ({ body, problem }) => {
    assert.deepStrictEqual(dialect.readRequest(bytes(body)), Result.fail(new InvalidBody({ detail: problem })))
  })
})

describe("An error in a stream of OpenAI Chat Completions", () => {
  it("is an event without a name, and the stream's last one", () => {
    const event = new TextDecoder().decode(dialect.renderStreamError(`a\n"b" 👋`))
    const [data = "", ...rest] = event.split("\n")

    assert.deepStrictEqual(rest, ["", ""])
    assert.deepStrictEqual(JSON.parse(data.slice("data: ".length)), {
      error: { message: `a\n"b" 👋`, type: "api_error", param: null, code: "server_error" }
    })
    assert.isTrue(dialect.isTerminalData(data.slice("data: ".length)))
  })
})

describe("The end of a stream of OpenAI Chat Completions", () => {
  it("is no event with a name", () => {
    assert.deepStrictEqual([...dialect.terminalEvents], [])
  })

  it.each([
    { head: "[DONE]", isTerminal: true },
    { head: "[DONE] \t", isTerminal: true },
    { head: `{"error":{"message":"no"}}`, isTerminal: true },
    { head: `{"error":{`, isTerminal: true },
    { head: `{"error":"no"}`, isTerminal: true },
    { head: `{ "error" : {`, isTerminal: true },
    { head: `{"error":null,"choices":[]}`, isTerminal: false },
    { head: `{"errors":{}}`, isTerminal: false },
    { head: `{"id":"x","error":`, isTerminal: false },
    { head: `{"x":"[DONE]"}`, isTerminal: false },
    { head: `"[DONE]"`, isTerminal: false },
    { head: "x [DONE]", isTerminal: false },
    { head: `{"choices":[{"error":{"message":"no"}}]}`, isTerminal: false },
    { head: "[DONE]x", isTerminal: false },
    { head: "[done]", isTerminal: false },
    { head: "DONE", isTerminal: false },
    { head: "", isTerminal: false }
  ])("is told by its data: $head", ({ head, isTerminal }) => {
    assert.strictEqual(dialect.isTerminalData(head), isTerminal)
  })

  it("is never put off by a keep-alive event, there is none", () => {
    assert.isUndefined(dialect.keepalive)
  })
})
