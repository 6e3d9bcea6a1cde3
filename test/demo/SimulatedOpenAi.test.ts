import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { AuthenticationError, NotFoundError, OpenAI, RateLimitError } from "openai"
import * as TestHttp from "../service/TestHttp.ts"
import * as TestSimulated from "./TestSimulated.ts"

const text = "Hello from the simulated provider. No account was used."

const question = { model: "gpt-test", messages: [{ role: "user" as const, content: "Hello" }] }
const input = { model: "gpt-test", input: "Hello" }

const parameters = { type: "object", properties: {} }
const chatTool = { type: "function" as const, function: { name: "look", parameters } }
const tool = { type: "function" as const, name: "look", parameters, strict: false }

/** The SDK with a vendor's third key. */
const connect = Effect.fnUntraced(function* (vendor: TestSimulated.Vendor) {
  const simulated = yield* TestSimulated.start
  const { baseUrl, key } = simulated.of(vendor)
  const withKey = (apiKey: string) => new OpenAI({ baseURL: baseUrl, apiKey, maxRetries: 0 })
  return { ...simulated, key, withKey, client: withKey(key(2)) }
})

/** Calls the SDK; whatever it throws is a value. */
const call = <A>(promise: () => Promise<A>) => Effect.tryPromise({ try: promise, catch: (error) => error })

const collect = <A>(promise: () => Promise<AsyncIterable<A>>) =>
  call(async () => {
    const all: Array<A> = []
    for await (const each of await promise()) all.push(each)
    return all
  })

