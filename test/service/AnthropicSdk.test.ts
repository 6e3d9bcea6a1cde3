import { Anthropic, APIError, AuthenticationError, InternalServerError, RateLimitError } from "@anthropic-ai/sdk"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestMessages from "./TestMessages.ts"
import * as TestService from "./TestService.ts"

const request = {
  model: "claude-test",
  max_tokens: 64,
  messages: [{ role: "user" as const, content: "Hello" }]
}

type Options = ConstructorParameters<typeof Anthropic>[0]

/** A service with keys, an upstream that answers in turn, and the SDK in front; it never tries again, unless told to. */
const scripted = Effect.fnUntraced(function* (
  keys: number,
  answers: ReadonlyArray<TestMessages.Answer>,
  options: Options = {}
) {
  const { upstream, url } = yield* TestService.withUpstream(keys, { AIBRIDGE_TOKENS: "ada=token-1" })
  const seen = yield* TestMessages.script(upstream, answers)
  const client = new Anthropic({ baseURL: `${url}/anthropic`, apiKey: "token-1", maxRetries: 0, ...options })
  return { client, seen }
})

/** Calls the SDK; whatever it throws is a value. */
const call = <A>(promise: () => Promise<A>) => Effect.tryPromise({ try: promise, catch: (error) => error })

const keysOf = (seen: ReadonlyArray<{ readonly headers: Readonly<Record<string, string>> }>) =>
  seen.map(({ headers }) => headers["x-api-key"])

const failovers = [
  { what: "a key that works", before: [] },
  { what: "a limited key before", before: [TestMessages.limited(30)] },
  { what: "a revoked key before", before: [TestMessages.revoked] },
  { what: "a limited and a revoked key before", before: [TestMessages.limited(30), TestMessages.revoked] }
]

