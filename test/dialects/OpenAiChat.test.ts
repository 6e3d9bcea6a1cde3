import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
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

    const expected = { ...Bodies.saysNothing, model, stream: false, body: sent }
    assert.deepStrictEqual(request, Result.succeed(expected))
    assert.strictEqual(Result.getOrThrow(request).body, sent)
  })

  it.each(Bodies.streams)("wants a stream with $member: $stream", ({ member, stream }) => {
    const request = Result.getOrThrow(dialect.readRequest(bytes(`{"model":"gpt",${member}}`)))

    assert.strictEqual(request.stream, stream)
    assert.strictEqual(request.userId, undefined)
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
  })
})

describe("The keep-alive event of OpenAI Chat Completions", () => {
  it("is none, as OpenAI documents none", () => {
    assert.isUndefined(dialect.keepalive)
  })
})
