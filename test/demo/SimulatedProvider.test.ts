import Anthropic from "@anthropic-ai/sdk"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Net from "node:net"
import * as SimulatedProvider from "../../src/demo/SimulatedProvider.ts"
import * as TestHttp from "../service/TestHttp.ts"

const body = TestHttp.message()

/** The answer to a request with a key. */
const answerTo = Effect.fnUntraced(function* (
  { url }: SimulatedProvider.SimulatedProvider,
  key: string | undefined,
  request: TestHttp.Request = {}
) {
  const headers = key === undefined ? {} : { "x-api-key": key }
  const answer = yield* TestHttp.send(url, { path: "/v1/messages", body, headers, ...request })
  const text = yield* answer.text
  return { status: answer.status, headers: answer.headers, json: (): unknown => JSON.parse(text) }
})

describe("The simulated provider", () => {
  it.live("outlives a client that leaves in the middle of its request", () =>
    Effect.gen(function* () {
      const provider = yield* SimulatedProvider.start
      const { port } = new URL(provider.url)

      yield* Effect.callback<void>((resume) => {
        const socket = Net.connect(Number(port), "127.0.0.1", () => {
          socket.write("POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{")
          setTimeout(() => socket.resetAndDestroy(), 20)
        })
        socket.on("close", () => resume(Effect.void))
      })
      const { status } = yield* answerTo(provider, provider.keys[2])

      assert.strictEqual(status, 200)
    })
  )

  it.live("limits the first key on its second request and on every third one after that, for 10 seconds", () =>
    Effect.gen(function* () {
      const provider = yield* SimulatedProvider.start
      const statuses: Array<number> = []
      const rests: Array<string | undefined> = []
      for (let use = 0; use < 9; use++) {
        const { status, headers } = yield* answerTo(provider, provider.keys[0])
        statuses.push(status)
        rests.push(headers["retry-after"])
      }

      assert.deepStrictEqual(statuses, [200, 429, 200, 200, 429, 200, 200, 429, 200])
      assert.deepStrictEqual(
        rests,
        statuses.map((status) => (status === 429 ? "10" : undefined))
      )
    })
  )

  it.live("revokes the second key after its first request, and never the third", () =>
    Effect.gen(function* () {
      const provider = yield* SimulatedProvider.start
      const statusesOf = (key: string) =>
        Effect.forEach([1, 2, 3, 4], () => Effect.map(answerTo(provider, key), ({ status }) => status))

      assert.deepStrictEqual(yield* statusesOf(provider.keys[1]), [200, 401, 401, 401])
      assert.deepStrictEqual(yield* statusesOf(provider.keys[2]), [200, 200, 200, 200])
    })
  )

  it.live.each([{ key: undefined }, { key: "sk-ant-of-somebody" }, { key: "" }])(
    "refuses any other key in Anthropic's shape: $key",
    ({ key }) =>
      Effect.gen(function* () {
        const provider = yield* SimulatedProvider.start

        const { status, json } = yield* answerTo(provider, key)

        assert.strictEqual(status, 401)
        assert.deepStrictEqual(json(), {
          type: "error",
          error: { type: "authentication_error", message: "invalid x-api-key" }
        })
      })
  )

  it.live.each([
    { what: "another path", request: { path: "/v1/complete" }, status: 404 },
    { what: "a body that is not JSON", request: { body: "Hello" }, status: 200 },
    { what: "an empty body", request: { body: "" }, status: 200 }
  ])("answers $what with $status", ({ request, status }) =>
    Effect.gen(function* () {
      const provider = yield* SimulatedProvider.start

      assert.strictEqual((yield* answerTo(provider, provider.keys[2], request)).status, status)
    })
  )

  it.live("speaks so that the Anthropic SDK understands it", () =>
    Effect.gen(function* () {
      const provider = yield* SimulatedProvider.start
      const key = provider.keys[2]
      const client = new Anthropic({ baseURL: provider.url, apiKey: "-", defaultHeaders: { "x-api-key": key } })
      const messages = [{ role: "user" as const, content: "Hello" }]
      const request = { model: "claude-test", max_tokens: 64, messages }

      const [blocking, streamed, models, count] = yield* Effect.promise(() =>
        Promise.all([
          client.messages.create(request),
          client.messages.stream(request).finalMessage(),
          client.models.list(),
          client.messages.countTokens({ model: request.model, messages })
        ])
      )

      assert.strictEqual(blocking.model, "claude-test")
      assert.deepInclude(blocking.content[0], {
        type: "text",
        text: "Hello from the simulated provider. No account was used."
      })
      assert.deepStrictEqual(streamed.content, blocking.content)
      assert.deepStrictEqual(streamed.usage.output_tokens, blocking.usage.output_tokens)
      assert.strictEqual(streamed.stop_reason, "end_turn")
      assert.lengthOf(models.data, 1)
      assert.isAbove(count.input_tokens, 0)
    })
  )

  it.live("stops listening when its scope closes, also with a stream under way", () =>
    Effect.gen(function* () {
      const url = yield* Effect.scoped(
        Effect.gen(function* () {
          const provider = yield* SimulatedProvider.start
          const headers = { "x-api-key": provider.keys[2] }
          yield* TestHttp.send(provider.url, {
            path: "/v1/messages",
            body: TestHttp.message({ stream: true }),
            headers
          })
          return provider.url
        })
      )

      const error = yield* Effect.flip(TestHttp.send(url, { path: "/" }))

      assert.include(error.message, "ECONNREFUSED")
    })
  )
})