describe.each([TestSimulated.openai, TestSimulated.copilot])("The OpenAI SDK at the simulated $type", (vendor) => {
  it.live("gets a chat completion from the model that it asks for, also if it offers tools", () =>
    Effect.gen(function* () {
      const { client } = yield* connect(vendor)

      for (const tools of [{}, { tools: [chatTool] }]) {
        const { model, object, choices, usage } = yield* call(() =>
          client.chat.completions.create({ ...question, ...tools })
        )

        assert.deepStrictEqual([model, object], ["gpt-test", "chat.completion"])
        assert.deepInclude(choices[0], { index: 0, finish_reason: "stop" })
        assert.deepInclude(choices[0]?.message, { role: "assistant", content: text, refusal: null })
        assert.deepInclude(usage, { prompt_tokens: 12, completion_tokens: 11, total_tokens: 23 })
      }
    })
  )

  it.live("gets a streamed chat completion, without usage as it did not ask for it", () =>
    Effect.gen(function* () {
      const { client } = yield* connect(vendor)

      const chunks = yield* collect(() => client.chat.completions.create({ ...question, stream: true }))

      assert.deepStrictEqual([...new Set(chunks.map(({ model }) => model))], ["gpt-test"])
      const choices = chunks.map((chunk) => chunk.choices[0])
      assert.strictEqual(choices[0]?.delta.role, "assistant")
      assert.strictEqual(choices.map((choice) => choice?.delta.content ?? "").join(""), text)
      assert.deepStrictEqual(
        choices.map((choice) => choice?.finish_reason),
        [...chunks.slice(1).map(() => null), "stop"]
      )
      for (const chunk of chunks) assert.notProperty(chunk, "usage")
    })
  )

  it.live("gets the usage of a stream in a chunk of its own when it asks for it", () =>
    Effect.gen(function* () {
      const { client } = yield* connect(vendor)
      const request = { ...question, stream: true as const, stream_options: { include_usage: true } }

      const [chunks, completion] = yield* Effect.all(
        [
          collect(() => client.chat.completions.create(request)),
          call(() => client.chat.completions.stream(request).finalChatCompletion())
        ],
        { concurrency: 2 }
      )

      const last = chunks.at(-1)
      assert.deepStrictEqual(last?.choices, [])
      assert.deepInclude(last?.usage, { prompt_tokens: 12, completion_tokens: 11, total_tokens: 23 })
      for (const chunk of chunks.slice(0, -1)) {
        assert.lengthOf(chunk.choices, 1)
        assert.isNull(chunk.usage)
      }
      assert.strictEqual(completion.choices[0]?.message.content, text)
      assert.strictEqual(completion.usage?.total_tokens, 23)
    })
  )

  it.live("gets a response from the model that it asks for, also if it offers tools", () =>
    Effect.gen(function* () {
      const { client } = yield* connect(vendor)

      for (const tools of [{}, { tools: [tool] }]) {
        const response = yield* call(() => client.responses.create({ ...input, ...tools }))

        assert.deepInclude(response, { object: "response", status: "completed", model: "gpt-test", output_text: text })
        assert.deepInclude(response.usage, { input_tokens: 12, output_tokens: 11, total_tokens: 23 })
      }
    })
  )

  it.live("gets a streamed response whose end is the response", () =>
    Effect.gen(function* () {
      const { client } = yield* connect(vendor)

      const [events, streamed, blocking] = yield* Effect.all(
        [
          collect(() => client.responses.create({ ...input, stream: true })),
          call(() => client.responses.stream(input).finalResponse()),
          call(() => client.responses.create(input))
        ],
        { concurrency: 3 }
      )

      assert.deepStrictEqual(
        [...new Set(events.map(({ type }) => type))],
        [
          "response.created",
          "response.in_progress",
          "response.output_item.added",
          "response.content_part.added",
          "response.output_text.delta",
          "response.output_text.done",
          "response.content_part.done",
          "response.output_item.done",
          "response.completed"
        ]
      )
      assert.deepStrictEqual(
        events.map((event) => event.sequence_number),
        events.map((_, index) => index)
      )
      const deltas = events.flatMap((event) => (event.type === "response.output_text.delta" ? [event.delta] : []))
      assert.isAbove(deltas.length, 1)
      assert.strictEqual(deltas.join(""), text)
      assert.strictEqual(streamed.model, "gpt-test")
      assert.strictEqual(streamed.output_text, blocking.output_text)
      assert.deepStrictEqual(streamed.usage, blocking.usage)
    })
  )

  it.live("gets a response again by its id, and an error by another one", () =>
    Effect.gen(function* () {
      const { client } = yield* connect(vendor)
      const { id, output } = yield* call(() => client.responses.create(input))

      const again = yield* call(() => client.responses.retrieve(id))
      const error = yield* Effect.flip(call(() => client.responses.retrieve("resp_other")))

      assert.deepStrictEqual(again.output, output)
      assert.instanceOf(error, NotFoundError)
    })
  )

  it.live("lists models, and finds any by its name", () =>
    Effect.gen(function* () {
      const { client } = yield* connect(vendor)

      const { data } = yield* call(() => client.models.list())
      const listed = yield* call(() => client.models.retrieve(data[0]?.id ?? ""))
      const other = yield* call(() => client.models.retrieve("gpt-test"))

      assert.deepStrictEqual([listed], data)
      assert.deepInclude(other, { id: "gpt-test", object: "model" })
    })
  )

  it.live("could read its streams from the wire: chats end in [DONE], responses name their events", () =>
    Effect.gen(function* () {
      const { ask, key } = yield* connect(vendor)
      const body = TestHttp.message({ stream: true })

      const [chat, response] = yield* Effect.forEach(
        ["/chat/completions", "/responses"],
        Effect.fnUntraced(function* (path) {
          const answer = yield* ask(vendor, key(2), { path, body })
          return { type: answer.headers["content-type"], text: yield* answer.text }
        }),
        { concurrency: 2 }
      )

      assert.strictEqual(chat?.type, "text/event-stream; charset=utf-8")
      assert.match(chat?.text ?? "", /^(?:data: \{.*\}\n\n)+data: \[DONE\]\n\n$/)
      assert.strictEqual(response?.type, "text/event-stream; charset=utf-8")
      assert.match(response?.text ?? "", /^(?:event: (\S+)\ndata: \{"type":"\1",.*\}\n\n)+$/)
    })
  )
})

describe("The OpenAI SDK at the simulated openai", () => {
  it.live("knows a wrong key and a limited one by their errors", () =>
    Effect.gen(function* () {
      const { withKey, key } = yield* connect(TestSimulated.openai)
      const limited = withKey(key(0))
      yield* call(() => limited.models.list())

      const wrong = yield* Effect.flip(call(() => withKey("sk-of-somebody").chat.completions.create(question)))
      const over = yield* Effect.flip(call(() => limited.responses.create(input)))

      assert.instanceOf(wrong, AuthenticationError)
      assert.strictEqual(wrong.code, "invalid_api_key")
      assert.instanceOf(over, RateLimitError)
      assert.strictEqual(over.code, "rate_limit_exceeded")
      assert.strictEqual(over.headers.get("retry-after"), "10")
    })
  )
})
