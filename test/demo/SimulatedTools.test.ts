/** A tool's turns with the simulated Anthropic and the simulated Bedrock. */
import Anthropic from "@anthropic-ai/sdk"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestHttp from "../service/TestHttp.ts"
import * as TestBedrock from "./TestBedrock.ts"

const text = "Hello from the simulated provider. No account was used."

const tools = ["look", "look_up", "mcp__notes__read"].map((name) => ({
  name,
  input_schema: { type: "object" as const, properties: {} }
}))

const offering = (content: unknown, members = {}) => ({ tools, messages: [{ role: "user", content }], ...members })

const used = (name: string, input: unknown, id = "toolu_simulated_1") => [
  { type: "text", text: `I use the tool ${name}.` },
  { type: "tool_use", id, name, input }
]

const resultOf = (content: unknown) => [{ type: "tool_result", tool_use_id: "toolu_simulated_1", content }]

/** A conversation in which the tool was used and said something. */
const answered = (result: ReadonlyArray<unknown>) => ({
  tools,
  messages: [
    { role: "user", content: "use the tool look" },
    { role: "assistant", content: used("look", {}) },
    { role: "user", content: result }
  ]
})

/** Either vendor: the message and the events that answer a request. */
const vendors = [
  {
    vendor: "Anthropic",
    pings: 1,
    start: Effect.map(TestBedrock.start, ({ url }) => {
      const ask = (members: object) =>
        TestHttp.send(url, {
          path: "/v1/messages",
          headers: { "x-api-key": "sk-simulated-third-0003" },
          body: TestHttp.message({ ...members })
        })
      return {
        message: Effect.fnUntraced(function* (members: object) {
          return JSON.parse(yield* (yield* ask(members)).text)
        }),
        events: Effect.fnUntraced(function* (members: object) {
          const lines = (yield* (yield* ask({ ...members, stream: true })).text).split("\n")
          const data = lines.filter((line) => line.startsWith("data: "))
          return data.map((line): TestBedrock.Event => JSON.parse(line.slice("data: ".length)))
        })
      }
    })
  },
  {
    vendor: "Bedrock",
    pings: 0,
    start: Effect.map(TestBedrock.start, ({ ask }) => ({
      message: Effect.fnUntraced(function* (members: object) {
        return JSON.parse(yield* (yield* ask(2, { body: TestBedrock.message({ ...members }) })).text)
      }),
      events: Effect.fnUntraced(function* (members: object) {
        const answer = yield* ask(2, { path: TestBedrock.paths.stream, body: TestBedrock.message({ ...members }) })
        return TestBedrock.frames(yield* answer.bytes).map(TestBedrock.eventOf)
      })
    }))
  }
]

