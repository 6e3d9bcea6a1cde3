/** Tools of the gateway's own in Anthropic Messages. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { toolDialect } from "../../src/dialects/AnthropicTurns.ts"
import type { ToolContent } from "../../src/domain/ToolResult.ts"
import * as Bodies from "./Bodies.ts"
import * as Turns from "./TurnsReader.ts"

const tools = [
  {
    id: "bmcp_a_list",
    description: "Lists",
    inputSchema: { type: "object", properties: { owner: { type: "string" } } }
  },
  { id: "bmcp_b_say", description: undefined, inputSchema: { type: "object", properties: {} } }
]

const written =
  `{"name":"bmcp_a_list","description":"Lists","type":"custom","input_schema":{"type":"object","properties":{"owner":{"type":"string"}}}},` +
  `{"name":"bmcp_b_say","type":"custom","input_schema":{"type":"object","properties":{}}}`

const inject = (body: string, { model = "claude", stream = false } = {}) =>
  Result.map(toolDialect.inject({ model, stream, body: Bodies.bytes(body) }, tools), Bodies.text)

const oneAtATime = `"tool_choice":{"type":"auto","disable_parallel_tool_use":true}`

describe("A request with tools of the gateway's own", () => {
  it.each([
    { body: `{"model":"claude"}`, expected: `{"model":"claude","tools":[${written}],${oneAtATime}}` },
    { body: `{"tools":[], "a": 1}`, expected: `{"tools":[${written}], "a": 1,${oneAtATime}}` },
    {
      body: `{"tools": [ {"name":"Read","cache_control":{"type":"ephemeral"}} ], "a": 1.0}`,
      expected: `{"tools": [${written}, {"name":"Read","cache_control":{"type":"ephemeral"}} ], "a": 1.0,${oneAtATime}}`
    }
  ])("has them before the client's: $body", ({ body, expected }) => {
    assert.deepStrictEqual(inject(body), Result.succeed(expected))
    assert.deepStrictEqual(inject(body), inject(body))
  })

  it.each([
    { choice: `null`, becomes: `{"type":"auto","disable_parallel_tool_use":true}` },
    { choice: `{}`, becomes: `{"type":"auto","disable_parallel_tool_use":true}` },
    { choice: `{"type":"auto"}`, becomes: `{"type":"auto","disable_parallel_tool_use":true}` },
    { choice: `{"type":"any"}`, becomes: `{"type":"any","disable_parallel_tool_use":true}` },
    {
      choice: `{"type":"tool","name":"x","disable_parallel_tool_use":false}`,
      becomes: `{"type":"tool","name":"x","disable_parallel_tool_use":true}`
    },
    { choice: `{"type":"none"}`, becomes: `{"type":"none"}` },
    { choice: `"auto"`, becomes: `"auto"` },
    { choice: `{"type":1}`, becomes: `{"type":1}` },
    { choice: `{"type":"other"}`, becomes: `{"type":"other"}` }
  ])("with the tool_choice $choice has $becomes", ({ choice, becomes }) => {
    const body = `{"tool_choice":${choice},"tools":[]}`

    assert.deepStrictEqual(inject(body), Result.succeed(`{"tool_choice":${becomes},"tools":[${written}]}`))
  })

  it.each([`{"tools":"none"}`, `{"tools":null}`, `{"tools":{}}`])("cannot be made of %s", (body) => {
    assert.deepStrictEqual(inject(body), Result.fail(`"tools" is not an array`))
  })

  it("is not made of a stream of a small model", () => {
    const body = `{"model":"claude-3-5-haiku"}`

    assert.deepStrictEqual(inject(body, { model: "claude-3-5-haiku", stream: true }), Result.succeed(body))
    assert.notDeepEqual(inject(body, { model: "claude-3-5-haiku" }), Result.succeed(body))
  })
})

const request = `{"model":"claude","messages":[ {"role":"user","content":"Hi"} ],"x":1.0}`

const turns = (body = request) => toolDialect.turns(Bodies.bytes(body), (name) => name.startsWith("bmcp_"))

const event = (data: Readonly<Record<string, unknown>>): string =>
  `event: ${String(data["type"])}\ndata: ${JSON.stringify(data)}\n\n`

const start = (usage: Readonly<Record<string, number>>) =>
  event({ type: "message_start", message: { id: "msg_1", role: "assistant", content: [], usage } })

const block = (index: number, content_block: object, ...deltas: ReadonlyArray<object>) =>
  [
    event({ type: "content_block_start", index, content_block }),
    ...deltas.map((delta) => event({ type: "content_block_delta", index, delta })),
    event({ type: "content_block_stop", index })
  ].join("")

const text = (index: number, ...words: ReadonlyArray<string>) =>
  block(index, { type: "text", text: "" }, ...words.map((word) => ({ type: "text_delta", text: word })))

const call = (index: number, name: string, ...json: ReadonlyArray<string>) =>
  block(
    index,
    { type: "tool_use", id: `toolu_${name}_${index}`, name, input: {} },
    ...json.map((partial_json) => ({ type: "input_json_delta", partial_json }))
  )

const end = (stop_reason: string, usage: Readonly<Record<string, number>>) =>
  event({ type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage })

const stop = event({ type: "message_stop" })

describe("A stream without injected calls", () => {
  it.each([
    {
      name: "text",
      stream: start({ input_tokens: 3 }) + text(0, "a", "b") + end("end_turn", { output_tokens: 2 }) + stop
    },
    {
      name: "a client's call",
      stream: start({}) + call(0, "Read", `{"a":`, `1}`) + end("tool_use", { output_tokens: 2 }) + stop
    },
    {
      name: "what nobody knows",
      stream: `: comment\n\nevent: new\ndata: no JSON\n\n${event({ type: "ping" })}${start({})}`
    },
    {
      name: "an error",
      stream: start({}) + event({ type: "error", error: { type: "overloaded_error", message: "x" } })
    }
  ])("is the client's as it is: $name", ({ stream }) => {
    const reader = turns()

    assert.strictEqual(Turns.feed(reader, stream), stream)
    assert.deepStrictEqual(reader.calls(), [])
  })
})

describe("A stream with an injected call", () => {
  const first =
    start({ input_tokens: 10, cache_read_input_tokens: 4, output_tokens: 1 }) +
    block(
      0,
      { type: "thinking", thinking: "", signature: "" },
      { type: "thinking_delta", thinking: "Hm" },
      { type: "thinking_delta", thinking: "m" },
      { type: "signature_delta", signature: "sig" }
    ) +
    text(1, "I ", "look.") +
    call(2, "bmcp_a_list", `{"owner":`, `"admin"}`) +
    end("tool_use", { output_tokens: 20 }) +
    stop
  const second =
    start({ input_tokens: 30, output_tokens: 1 }) + text(0, "Here.") + end("end_turn", { output_tokens: 7 }) + stop

  it("shows the client one message, its blocks counted on and its usage added up", () => {
    const reader = turns()

    const shown = Turns.feed(reader, first)
    assert.strictEqual(shown, first.slice(0, first.indexOf(call(2, "bmcp_a_list", `{"owner":`, `"admin"}`))))
    assert.deepStrictEqual(reader.calls(), [
      { id: "toolu_bmcp_a_list_2", name: "bmcp_a_list", args: `{"owner":"admin"}` }
    ])
    reader.next(Turns.answered(reader))

    assert.strictEqual(
      Turns.feed(reader, second),
      text(2, "Here.") + end("end_turn", { output_tokens: 27, input_tokens: 40, cache_read_input_tokens: 4 }) + stop
    )
    assert.deepStrictEqual(reader.calls(), [])
  })

  it("is asked on with the whole message and the result, all else as it was", () => {
    const reader = turns()
    Turns.feed(reader, first)

    const next = Bodies.text(reader.next(Turns.answered(reader)))

    const added = [
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "Hmm", signature: "sig" },
          { type: "text", text: "I look." },
          { type: "tool_use", id: "toolu_bmcp_a_list_2", name: "bmcp_a_list", input: { owner: "admin" } }
        ]
      },
      {
        role: "user",
        content: [
          {
            type: "tool_result",
            tool_use_id: "toolu_bmcp_a_list_2",
            content: [{ type: "text", text: "done" }],
            is_error: false
          }
        ]
      }
    ]
    const elements = added.map((message) => JSON.stringify(message)).join(",")
    assert.strictEqual(next, `{"model":"claude","messages":[ {"role":"user","content":"Hi"} ,${elements}],"x":1.0}`)
  })

  it("may call several, one of them twice, with empty texts between", () => {
    const reader = turns()
    Turns.feed(
      reader,
      start({}) +
        text(0, "") +
        call(1, "bmcp_a_list") +
        call(2, "bmcp_b_say", "{}") +
        call(3, "bmcp_a_list", `{"owner":"b"}`) +
        end("tool_use", {}) +
        stop
    )

    assert.deepStrictEqual(
      reader.calls().map(({ id, args }) => [id, args]),
      [
        ["toolu_bmcp_a_list_1", ""],
        ["toolu_bmcp_b_say_2", "{}"],
        ["toolu_bmcp_a_list_3", `{"owner":"b"}`]
      ]
    )
    const { messages } = Turns.sent(reader.next(Turns.answered(reader)))
    assert.deepStrictEqual(
      messages[1].content.map(({ type, input }: Record<string, unknown>) => [type, input]),
      [
        ["tool_use", {}],
        ["tool_use", {}],
        ["tool_use", { owner: "b" }]
      ]
    )
    assert.lengthOf(messages[2].content, 3)
  })

  it("is the client's if it calls a tool of the client's, too, and its blocks have no gaps", () => {
    const reader = turns()
    const stream = start({}) + call(0, "bmcp_a_list", "{}") + call(1, "Read", "{}") + end("tool_use", {}) + stop

    const own = call(1, "Read", "{}").replaceAll(`"index":1`, `"index":0`)
    assert.strictEqual(Turns.feed(reader, stream), start({}) + own + end("tool_use", {}) + stop)
    assert.deepStrictEqual(reader.calls(), [])
  })

  it.each(["max_tokens", "refusal", "pause_turn"])("is not asked on if it has ended with %s", (reason) => {
    const reader = turns()
    const stream = start({}) + text(0, "a") + call(1, "bmcp_a_list", `{"own`) + end(reason, {}) + stop

    assert.strictEqual(Turns.feed(reader, stream), start({}) + text(0, "a") + end(reason, {}) + stop)
    assert.deepStrictEqual(reader.calls(), [])
  })

  it("is not asked on if it breaks off", () => {
    const reader = turns()

    Turns.feed(reader, start({}) + call(0, "bmcp_a_list", "{}") + end("tool_use", {}))
    assert.deepStrictEqual(reader.calls(), [])
    Turns.feed(reader, event({ type: "error", error: { type: "api_error", message: "x" } }))
    assert.deepStrictEqual(reader.calls(), [])
  })

  it("ends as if it had not wanted a tool once that is over", () => {
    const reader = turns()
    Turns.feed(
      reader,
      start({ input_tokens: 1 }) + call(0, "bmcp_a_list", "{}") + end("tool_use", { output_tokens: 1 }) + stop
    )
    reader.finish()
    reader.next([])

    const shown = Turns.feed(
      reader,
      start({ input_tokens: 1 }) +
        text(0, "a") +
        call(1, "bmcp_a_list", "{}") +
        end("tool_use", { output_tokens: 1 }) +
        stop
    )

    assert.strictEqual(shown, text(0, "a") + end("end_turn", { output_tokens: 2, input_tokens: 2 }) + stop)
    assert.deepStrictEqual(reader.calls(), [])
  })
})

const message = (content: ReadonlyArray<unknown>, stop_reason: string, usage: Readonly<Record<string, unknown>>) =>
  JSON.stringify({ id: "msg_9", type: "message", role: "assistant", content, stop_reason, usage })

const use = (name: string, input: unknown = {}) => ({ type: "tool_use", id: `toolu_${name}`, name, input })
const word = (spoken: string) => ({ type: "text", text: spoken })

describe("A whole answer", () => {
  it.each([
    message([word("a")], "end_turn", { output_tokens: 1 }),
    message([use("Read")], "tool_use", { output_tokens: 1 }),
    ` { "content" : "odd" } `,
    `no JSON`
  ])("without an injected call is the client's as it is: %s", (body) => {
    const reader = turns()
    const bytes = Bodies.bytes(body)
    reader.whole(bytes)

    assert.deepStrictEqual(reader.calls(), [])
    assert.strictEqual(reader.merged(), bytes)
  })

  it("with one is asked on, and the last one has what was said before and all usage", () => {
    const reader = turns()
    reader.whole(
      Bodies.bytes(
        message([word("I look."), use("bmcp_a_list", { owner: "admin" })], "tool_use", {
          input_tokens: 10,
          output_tokens: 20,
          cache_creation: { ephemeral_5m_input_tokens: 1 },
          service_tier: "standard"
        })
      )
    )
    assert.deepStrictEqual(reader.calls(), [
      { id: "toolu_bmcp_a_list", name: "bmcp_a_list", args: `{"owner":"admin"}` }
    ])
    const { messages } = Turns.sent(reader.next(Turns.answered(reader, Turns.said("a", "b"), true)))
    assert.deepStrictEqual(messages.slice(1), [
      { role: "assistant", content: [word("I look."), use("bmcp_a_list", { owner: "admin" })] },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "toolu_bmcp_a_list", content: [word("a"), word("b")], is_error: true }
        ]
      }
    ])

    reader.whole(
      Bodies.bytes(
        message([word("Here.")], "end_turn", {
          input_tokens: 5,
          output_tokens: 2,
          cache_creation: { ephemeral_5m_input_tokens: 2 },
          service_tier: "priority"
        })
      )
    )

    assert.strictEqual(
      Bodies.text(reader.merged()),
      message([word("I look."), word("Here.")], "end_turn", {
        input_tokens: 15,
        output_tokens: 22,
        cache_creation: { ephemeral_5m_input_tokens: 3 },
        service_tier: "priority"
      })
    )
  })

  it("that calls a tool of the client's, too, has that one only", () => {
    const reader = turns()
    reader.whole(Bodies.bytes(message([use("bmcp_a_list"), use("Read")], "tool_use", {})))

    assert.deepStrictEqual(reader.calls(), [])
    assert.strictEqual(Bodies.text(reader.merged()), message([use("Read")], "tool_use", {}))
  })

  it("that still calls once that is over has no call", () => {
    const reader = turns()
    reader.finish()
    reader.whole(Bodies.bytes(message([word("a"), use("bmcp_a_list")], "tool_use", {})))

    assert.deepStrictEqual(reader.calls(), [])
    assert.strictEqual(Bodies.text(reader.merged()), message([word("a")], "end_turn", {}))
  })
})

describe("What is nested deeper than calls can be", () => {
  const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`

  it("is the client's as it is, and asked on without", () => {
    const reader = turns()
    const body = `{"content":[{"type":"x","deep":${deep}},${JSON.stringify(use("bmcp_a_list"))}],"stop_reason":"tool_use"}`
    const bytes = Bodies.bytes(body)
    reader.whole(bytes)

    assert.strictEqual(Bodies.text(reader.next(Turns.answered(reader))), request)
    assert.strictEqual(reader.merged(), bytes)
  })
})

describe("What a tool has brought", () => {
  const unsupported = word("Error: unsupported tool result type")
  it.each<{
    readonly content: ReadonlyArray<ToolContent>
    readonly becomes: ReadonlyArray<unknown>
    readonly isError: boolean
  }>([
    { content: Turns.said("a"), becomes: [word("a")], isError: false },
    { content: [], becomes: [word("Error: no valid tool result content")], isError: true },
    { content: Turns.said(""), becomes: [word("Error: no valid tool result content")], isError: true },
    {
      content: [{ type: "image", data: "AAAA", mimeType: "image/png" }],
      becomes: [{ type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } }],
      isError: false
    },
    { content: [{ type: "image", data: "AAAA", mimeType: "image/tiff" }], becomes: [unsupported], isError: true },
    { content: [{ type: "audio", data: "AAAA", mimeType: "audio/wav" }], becomes: [unsupported], isError: true },
    {
      content: [{ type: "resource", resource: { uri: "file:///a", mimeType: "text/plain", text: "hello" } }],
      becomes: [word("Resource (MIME: text/plain, URI: file:///a): hello")],
      isError: false
    },
    {
      content: [{ type: "resource", resource: { uri: "file:///a", mimeType: "image/png", blob: "AAAA" } }],
      becomes: [word("Binary resource (MIME: image/png, URI: file:///a): AAAA")],
      isError: false
    },
    {
      content: [{ type: "resource", resource: { uri: "file:///a" } }],
      becomes: [word("Error: unknown embedded resource type")],
      isError: true
    },
    {
      content: [{ type: "resource_link", uri: "file:///a", name: "a" }],
      becomes: [word("Resource link: a (URI: file:///a)")],
      isError: false
    }
  ])("is said as $becomes", ({ content, becomes, isError }) => {
    const reader = turns()
    reader.whole(Bodies.bytes(message([use("bmcp_a_list")], "tool_use", {})))

    const { messages } = Turns.sent(reader.next(Turns.answered(reader, content)))

    const [result] = messages[2].content
    assert.deepStrictEqual([result.content, result.is_error], [becomes, isError])
  })

  it("is its JSON if it is nothing else", () => {
    const reader = turns()
    reader.whole(Bodies.bytes(message([use("bmcp_a_list")], "tool_use", {})))
    const results = reader
      .calls()
      .map((called) => ({ call: called, result: { isError: false, content: [], structuredContent: { a: 1 } } }))

    const { messages } = Turns.sent(reader.next(results))

    assert.deepStrictEqual(messages[2].content[0].content, [word(`{"a":1}`)])
  })
})
