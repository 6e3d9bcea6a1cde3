import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { InvalidBody, Unsupported } from "../../src/domain/GatewayError.ts"
import { dialect } from "../../src/dialects/OpenAiResponses.ts"
import * as Bodies from "./Bodies.ts"

const { bytes } = Bodies

describe("A request of OpenAI Responses", () => {
  it.each([
    { body: `{"model":"gpt"}`, summary: { model: "gpt", stream: false } },
    ...Bodies.streams.map(({ member, stream }) => ({
      body: `{"model":"gpt",${member}}`,
      summary: { model: "gpt", stream }
    })),
    { body: `{"model":"gpt","background":false}`, summary: { model: "gpt", stream: false } },
    { body: `{"model":"gpt","background":null}`, summary: { model: "gpt", stream: false } },
    { body: `{"model":"gpt","background":0}`, summary: { model: "gpt", stream: false } },
    { body: `{"model":"gpt","background":"no"}`, summary: { model: "gpt", stream: false } },
    { body: `{"model":"gpt","background":true,"background":false}`, summary: { model: "gpt", stream: false } },
    { body: `{"model":"gpt","input":{"background":true}}`, summary: { model: "gpt", stream: false } },
    { body: `{"model":"gpt","stream":true,"stream_options":{}}`, summary: { model: "gpt", stream: true } },
    { body: `{"model":"gpt","metadata":{"user_id":"u"},"user":"u"}`, summary: { model: "gpt", stream: false } },
    { body: `{"stream":false,"model":"a","model":"b"}`, summary: { model: "b", stream: false } },
    { body: `{"model":" ","input":123}`, summary: { model: " ", stream: false } },
    { body: `\ufeff {"model":"modèle 👋"}\n`, summary: { model: "modèle 👋", stream: false } }
  ])("$body says what is wanted, and goes upstream as it is", ({ body, summary }) => {
    const sent = bytes(body)

    const request = dialect.readRequest(sent)

    assert.deepStrictEqual(request, Result.succeed({ ...Bodies.saysNothing, ...summary, body: sent }))
    assert.strictEqual(Result.getOrThrow(request).body, sent)
  })

  it.each([{ value: `true` }, { value: `"true"` }, { value: `1` }])(
    "is not supported in the background ($value), and says what to do",
    ({ value }) => {
      const detail = `background requests are currently not supported: leave out "background", or set it to false`
      for (const stream of [true, false]) {
        const body = bytes(`{"model":"gpt","background":${value},"stream":${stream}}`)
        assert.deepStrictEqual(dialect.readRequest(body), Result.fail(new Unsupported({ detail })))
      }
    }
  )

  it("must have a model even in the background", () => {
    const problem = `"model" is missing`

    const request = dialect.readRequest(bytes(`{"background":true}`))

    assert.deepStrictEqual(request, Result.fail(new InvalidBody({ detail: problem })))
  })
})

describe("An error in a stream of OpenAI Responses", () => {
  it("is an event with the documented members and with those that OpenAI really sends", () => {
    const event = new TextDecoder().decode(dialect.renderStreamError(`a\n"b" 👋`))
    const [name, data = "", ...rest] = event.split("\n")
    const message = `a\n"b" 👋`

    assert.strictEqual(name, "event: error")
    assert.deepStrictEqual(rest, ["", ""])
    assert.deepStrictEqual(JSON.parse(data.slice("data: ".length)), {
      type: "error",
      code: "server_error",
      message,
      param: null,
      sequence_number: 0,
      error: { message, type: "api_error", param: null, code: "server_error" }
    })
  })
})

describe("The keep-alive event of OpenAI Responses", () => {
  it("is none, as OpenAI documents none", () => {
    assert.isUndefined(dialect.keepalive)
  })
})