describe.each(vendors)("A tool's turns with the simulated $vendor", ({ start, pings }) => {
  it.live.each([
    { content: "use the tool look", expected: used("look", {}) },
    { content: "Please use the tool look.", expected: used("look", {}) },
    { content: "Use the tool look_up", expected: used("look_up", {}) },
    { content: 'use the tool look {"at": {"x": [1]}}', expected: used("look", { at: { x: [1] } }) },
    { content: 'use the tool look {"at":"}"} or {not}', expected: used("look", { at: "}" }) },
    { content: "use the tool look {nothing}", expected: used("look", {}) },
    { content: 'use the tool look\n{"on":"the next line"}', expected: used("look", {}) },
    { content: "use the tool other or use the tool look", expected: used("look", {}) },
    {
      content: [
        { type: "text", text: "<system-reminder>\nIt may use the tool that fits.\n</system-reminder>" },
        { type: "text", text: 'use the tool mcp__notes__read {"id":7}', cache_control: { type: "ephemeral" } }
      ],
      expected: used("mcp__notes__read", { id: 7 })
    },
    {
      content: [
        { type: "text", text: "use the tool look" },
        { type: "text", text: "<system-reminder>x</system-reminder>" }
      ],
      expected: used("look", {})
    }
  ])("begin when the user says so: $content", ({ content, expected }) =>
    Effect.gen(function* () {
      const { message } = yield* start

      const answer = yield* message(offering(content))

      assert.deepInclude(answer, { stop_reason: "tool_use", content: expected })
      assert.deepStrictEqual(answer.usage, { input_tokens: 12, output_tokens: 3 })
    })
  )

  it.live("begin also if the client has begun the answer", () =>
    Effect.gen(function* () {
      const { message } = yield* start
      const messages = [
        { role: "user", content: "use the tool look" },
        { role: "assistant", content: "I" }
      ]

      assert.deepInclude(yield* message({ tools, messages }), { content: used("look", {}) })
    })
  )

  it.live.each([
    { what: "no tool is offered", request: offering("use the tool look", { tools: [] }) },
    { what: "tools are not mentioned", request: offering("use the tool look", { tools: undefined }) },
    { what: "another tool is asked for", request: offering("use the tool loo") },
    { what: "none is asked for", request: offering("look") },
    { what: "only the system asks for it", request: offering("Hello", { system: "use the tool look" }) },
    {
      what: "only an earlier message asks for it",
      request: offering("", {
        messages: [
          { role: "user", content: "use the tool look" },
          { role: "assistant", content: "use the tool look" },
          { role: "user", content: "Hello" }
        ]
      })
    },
    { what: "there is no message", request: offering("", { messages: [] }) },
    { what: "there are no messages", request: offering("", { messages: "use the tool look" }) }
  ])("do not begin if $what", ({ request }) =>
    Effect.gen(function* () {
      const { message } = yield* start

      const answer = yield* message(request)

      assert.deepInclude(answer, { stop_reason: "end_turn", content: [{ type: "text", text }] })
    })
  )

  it.live("stream the tool's input in pieces", () =>
    Effect.gen(function* () {
      const { events } = yield* start

      const all = yield* events(offering("use the tool look"))
      const withInput = yield* events(offering('use the tool look {"city":"Zürich 🏔🏔🏔"}'))

      const plain = all.filter(({ type }) => type !== "ping")
      assert.lengthOf(plain, all.length - pings)
      assert.deepStrictEqual(plain.slice(1, -2), [
        { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
        { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "I use the tool look." } },
        { type: "content_block_stop", index: 0 },
        {
          type: "content_block_start",
          index: 1,
          content_block: { type: "tool_use", id: "toolu_simulated_1", name: "look", input: {} }
        },
        { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: "{" } },
        { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: "}" } },
        { type: "content_block_stop", index: 1 }
      ])
      assert.deepStrictEqual(plain.at(-2), {
        type: "message_delta",
        delta: { stop_reason: "tool_use", stop_sequence: null },
        usage: { output_tokens: 3 }
      })
      const blocks = withInput.flatMap(({ content_block: block }) => block ?? [])
      assert.deepStrictEqual(blocks[1], { type: "tool_use", id: "toolu_simulated_1", name: "look", input: {} })
      const pieces = withInput.flatMap(({ delta }) => delta?.partial_json ?? [])
      assert.isAtLeast(pieces.length, 2)
      for (const piece of pieces) assert.isNotEmpty(piece)
      assert.deepStrictEqual(JSON.parse(pieces.join("")), { city: "Zürich 🏔🏔🏔" })
    })
  )

  it.live.each([
    { result: resultOf("42 stars"), said: "42 stars" },
    { result: resultOf([{ type: "text", text: "42 stars" }]), said: "42 stars" },
    { result: [...resultOf("42"), { type: "text", text: "use the tool look" }], said: "42" },
    { result: [{ type: "text", text: "<system-reminder>" }, ...resultOf("42")], said: "42" },
    { result: resultOf(undefined), said: "" },
    { result: resultOf("🏔".repeat(201)), said: "🏔".repeat(200) }
  ])("end with what the tool said: $said", ({ result, said }) =>
    Effect.gen(function* () {
      const { message } = yield* start

      const answer = yield* message(answered(result))

      const content = [{ type: "text", text: `The tool said: ${said}. ${text}` }]
      assert.deepInclude(answer, { stop_reason: "end_turn", content })
    })
  )

  it.live("end in a stream as well", () =>
    Effect.gen(function* () {
      const { events } = yield* start

      const all = yield* events(answered(resultOf("42")))

      assert.strictEqual(all.flatMap(({ delta }) => delta?.text ?? []).join(""), `The tool said: 42. ${text}`)
      assert.strictEqual(all.at(-2)?.delta?.stop_reason, "end_turn")
    })
  )

  it.live("have ids of their own in a conversation", () =>
    Effect.gen(function* () {
      const { message } = yield* start
      const { messages } = answered(resultOf("42"))
      const again = [
        ...messages,
        { role: "assistant", content: text },
        { role: "user", content: "use the tool look_up" }
      ]

      const answers = yield* Effect.forEach([messages.slice(0, 1), messages, again], (conversation) =>
        message({ tools, messages: conversation })
      )

      assert.deepStrictEqual(
        answers.map(({ id }) => id),
        ["msg_simulated_1", "msg_simulated_3", "msg_simulated_5"]
      )
      assert.deepStrictEqual(answers[2]?.content, used("look_up", {}, "toolu_simulated_2"))
    })
  )
})

describe("The Anthropic SDK at the simulated Anthropic", () => {
  it.live("gets a whole round with a tool, blocking and streamed", () =>
    Effect.gen(function* () {
      const { url } = yield* TestBedrock.start
      const defaultHeaders = { "x-api-key": "sk-simulated-third-0003" }
      const client = new Anthropic({ baseURL: url, apiKey: "-", maxRetries: 0, defaultHeaders })
      const order: Anthropic.MessageParam = { role: "user", content: 'use the tool look {"at":"stars"}' }
      const request = { model: "claude-test", max_tokens: 64, tools }
      const ask = (messages: Array<Anthropic.MessageParam>) =>
        Effect.promise(() =>
          Promise.all([
            client.messages.create({ ...request, messages }),
            client.messages.stream({ ...request, messages }).finalMessage()
          ])
        )

      const [blocking, streamed] = yield* ask([order])
      const use = streamed.content.find(({ type }) => type === "tool_use")
      const [last, lastStreamed] = yield* ask([
        order,
        { role: "assistant", content: streamed.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_simulated_1", content: "42" }] }
      ])

      assert.deepInclude(use, { id: "toolu_simulated_1", name: "look", input: { at: "stars" } })
      assert.deepStrictEqual(streamed.content, blocking.content)
      assert.strictEqual(streamed.stop_reason, "tool_use")
      assert.deepStrictEqual(lastStreamed.content, last.content)
      assert.deepInclude(last.content[0], { type: "text", text: `The tool said: 42. ${text}` })
    })
  )
})