describe("The Anthropic SDK", () => {
  it.live.each(failovers)("gets a message, with $what", ({ before }) =>
    Effect.gen(function* () {
      const { client, seen } = yield* scripted(3, [...before, TestMessages.blocking("Hello there")])

      const message = yield* call(() => client.messages.create(request))

      assert.deepInclude(message.content[0], { type: "text", text: "Hello there" })
      assert.deepStrictEqual(
        keysOf(seen),
        [...before, "answer"].map((_, index) => TestService.key(index))
      )
    })
  )

  it.live.each(failovers)("gets a stream, with $what", ({ before }) =>
    Effect.gen(function* () {
      const { client, seen } = yield* scripted(3, [...before, TestMessages.streamed(["Hello", " there"])])

      const message = yield* call(() => client.messages.stream(request).finalMessage())

      assert.deepInclude(message.content[0], { type: "text", text: "Hello there" })
      assert.strictEqual(message.stop_reason, "end_turn")
      assert.strictEqual(message.usage.output_tokens, 5)
      assert.lengthOf(seen, before.length + 1)
    })
  )

  it.live("sends its token as a Bearer, and it goes no further", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* scripted(1, [TestMessages.blocking("Hello")])

      yield* call(() => client.messages.create(request))

      assert.strictEqual(seen[0]?.headers["x-api-key"], TestService.key(0))
      assert.notProperty(seen[0]?.headers, "authorization")
      assert.notInclude(JSON.stringify(seen[0]?.headers), "token-1")
    })
  )

  it.live("with a wrong token gets an AuthenticationError, and nothing goes upstream", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* scripted(1, [], { apiKey: "token-2" })

      const error = yield* Effect.flip(call(() => client.messages.create(request)))

      assert.instanceOf(error, AuthenticationError)
      assert.lengthOf(seen, 0)
    })
  )

  it.live("sends the user's own key if the token is in x-aibridge-token, and gets its limit", () =>
    Effect.gen(function* () {
      const own = { apiKey: "sk-own", defaultHeaders: { "x-aibridge-token": "token-1" } }
      const { client, seen } = yield* scripted(2, [TestMessages.blocking("Hello"), TestMessages.limited(7)], own)

      yield* call(() => client.messages.create(request))
      const error = yield* Effect.flip(call(() => client.messages.create(request)))

      assert.deepStrictEqual(
        seen.map(({ headers }) => [headers["authorization"], headers["x-api-key"], headers["x-aibridge-token"]]),
        [
          ["Bearer sk-own", undefined, undefined],
          ["Bearer sk-own", undefined, undefined]
        ]
      )
      assert.instanceOf(error, RateLimitError)
      assert.strictEqual(error.headers.get("retry-after"), "7")
    })
  )

  it.live("gets a RateLimitError with the soonest recovery when all keys are limited", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* scripted(2, [TestMessages.limited(30), TestMessages.limited(20)])

      const error = yield* Effect.flip(call(() => client.messages.create(request)))

      assert.instanceOf(error, RateLimitError)
      assert.strictEqual(error.headers.get("retry-after"), "20")
      assert.match(String(error.apiMessage), /^all configured keys are rate-limited/)
      assert.lengthOf(seen, 2)
    })
  )

  it.live("does not try again when all keys are revoked", () =>
    Effect.gen(function* () {
      let calls = 0
      const counted: typeof fetch = (input, init) => {
        calls++
        return fetch(input, init)
      }
      const options = { maxRetries: 2, fetch: counted }
      const { client, seen } = yield* scripted(2, [TestMessages.revoked, TestMessages.revoked], options)

      const error = yield* Effect.flip(call(() => client.messages.create(request)))

      assert.instanceOf(error, InternalServerError)
      assert.strictEqual(error.status, 502)
      assert.strictEqual(error.apiMessage, "all configured keys failed authentication")
      assert.strictEqual(calls, 1)
      assert.lengthOf(seen, 2)
    })
  )

  it.live("tries again when all keys were limited, and finds one that is back", () =>
    Effect.gen(function* () {
      const answers = [
        TestAnswer.json(429, {}, [["retry-after-ms", "5"]]),
        TestMessages.revoked,
        TestMessages.blocking("Hello again")
      ]
      const { client, seen } = yield* scripted(2, answers, { maxRetries: 1 })

      const message = yield* call(() => client.messages.create(request))

      assert.deepInclude(message.content[0], { text: "Hello again" })
      assert.deepStrictEqual(keysOf(seen), [TestService.key(0), TestService.key(1), TestService.key(0)])
    })
  )

  it.live("gets the gateway's message when a stream is cut, after all that came", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* scripted(2, [TestMessages.cut])
      const types: Array<string> = []

      const error = yield* Effect.flip(
        call(async () => {
          for await (const event of await client.messages.create({ ...request, stream: true })) types.push(event.type)
        })
      )

      assert.instanceOf(error, APIError)
      assert.strictEqual(error.type, "api_error")
      assert.include(error.message, "upstream closed the stream early")
      assert.deepStrictEqual(types, ["message_start", "content_block_start", "content_block_delta"])
      assert.lengthOf(seen, 1)
    })
  )

  it.live("ends the upstream's stream when it is aborted", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* scripted(2, [TestMessages.unfinished])
      const stream = yield* call(() => client.messages.create({ ...request, stream: true }))
      const first = yield* call(() => stream[Symbol.asyncIterator]().next())
      assert.deepInclude(first.value, { type: "message_start" })

      stream.controller.abort()

      assert.lengthOf(seen, 1)
      yield* Effect.forEach(seen, ({ closed }) => closed)
    })
  )

  it.live("lists models and counts tokens, with failover", () =>
    Effect.gen(function* () {
      const models = { data: [{ type: "model", id: "claude-test" }], has_more: false, first_id: null, last_id: null }
      const { client, seen } = yield* scripted(2, [
        TestMessages.limited(30),
        TestAnswer.json(200, models),
        TestAnswer.json(200, { input_tokens: 12 })
      ])

      const page = yield* call(() => client.models.list({ limit: 5 }))
      const count = yield* call(() => client.messages.countTokens({ model: request.model, messages: request.messages }))

      assert.deepStrictEqual(
        page.data.map(({ id }) => id),
        ["claude-test"]
      )
      assert.strictEqual(count.input_tokens, 12)
      assert.deepStrictEqual(
        seen.map(({ method, target }) => `${method} ${target}`),
        ["GET /v1/models?limit=5", "GET /v1/models?limit=5", "POST /v1/messages/count_tokens"]
      )
    })
  )
})
