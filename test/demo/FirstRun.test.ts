/** The service with nothing configured, as a client sees it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { AuthenticationError, OpenAI } from "openai"
import * as TestHttp from "../service/TestHttp.ts"
import * as TestService from "../service/TestService.ts"

const text = "Hello from the simulated provider. No account was used."

const question = { model: "gpt-test", messages: [{ role: "user" as const, content: "Hello" }] }
const input = { model: "gpt-test", input: "Hello" }

/** The SDK at a mount point; whatever it throws is a value. */
const sdk = (baseURL: string, defaultHeaders = {}) => {
  const client = new OpenAI({ baseURL, apiKey: "anything", maxRetries: 0, defaultHeaders })
  return <A>(ask: (client: OpenAI) => Promise<A>) =>
    Effect.tryPromise({ try: () => ask(client), catch: (error) => error })
}

const contentOf = async (client: OpenAI) => (await client.chat.completions.create(question)).choices[0]?.message.content

const chunksOf = async (client: OpenAI, options = {}) => {
  const chunks: Array<OpenAI.ChatCompletionChunk> = []
  for await (const chunk of await client.chat.completions.create({ ...question, ...options, stream: true })) {
    chunks.push(chunk)
  }
  return chunks
}

describe.each(["/openai/v1", "/copilot"])("With nothing configured the OpenAI SDK at %s", (mount) => {
  it.live("gets answers of every kind", () =>
    Effect.gen(function* () {
      const { url } = yield* TestService.start({})
      const call = sdk(url + mount)

      assert.strictEqual(yield* call(contentOf), text)
      assert.strictEqual((yield* call((client) => client.responses.create(input))).output_text, text)
      assert.strictEqual((yield* call((client) => client.responses.stream(input).finalResponse())).output_text, text)
      assert.lengthOf((yield* call((client) => client.models.list())).data, 1)
      assert.strictEqual((yield* call((client) => client.models.retrieve("gpt-test"))).id, "gpt-test")
    })
  )

  it.live("gets the usage of a streamed chat only if it asks for it", () =>
    Effect.gen(function* () {
      const { url } = yield* TestService.start({})
      const call = sdk(url + mount)

      const plain = yield* call(chunksOf)
      const withUsage = yield* call((client) => chunksOf(client, { stream_options: { include_usage: true } }))

      for (const chunks of [plain, withUsage]) {
        assert.strictEqual(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join(""), text)
      }
      assert.deepStrictEqual(
        plain.filter(({ choices, usage }) => choices.length === 0 || usage),
        []
      )
      assert.deepStrictEqual(
        withUsage.flatMap(({ choices, usage }) => (choices.length === 0 ? [usage?.total_tokens] : [])),
        [23]
      )
    })
  )
})

describe("With nothing configured", () => {
  it.live("the keys of OpenAI and those of Anthropic fail over each on their own, and no client notices", () =>
    Effect.gen(function* () {
      const { url, lines } = yield* TestService.start({})
      const call = sdk(`${url}/openai/v1`)

      for (let times = 0; times < 4; times++) {
        assert.strictEqual(yield* call(contentOf), text)
        assert.strictEqual((yield* TestHttp.send(url, { body: TestHttp.message() })).status, 200)
      }

      const marks = lines().filter((line) => line.includes("key marked"))
      const hints = marks.map((line) => [
        /provider=(\S+)/.exec(line)?.[1],
        /hint=(\S+) status=(\d+)/.exec(line)?.slice(1)
      ])
      assert.deepStrictEqual(hints, [
        ["openai", ["sk-s...1001", "429"]],
        ["anthropic", ["sk-s...0001", "429"]],
        ["openai", ["sk-s...1002", "401"]],
        ["anthropic", ["sk-s...0002", "401"]]
      ])
      assert.notMatch(lines().join("\n"), /sk-simulated/)
    })
  )

  it.live("Copilot takes any bearer token as often as it comes, and needs one", () =>
    Effect.gen(function* () {
      const { url, lines } = yield* TestService.start({})

      for (let times = 0; times < 4; times++) assert.strictEqual(yield* sdk(`${url}/copilot`)(contentOf), text)
      const error = yield* Effect.flip(sdk(`${url}/copilot`, { authorization: null })(contentOf))

      assert.instanceOf(error, AuthenticationError)
      assert.deepStrictEqual(lines(), [])
    })
  )

  it.live("but tokens, a caller of Copilot sends the gateway's beside the own one", () =>
    Effect.gen(function* () {
      const { url } = yield* TestService.start({ AIBRIDGE_TOKENS: "ada=token-1" })

      const content = yield* sdk(`${url}/copilot`, { "x-aibridge-token": "token-1" })(contentOf)
      const error = yield* Effect.flip(sdk(`${url}/copilot`)(contentOf))

      assert.strictEqual(content, text)
      assert.instanceOf(error, AuthenticationError)
    })
  )

  it.live("a path that a vendor does not have is answered with 404 in its shape", () =>
    Effect.gen(function* () {
      const { url } = yield* TestService.start({})
      const headers = { authorization: "Bearer anything" }

      for (const path of ["/openai/v1/responses/resp_other", "/copilot/agents/somebody"]) {
        const answer = yield* TestHttp.send(url, { path, headers })
        assert.strictEqual(answer.status, 404)
        assert.deepNestedInclude(JSON.parse(yield* answer.text), { "error.type": "invalid_request_error" })
      }
    })
  )
})
