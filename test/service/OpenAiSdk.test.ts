import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type OpenAI from "openai"
import { APIError, AuthenticationError, InternalServerError, RateLimitError } from "openai"
import * as Table from "../Table.ts"
import * as TestOpenAi from "./TestOpenAi.ts"
import { call, collect, scripted } from "./TestOpenAiSdk.ts"
import * as TestService from "./TestService.ts"

const messages = [{ role: "user" as const, content: "Hello" }]

/** The ways to ask for a text. */
const ways = [
  {
    way: "a chat completion",
    target: "POST /v1/chat/completions",
    answer: TestOpenAi.chat("Hello there"),
    text: async (client: OpenAI) =>
      (await client.chat.completions.create({ model: "gpt-test", messages })).choices[0]?.message.content
  },
  {
    way: "a stream of chat chunks",
    target: "POST /v1/chat/completions",
    answer: TestOpenAi.streamed(TestOpenAi.chatEvents(["Hello", " there"])),
    text: async (client: OpenAI) => {
      const chunks = await collect(await client.chat.completions.create({ model: "gpt-test", messages, stream: true }))
      return chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")
    }
  },
  {
    way: "a response",
    target: "POST /v1/responses",
    answer: TestOpenAi.responses("Hello there"),
    text: async (client: OpenAI) => (await client.responses.create({ model: "gpt-test", input: "Hello" })).output_text
  },
  {
    way: "a streamed response",
    target: "POST /v1/responses",
    answer: TestOpenAi.streamed(TestOpenAi.responseEvents(["Hello", " there"])),
    text: async (client: OpenAI) =>
      (await client.responses.stream({ model: "gpt-test", input: "Hello" }).finalResponse()).output_text
  }
]

const failovers = [
  { what: "a key that works", before: [] },
  { what: "a limited and a revoked key before", before: [TestOpenAi.limited(30), TestOpenAi.revoked] }
]

const rows = Table.times(ways, failovers)

describe("The OpenAI SDK", () => {
  it.live.each(rows)("gets $way, with $what", ({ target, answer, text, before }) =>
    Effect.gen(function* () {
      const { client, seen } = yield* scripted(3, [...before, answer])

      assert.strictEqual(yield* call(() => text(client)), "Hello there")
      assert.deepStrictEqual(
        seen.map(({ method, target: path, headers }) => [`${method} ${path}`, headers["authorization"]]),
        [...before, "answer"].map((_, index) => [target, `Bearer ${TestService.key(index)}`])
      )
      assert.notInclude(JSON.stringify(seen.map(({ headers }) => headers)), "token-1")
    })
  )

  it.live.each(ways)("gets a RateLimitError with the soonest recovery for $way", ({ text }) =>
    Effect.gen(function* () {
      const { client } = yield* scripted(2, [TestOpenAi.limited(30), TestOpenAi.limited(20)])

      const error = yield* Effect.flip(call(() => text(client)))

      assert.instanceOf(error, RateLimitError)
      assert.strictEqual(error.headers.get("retry-after"), "20")
      assert.strictEqual(error.code, "rate_limit_exceeded")
      assert.match(error.message, /all configured keys are rate-limited/)
    })
  )

  it.live.each(ways)("gets $way only once when all keys are revoked, however often it may try", ({ text }) =>
    Effect.gen(function* () {
      let calls = 0
      const counted: typeof fetch = (input, init) => {
        calls++
        return fetch(input, init)
      }
      const { client } = yield* scripted(1, [TestOpenAi.revoked], { maxRetries: 2, fetch: counted })

      const error = yield* Effect.flip(call(() => text(client)))

      assert.instanceOf(error, InternalServerError)
      assert.match(error.message, /all configured keys failed authentication/)
      assert.strictEqual(calls, 1)
    })
  )

  it.live("sees the usage of a chat stream only if it asked", () =>
    Effect.gen(function* () {
      const answer = TestOpenAi.streamed(TestOpenAi.chatEvents(["Hello"]))
      const { client, seen } = yield* scripted(1, [answer, answer])
      const ask = (options: { stream_options?: { include_usage: boolean } }) =>
        call(async () =>
          collect(await client.chat.completions.create({ model: "gpt-test", messages, stream: true, ...options }))
        )

      const silent = yield* ask({})
      const asked = yield* ask({ stream_options: { include_usage: true } })

      assert.lengthOf(silent, 2)
      assert.deepStrictEqual(
        asked.map(({ usage }) => usage?.total_tokens),
        [undefined, undefined, 15]
      )
      for (const { body } of seen) {
        assert.deepInclude(JSON.parse(String(body)), { stream_options: { include_usage: true } })
      }
    })
  )

  it.live("gets the gateway's message when a chat stream is cut, after all that came", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(2, [TestOpenAi.cut(TestOpenAi.chatEvents(["Hello"]).slice(0, 1))])
      const seen: Array<OpenAI.ChatCompletionChunk> = []

      const error = yield* Effect.flip(
        call(async () =>
          collect(await client.chat.completions.create({ model: "gpt-test", messages, stream: true }), seen)
        )
      )

      assert.instanceOf(error, APIError)
      assert.include(error.message, "upstream closed the stream early")
      assert.strictEqual(error.code, "server_error")
      assert.lengthOf(seen, 1)
    })
  )

  it.live("gets the gateway's message when a streamed response is cut, after all that came", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(2, [TestOpenAi.cut(TestOpenAi.responseEvents(["Hello"]).slice(0, 4))])
      const seen: Array<OpenAI.Responses.ResponseStreamEvent> = []

      const error = yield* Effect.flip(
        call(async () =>
          collect(await client.responses.create({ model: "gpt-test", input: "Hello", stream: true }), seen)
        )
      )

      assert.instanceOf(error, APIError)
      assert.include(error.message, "upstream closed the stream early")
      assert.lengthOf(seen, 4)
    })
  )

  it.live("is told that background responses are not supported", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* scripted(1, [])

      const error = yield* Effect.flip(
        call(() => client.responses.create({ model: "gpt-test", input: "Hello", background: true }))
      )

      assert.instanceOf(error, InternalServerError)
      assert.strictEqual(error.status, 501)
      assert.include(error.message, "background")
      assert.lengthOf(seen, 0)
    })
  )

  it.live("with a wrong token gets an AuthenticationError, and nothing goes upstream", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* scripted(1, [], { apiKey: "token-2" })

      const error = yield* Effect.flip(call(() => client.models.list()))

      assert.instanceOf(error, AuthenticationError)
      assert.lengthOf(seen, 0)
    })
  )

  it.live("sends the user's own key if the token is in x-aibridge-token, and gets its limit", () =>
    Effect.gen(function* () {
      const own = { apiKey: "sk-own", defaultHeaders: { "x-aibridge-token": "token-1" } }
      const { client, seen } = yield* scripted(2, [TestOpenAi.limited(7)], own)

      const error = yield* Effect.flip(call(() => client.chat.completions.create({ model: "gpt-test", messages })))

      assert.instanceOf(error, RateLimitError)
      assert.strictEqual(error.headers.get("retry-after"), "7")
      assert.deepStrictEqual(
        seen.map(({ headers }) => [headers["authorization"], headers["x-aibridge-token"]]),
        [["Bearer sk-own", undefined]]
      )
    })
  )
})
