/** Tools of the gateway's own in OpenAI Responses. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { toolDialect } from "../../src/dialects/OpenAiResponsesTurns.ts"
import * as Bodies from "./Bodies.ts"
import * as Turns from "./TurnsReader.ts"

const tools = [
  { id: "bmcp_a_list", description: "Lists", inputSchema: { type: "object", properties: {} } },
  { id: "bmcp_b_say", description: undefined, inputSchema: { type: "object" } }
]

const written =
  `{"type":"function","name":"bmcp_a_list","description":"Lists","strict":false,"parameters":{"type":"object","properties":{}}},` +
  `{"type":"function","name":"bmcp_b_say","strict":false,"parameters":{"type":"object"}}`

const inject = (body: string) =>
  Result.map(toolDialect.inject({ model: "a-model", stream: true, body: Bodies.bytes(body) }, tools), Bodies.text)

describe("A response's request with tools of the gateway's own", () => {
  const own = `{"type":"function","name":"Read"}`

  it.each([
    { body: `{"model":"a"}`, expected: `{"model":"a","tools":[${written}],"parallel_tool_calls":false}` },
    {
      body: `{"tools":[${own}], "x":1.0}`,
      expected: `{"tools":[${own},${written}], "x":1.0,"parallel_tool_calls":false}`
    },
    {
      body: `{"parallel_tool_calls":true,"tools":[]}`,
      expected: `{"parallel_tool_calls":false,"tools":[${written}]}`
    }
  ])("has them behind the client's: $body", ({ body, expected }) => {
    assert.deepStrictEqual(inject(body), Result.succeed(expected))
  })

  it.each([`{"tools":null}`, `{"tools":"all"}`])("cannot be made of %s", (body) => {
    assert.deepStrictEqual(inject(body), Result.fail(`"tools" is not an array`))
  })
})

const turns = (body = `{"model":"a","input":"Hi","x":1.0}`) =>
  toolDialect.turns(Bodies.bytes(body), (name) => name.startsWith("bmcp_"))

const event = (type: string, data: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`

const created = event("response.created", { response: { id: "resp_1", status: "in_progress", output: [] } })

const call = (name: string, args = "{}") => ({
  type: "function_call",
  id: `fc_${name}`,
  call_id: `call_${name}`,
  name,
  arguments: args
})

const text = (said: string, more: object = {}) => ({
  type: "message",
  id: "m_1",
  role: "assistant",
  content: [{ type: "output_text", text: said }],
  ...more
})

const item = (output_index: number, value: object) =>
  event("response.output_item.added", { output_index, item: value }) +
  event("response.output_text.delta", { output_index, item_id: "x", delta: "..." }) +
  event("response.output_item.done", { output_index, item: value })

const ended = (output: ReadonlyArray<object>, type = "completed", more: object = {}) =>
  event(`response.${type}`, { response: { id: "resp_1", status: type, output, ...more } })

describe("A response's stream without injected calls", () => {
  it.each([
    { name: "text", stream: created + item(0, text("a")) + ended([text("a")]) },
    { name: "a client's call", stream: created + item(0, call("Read")) + ended([call("Read")]) },
    { name: "one that fails", stream: created + ended([], "failed") },
    { name: "an error", stream: created + event("error", { message: "x" }) },
    { name: "what nobody knows", stream: `: comment\n\ndata: no JSON\n\n${ended([])}` }
  ])("is the client's as it is: $name", ({ stream }) => {
    const reader = turns()

    assert.strictEqual(Turns.feed(reader, stream), stream)
    assert.deepStrictEqual(reader.calls(), [])
  })

  it("is held back until it is known to be the last one", () => {
    const reader = turns()

    assert.strictEqual(Turns.feed(reader, created + item(0, text("a"))), "")
    assert.strictEqual(Turns.feed(reader, ended([text("a")])), created + item(0, text("a")) + ended([text("a")]))
  })

  it("is live from its final answer on", () => {
    const reader = turns()
    const final = text("a", { phase: "final_answer" })
    assert.strictEqual(Turns.feed(reader, created + item(0, { type: "reasoning", id: "r" })), "")

    const [begun = "", ...others] = item(1, final).split(/(?<=\n\n)/)
    assert.strictEqual(Turns.feed(reader, begun), created + item(0, { type: "reasoning", id: "r" }) + begun)
    for (const each of others) if (each !== "") assert.strictEqual(Turns.feed(reader, each), each)
  })

  it("is not lost if it breaks off", () => {
    const reader = turns()
    Turns.feed(reader, created + item(0, text("a")))

    assert.strictEqual(reader.rest().map(Bodies.text).join(""), created + item(0, text("a")))
    assert.deepStrictEqual([reader.rest(), reader.isOver(), reader.calls()], [[], false, []])
  })
})

describe("A response's stream with an injected call", () => {
  const calling = created + item(0, text("I look.")) + item(1, call("bmcp_a_list", `{"a":1}`))
  const first = calling + ended([text("I look."), call("bmcp_a_list", `{"a":1}`)])

  it("is not the client's, which sees the next one as it is", () => {
    const reader = turns()

    assert.strictEqual(Turns.feed(reader, first), "")
    assert.deepStrictEqual(reader.calls(), [{ id: "call_bmcp_a_list", name: "bmcp_a_list", args: `{"a":1}` }])
    reader.next(Turns.answered(reader))

    const second = created.replaceAll("resp_1", "resp_2") + item(0, text("Here.")) + ended([text("Here.")])
    assert.strictEqual(Turns.feed(reader, second), second)
    assert.deepStrictEqual(reader.calls(), [])
  })

  const output = {
    type: "function_call_output",
    call_id: "call_bmcp_a_list",
    output: `{"isError":false,"content":[{"type":"text","text":"done"}]}`
  }
  const items = [text("I look."), call("bmcp_a_list", `{"a":1}`), output].map((each) => JSON.stringify(each)).join(",")

  it.each([
    {
      body: `{"model":"a","input":"Hi","x":1.0}`,
      next: `{"model":"a","input":[{"role":"user","content":"Hi"},${items}],"x":1.0}`
    },
    { body: `{"input":[ {"role":"user"} ],"x":1.0}`, next: `{"input":[ {"role":"user"} ,${items}],"x":1.0}` },
    { body: `{"input":null}`, next: `{"input":[${items}]}` },
    { body: `{"previous_response_id":"r"}`, next: `{"previous_response_id":"r","input":[${items}]}` }
  ])("is asked on with all that was said: $body", ({ body, next }) => {
    const reader = turns(body)
    Turns.feed(reader, first)

    assert.strictEqual(Bodies.text(reader.next(Turns.answered(reader))), next)
  })

  it("of a vendor that leaves the items out of its last event has them all the same", () => {
    const reader = turns()
    Turns.feed(reader, calling + ended([]))

    assert.lengthOf(reader.calls(), 1)
    assert.lengthOf(Turns.sent(reader.next(Turns.answered(reader))).input, 4)
    Turns.feed(reader, created + item(0, text("Here.")) + ended([]))
    assert.deepStrictEqual(reader.calls(), [])
  })

  it.each([
    { store: `"store":false,`, encrypted: undefined, isKept: false },
    { store: `"store":false,`, encrypted: "e", isKept: true },
    { store: `"store":true,`, encrypted: undefined, isKept: true },
    { store: "", encrypted: undefined, isKept: true }
  ])("takes reasoning along that can be found again: $store $encrypted", ({ store, encrypted, isKept }) => {
    const reader = turns(`{${store}"input":[]}`)
    const reasoning = { type: "reasoning", id: "r", encrypted_content: encrypted }
    Turns.feed(reader, ended([reasoning, { type: "mcp_list_tools" }, call("bmcp_a_list")]))

    const { input } = Turns.sent(reader.next(Turns.answered(reader)))
    const types = input.map(({ type }: { readonly type: string }) => type)
    assert.deepStrictEqual(types, [...(isKept ? ["reasoning"] : []), "function_call", "function_call_output"])
  })

  it.each(["Read", "custom", "shell"])("is the client's if it calls a tool of the client's, too: %s", (kind) => {
    const own = kind === "Read" ? call("Read") : { type: kind === "shell" ? "shell_call" : "custom_tool_call", id: "o" }
    const reader = turns()
    const stream = created + item(0, call("bmcp_a_list")) + item(1, own) + ended([call("bmcp_a_list"), own])

    assert.strictEqual(Turns.feed(reader, stream), created + item(0, own) + ended([own]))
    assert.deepStrictEqual(reader.calls(), [])
  })

  it.each(["incomplete", "failed"])("is not asked on if it is %s", (type) => {
    const reader = turns()

    const shown = Turns.feed(reader, created + item(0, call("bmcp_a_list")) + ended([call("bmcp_a_list")], type))

    assert.strictEqual(shown, created + ended([], type))
    assert.deepStrictEqual(reader.calls(), [])
  })

  it("is not asked on if the input is of another kind", () => {
    const reader = turns(`{"input":1}`)
    Turns.feed(reader, ended([call("bmcp_a_list")]))

    assert.deepStrictEqual(reader.calls(), [])
  })

  it("has that call dropped if its final answer has begun", () => {
    const reader = turns()
    const final = text("a", { phase: "final_answer" })

    const shown = Turns.feed(
      reader,
      created + item(0, final) + item(1, call("bmcp_a_list")) + ended([final, call("bmcp_a_list")])
    )

    assert.strictEqual(shown, created + item(0, final) + ended([final]))
    assert.deepStrictEqual(reader.calls(), [])
  })

  it("has its calls dropped once that is over, and is live", () => {
    const reader = turns()
    Turns.feed(reader, first)
    reader.finish()
    reader.next([])

    assert.strictEqual(Turns.feed(reader, created), created)
    assert.strictEqual(
      Turns.feed(reader, item(0, call("bmcp_a_list")) + item(1, text("a")) + ended([call("bmcp_a_list"), text("a")])),
      item(0, text("a")) + ended([text("a")])
    )
    assert.deepStrictEqual(reader.calls(), [])
  })
})

describe("The tools of a request that a response repeats", () => {
  const injected = { type: "function", name: "bmcp_a_list" }
  const own = { type: "function", name: "Read" }

  it("are the client's, in events and in whole responses", () => {
    const reader = turns()
    assert.strictEqual(
      Turns.feed(reader, ended([], "completed", { tools: [own, injected] })),
      ended([], "completed", { tools: [own] })
    )

    const other = turns()
    other.whole(Bodies.bytes(` {"id":"r" ,"tools":[{"type":"function","name":"bmcp_a_list"}],"output":[]}`))
    assert.strictEqual(Bodies.text(other.merged()), ` {"id":"r" ,"tools":[],"output":[]}`)
  })
})

describe("A whole response", () => {
  it.each([
    `{"output":[{"type":"message"}]}`,
    ` { "output" : "odd" } `,
    `{"output":[{"type":"function_call","name":"Read"}]}`
  ])("without an injected call is the client's as it is: %s", (body) => {
    const reader = turns()
    const bytes = Bodies.bytes(body)
    reader.whole(bytes)

    assert.deepStrictEqual(reader.calls(), [])
    assert.strictEqual(reader.merged(), bytes)
  })

  it("with one is asked on, and the last one is the client's as it is", () => {
    const reader = turns()
    reader.whole(Bodies.bytes(JSON.stringify({ id: "resp_1", status: "completed", output: [call("bmcp_a_list")] })))
    assert.lengthOf(reader.calls(), 1)
    reader.next(Turns.answered(reader))

    const bytes = Bodies.bytes(JSON.stringify({ id: "resp_2", status: "completed", output: [text("Here.")] }))
    reader.whole(bytes)

    assert.strictEqual(reader.merged(), bytes)
  })

  it("that calls a tool of the client's, too, has that one only", () => {
    const reader = turns()
    reader.whole(Bodies.bytes(JSON.stringify({ status: "completed", output: [call("bmcp_a_list"), call("Read")] })))

    assert.deepStrictEqual(reader.calls(), [])
    assert.strictEqual(Bodies.text(reader.merged()), JSON.stringify({ status: "completed", output: [call("Read")] }))
  })
})
