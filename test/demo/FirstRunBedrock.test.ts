/** Bedrock as the service has it with nothing configured: real signatures and real frames, with Anthropic's own SDK in front. */
import type { MessageParam, Tool } from "@anthropic-ai/sdk/resources/messages"
import { Anthropic, BadRequestError } from "@anthropic-ai/sdk"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestService from "../service/TestService.ts"

const text = "Hello from the simulated provider. No account was used."

const weather: Tool = {
  name: "weather",
  description: "The weather at a place",
  input_schema: { type: "object", properties: { place: { type: "string" } } }
}

const request = { model: "claude-test", max_tokens: 256 }
const hello: ReadonlyArray<MessageParam> = [{ role: "user", content: "Hello" }]

/** The SDK before the service; it never tries again, and whatever it throws is a value. */
const start = Effect.fnUntraced(function* (environment = {}) {
  const { url, lines } = yield* TestService.start(environment)
  const client = new Anthropic({ baseURL: `${url}/bedrock`, apiKey: "anything", maxRetries: 0 })
  const call = <A>(ask: (client: Anthropic) => Promise<A>) =>
    Effect.tryPromise({ try: () => ask(client), catch: (error) => error })
  return { call, lines }
})

const blocking = (client: Anthropic, messages: ReadonlyArray<MessageParam>, tools: ReadonlyArray<Tool> = []) =>
  client.messages.create({ ...request, messages: [...messages], ...(tools.length > 0 && { tools: [...tools] }) })

const streaming = (client: Anthropic, messages: ReadonlyArray<MessageParam>, tools: ReadonlyArray<Tool> = []) =>
  client.messages
    .stream({ ...request, messages: [...messages], ...(tools.length > 0 && { tools: [...tools] }) })
    .finalMessage()

const ways = [
  { way: "a whole message", ask: blocking },
  { way: "a stream", ask: streaming }
]

describe("The Anthropic SDK at Bedrock", () => {
  it.live.each(ways)("gets $way", ({ ask }) =>
    Effect.gen(function* () {
      const { call } = yield* start()

      const message = yield* call((client) => ask(client, hello))

      assert.deepInclude(message.content[0], { type: "text", text })
      assert.strictEqual(message.stop_reason, "end_turn")
      assert.strictEqual(message.model, "anthropic.claude-sonnet-4-5-20250929-v1:0")
      assert.deepInclude(message.usage, { input_tokens: 12, output_tokens: 11 })
    })
  )

  it.live.each(ways)("calls a tool and says what it said, by $way", ({ ask }) =>
    Effect.gen(function* () {
      const { call } = yield* start()
      const order = `Please use the tool weather {"place":"Zürich {CH}"}`
      const messages: ReadonlyArray<MessageParam> = [{ role: "user", content: order }]

      const turn = yield* call((client) => ask(client, messages, [weather]))
      const use = turn.content.find((block) => block.type === "tool_use")
      const answered: ReadonlyArray<MessageParam> = [
        ...messages,
        { role: "assistant", content: turn.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: use?.id ?? "", content: "sunny" }] }
      ]
      const last = yield* call((client) => ask(client, answered, [weather]))

      assert.strictEqual(turn.stop_reason, "tool_use")
      assert.deepInclude(use, { name: "weather", input: { place: "Zürich {CH}" } })
      assert.deepInclude(last.content[0], { type: "text", text: `The tool said: sunny. ${text}` })
    })
  )

  it.live("sends what Bedrock would refuse, and is served", () =>
    Effect.gen(function* () {
      const { call } = yield* start()

      const message = yield* call((client) =>
        client.beta.messages.create({
          ...request,
          messages: [...hello],
          metadata: { user_id: "u" },
          service_tier: "auto",
          betas: ["interleaved-thinking-2025-05-14", "claude-code-20250219"]
        })
      )

      assert.strictEqual(message.stop_reason, "end_turn")
    })
  )

  it.live("gets the refusal of a request as an error of its own kind", () =>
    Effect.gen(function* () {
      const { call } = yield* start()
      const incomplete = { model: "claude", messages: [...hello] }

      const error = yield* Effect.flip(call((client) => client.post("/v1/messages", { body: incomplete })))

      assert.instanceOf(error, BadRequestError)
      assert.match(String(error.message), /max_tokens/)
    })
  )

  it.live("notices nothing of a throttled and a revoked credential, which the log tells without a secret", () =>
    Effect.gen(function* () {
      const { call, lines } = yield* start()

      for (let times = 0; times < 4; times++) {
        const message = yield* call((client) => (times % 2 === 0 ? blocking : streaming)(client, hello))
        assert.strictEqual(message.stop_reason, "end_turn")
      }

      const marks = lines().map((line) =>
        /message="?(key marked \w+).* provider=(\w+) api_key_hint=(\S+) status=(\d+)/.exec(line)?.slice(1)
      )
      assert.deepStrictEqual(marks, [
        ["key marked temporary", "bedrock", "AKIA...2001", "429"],
        ["key marked permanent", "bedrock", "AKIA...2002", "401"]
      ])
      assert.notMatch(lines().join("\n"), /simulated\/secret/)
    })
  )
})
