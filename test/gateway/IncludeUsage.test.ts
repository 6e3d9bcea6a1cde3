import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Chat from "./Chat.ts"
import * as Setup from "./Setup.ts"

const { fixture } = Chat
const headers = { authorization: "Bearer any" }

/** The chat routes of all vendors. */
const chats = Calls.everyones
  .filter((call) => call.fixture === fixture && call.isStreaming)
  .map(({ path }) => ({ path }))

const unasked = `{ "model":"gpt-5.1",  "stream" : true, "é":"\\u00e9", "x":1.0 }\n`
const asked = `{"stream_options":{"include_usage": true},"model":"gpt-5.1","stream":true}`

const sent = Effect.map(Setup.requests, (all) => all.map((request) => request.text))

describe("The body of a chat request", () => {
  const edited = [
    {
      options: "no options",
      body: unasked,
      upstream: `{ "model":"gpt-5.1",  "stream" : true, "é":"\\u00e9", "x":1.0 ,"stream_options":{"include_usage":true}}\n`
    },
    {
      options: "include_usage false",
      body: `{"stream_options":{"include_usage" :\tfalse, "x":1.0},"model":"m","stream":true}`,
      upstream: `{"stream_options":{"include_usage" :\ttrue, "x":1.0},"model":"m","stream":true}`
    }
  ]

  it.effect.each(Table.times(chats, edited))(
    "with $options asks for usage, and the client does not see it: $path",
    ({ path, body, upstream }) =>
      Effect.gen(function* () {
        const { text } = yield* TestGateway.fetch(path, { headers, body })

        assert.deepStrictEqual(yield* sent, [upstream])
        assert.strictEqual(text, Chat.eventsWithoutUsage.join(""))
        assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
      }).pipe(Effect.provide(Setup.layer([fixture.stream200])))
  )

  const untouched = [
    { options: "include_usage true", body: asked },
    { options: "options that are a text", body: `{"model":"m","stream":true,"stream_options":"x"}` },
    { options: "options that are a list", body: `{"model":"m","stream":true,"stream_options":[]}` }
  ]

  it.effect.each(Table.times(chats, untouched))(
    "with $options is the client's own, and so is the stream: $path",
    ({ path, body }) =>
      Effect.gen(function* () {
        const { text } = yield* TestGateway.fetch(path, { headers, body })

        assert.deepStrictEqual(yield* sent, [body])
        assert.strictEqual(text, fixture.streamText)
      }).pipe(Effect.provide(Setup.layer([fixture.stream200])))
  )

  it.effect.each(
    Table.times(chats, [
      { body: `{"model":"m"}` },
      { body: `{"model":"m", "stream":false}` },
      { body: `{"model":"m","stream":null,"stream_options":null}` },
      { body: `{"model":"m","stream":false,"stream_options":{"include_usage":false}}` }
    ])
  )("for a whole answer is the client's own: $body to $path", ({ path, body }) =>
    Effect.gen(function* () {
      const { text } = yield* TestGateway.fetch(path, { headers, body })

      assert.deepStrictEqual(yield* sent, [body])
      assert.strictEqual(text, fixture.answerText)
    }).pipe(Effect.provide(Setup.layer([fixture.answer200])))
  )

  it.effect("is edited once for all attempts", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch("/openai/v1/chat/completions", { body: `{"model":"m","stream":true}` })

      const upstream = `{"model":"m","stream":true,"stream_options":{"include_usage":true}}`
      assert.deepStrictEqual(yield* sent, [upstream, upstream, upstream])
    }).pipe(Effect.provide(Setup.layer([fixture.error(429), fixture.error(401), fixture.stream200], { keys: 3 })))
  )
})

describe("The body of a request in another dialect", () => {
  it.effect.each(Calls.unchangedStreams.filter((call) => call.fixture !== fixture))("is never edited: $call", (call) =>
    Effect.gen(function* () {
      const { text } = yield* TestGateway.fetch(call.path, { body: unasked })

      assert.deepStrictEqual(yield* sent, [unasked])
      assert.strictEqual(text, call.text)
    }).pipe(Effect.provide(Setup.layer([call.good])))
  )
})
