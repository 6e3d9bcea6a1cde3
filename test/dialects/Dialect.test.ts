/** What must hold in every dialect; a new one is one row. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { InvalidBody } from "../../src/domain/GatewayError.ts"
import * as AnthropicMessages from "../../src/dialects/AnthropicMessages.ts"
import * as OpenAiChat from "../../src/dialects/OpenAiChat.ts"
import * as OpenAiResponses from "../../src/dialects/OpenAiResponses.ts"
import * as TapReading from "../relay/TapReading.ts"
import * as Bodies from "./Bodies.ts"

const dialects = [AnthropicMessages, OpenAiChat, OpenAiResponses].map(({ dialect }) => ({
  name: dialect.name,
  dialect
}))

const text = `a "quote"\nand a line\r\u2028 👋`

describe.each(dialects)("The dialect $name", ({ dialect }) => {
  it.each(Bodies.refused)("refuses $body with what is wrong", ({ body, problem }) => {
    const request = dialect.readRequest(Bodies.bytes(body))

    assert.deepStrictEqual(request, Result.fail(new InvalidBody({ detail: problem })))
  })

  it("says an error with any text as JSON on one line", () => {
    const body = dialect.renderError(400, text)

    assert.strictEqual(JSON.parse(body).error.message, text)
    assert.notMatch(body, /[\r\n]/)
  })

  it("says an error in a stream as one event, which is its last", () => {
    const event = new TextDecoder().decode(dialect.renderStreamError(text))

    assert.match(event, /^(?:event: error\n)?data: [^\n]+\n\n$/)
    assert.deepStrictEqual(TapReading.sawTerminal(dialect, [event]), [true])
  })

  it("does not end a stream with its keep-alive event", () => {
    const keepalive = new TextDecoder().decode(dialect.keepalive)

    assert.deepStrictEqual(TapReading.sawTerminal(dialect, [keepalive]), [false])
  })
})
