/** Tools of the gateway's own in OpenAI Responses. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { toolDialect } from "../../src/dialects/OpenAiResponsesTurns.ts"
import type { CallResult, InjectedCall, ToolTurns } from "../../src/dialects/ToolTurns.ts"
import type { ToolResult } from "../../src/domain/ToolResult.ts"
import { times } from "../Table.ts"
import * as Bodies from "./Bodies.ts"

const tools = [
  { id: "bmcp_a_list", description: "Lists", inputSchema: { type: "object", properties: { a: { type: "string" } } } },
  { id: "bmcp_b_say", description: undefined, inputSchema: { type: "object", properties: {} } }
]

const written =
  `{"type":"function","name":"bmcp_a_list","description":"Lists","strict":false,"parameters":{"type":"object","properties":{"a":{"type":"string"}}}},` +
  `{"type":"function","name":"bmcp_b_say","strict":false,"parameters":{"type":"object","properties":{}}}`

const inject = (body: string) =>
  Result.map(toolDialect.inject({ model: "gpt", stream: true, body: Bodies.bytes(body) }, tools), Bodies.text)

const oneAtATime = `"parallel_tool_calls":false`

describe("A request of OpenAI Responses with tools of the gateway's own", () => {
  it.each([
    { body: `{"model":"gpt"}`, expected: `{"model":"gpt","tools":[${written}],${oneAtATime}}` },
    { body: `{"tools": [ ] , "a": 1.0}`, expected: `{"tools": [ ${written}] , "a": 1.0,${oneAtATime}}` },
    {
      body: `{"a":1e1, "tools": [ {"type":"function","name":"add","x":1.0}\n], "input" : "é"}\n`,
      expected: `{"a":1e1, "tools": [ {"type":"function","name":"add","x":1.0}\n,${written}], "input" : "é",${oneAtATime}}\n`
    },
    {
      body: `{"tools":null,"to\\u006fls":[{"type":"web_search"}]}`,
      expected: `{"tools":null,"to\\u006fls":[{"type":"web_search"},${written}],${oneAtATime}}`
    },
    {
      body: `{"conversation":null,"previous_response_id":"resp_0","tools":[]}`,
      expected: `{"conversation":null,"previous_response_id":"resp_0","tools":[${written}],${oneAtATime}}`
    }
  ])("has them after the client's: $body", ({ body, expected }) => {
    for (let time = 0; time < 10; time++) assert.deepStrictEqual(inject(body), Result.succeed(expected))
  })

  it.each(
    times(
      [{ parallel: `` }, { parallel: `,"parallel_tool_calls":true` }, { parallel: `,"parallel_tool_calls":false` }],
      [
        { choice: `` },
        { choice: `,"tool_choice":"auto"` },
        { choice: `,"tool_choice":"none"` },
        { choice: `,"tool_choice":{"type":"function","name":"add"}` }
      ]
    )
  )("calls one at a time, whatever the client says: $parallel $choice", ({ parallel, choice }) => {
    const expected = `{"tools":[${written}]${parallel === "" ? choice : `,${oneAtATime}${choice}`}${parallel === "" ? `,${oneAtATime}` : ""}}`

    assert.deepStrictEqual(inject(`{"tools":[]${parallel}${choice}}`), Result.succeed(expected))
  })

  it.each([
    { body: `{"tools":null}`, why: `"tools" is not an array` },
    { body: `{"tools":"all"}`, why: `"tools" is not an array` },
    { body: `{"tools":{}}`, why: `"tools" is not an array` },
    { body: `{"conversation":"conv_1"}`, why: `"conversation" keeps what the client must not see` },
    { body: `{"conversation":{"id":"conv_1"},"tools":[]}`, why: `"conversation" keeps what the client must not see` }
  ])("cannot be made of $body", ({ body, why }) => {
    assert.deepStrictEqual(inject(body), Result.fail(why))
  })
})

const request = `{"model":"gpt","input":[ {"role":"user","content":"Hi"} ],"x":1.0}`

const isInjected = (name: string) => name.startsWith("bmcp_")

const turns = (body = request) => toolDialect.turns(Bodies.bytes(body), isInjected)

type Members = Readonly<Record<string, unknown>>

const event = (data: Members): string => `event: ${String(data["type"])}\ndata: ${JSON.stringify(data)}\n\n`

const echo = { tool_choice: "auto", parallel_tool_calls: false }
const addTool = { type: "function", name: "add" }
const injectedTool = { type: "function", name: "bmcp_a_list" }

const begun = (more: Members = {}) =>
  ["created", "in_progress"]
    .map((status) => event({ type: `response.${status}`, response: { id: "resp_1", output: [], ...echo, ...more } }))
    .join("")

const ended = (output: ReadonlyArray<Members>, more: Members = {}, status = "completed") =>
  event({ type: `response.${status}`, response: { id: "resp_1", status, output, ...echo, ...more } })

const call = (name: string, args = "{}", id = `call_${name}`): Members => ({
  type: "function_call",
  id: `fc_${id}`,
  status: "completed",
  arguments: args,
  call_id: id,
  name
})

const thought = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: null }
const message = (text: string, phase?: string): Members => ({
  type: "message",
  id: `msg_${text}`,
  role: "assistant",
  content: [{ type: "output_text", text, annotations: [] }],
  ...(phase === undefined ? {} : { phase })
})

/** The events of an item at its place, in pieces. */
const item = (output_index: number, whole: Members): string => {
  const { id: item_id } = whole
  const pieces =
    whole["type"] === "function_call"
      ? [
          ...Array.from(String(whole["arguments"]), (delta) => ({
            type: "response.function_call_arguments.delta",
            delta
          })),
          { type: "response.function_call_arguments.done", arguments: whole["arguments"], name: whole["name"] }
        ]
      : [{ type: "response.output_text.delta", delta: "…" }]
  return [
    event({ type: "response.output_item.added", output_index, item: { ...whole, arguments: "", content: [] } }),
    ...pieces.map((piece) => event({ item_id, output_index, ...piece })),
    event({ type: "response.output_item.done", output_index, item: whole })
  ].join("")
}

const items = (...all: ReadonlyArray<Members>): string => all.map((one, index) => item(index, one)).join("")

const delta = (output_index: number): string => event({ type: "response.output_text.delta", output_index, delta: "…" })

/** The same from a vendor that does not say where its items are. */
const placeless = (stream: string) => stream.replaceAll(/"output_index":\d+,?/g, "")

const answer = (...output: ReadonlyArray<Members>) => begun() + items(...output) + ended(output)

const whole = (output: ReadonlyArray<Members>, more: Members = {}): string =>
  JSON.stringify({ id: "resp_1", object: "response", status: "completed", output, ...more })

/** Written otherwise than we would. */
const spaced = (output: ReadonlyArray<Members>, ...echoed: ReadonlyArray<Members>): string =>
  `{ "id":"resp_3",\n "status":"completed", "output": ${JSON.stringify(output)}, "tools":${JSON.stringify(echoed)}, "usage": {"input_tokens":5, "n":1.0}}\n`

const dataOf = (text: string): string =>
  text
    .split(/\r\n|\r|\n/)
    .flatMap((line) => (line.startsWith("data:") ? [line.slice("data:".length)] : []))
    .join("\n")

const eventsOf = (stream: string) => stream.split(/(?<=\n\n|\r\n\r\n|\r\r)/)

/** What the client sees of each event. */
const feedEach = (reader: ToolTurns, stream: string): ReadonlyArray<string> =>
  eventsOf(stream).map((one) =>
    reader
      .event(Bodies.bytes(one), dataOf(one))
      .map((bytes) => Bodies.text(bytes))
      .join("")
  )

const feed = (reader: ToolTurns, stream: string): string => feedEach(reader, stream).join("")

const say = (text: string, isError = false): ToolResult => ({ isError, content: [{ type: "text", text }] })

const run = (reader: ToolTurns, result = say("done")): string =>
  Bodies.text(reader.next(reader.calls().map((one): CallResult => ({ call: one, result }))))

const output = (
  call_id: string,
  text = `{\\"content\\":[{\\"type\\":\\"text\\",\\"text\\":\\"done\\"}],\\"isError\\":false}`
) => `{"type":"function_call_output","call_id":"${call_id}","output":"${text}"}`

const called = (name: string, args = "{}", id = `call_${name}`): InjectedCall => ({ id, name, args })

const other = [
  { what: "text", stream: answer(thought, message("Hi")) },
  { what: "a client's call", stream: answer(thought, call("add", `{"a":1}`)) },
  { what: "a custom call", stream: answer({ type: "custom_tool_call", call_id: "c", name: "exec", input: "1" }) },
  { what: "final text", stream: answer(message("Hm", "commentary"), message("Hi", "final_answer")) },
  {
    what: "the client's tools alone",
    stream: begun({ tools: [addTool] }) + ended([], { tools: [addTool], store: 1.0 })
  },
  { what: "a failure", stream: begun() + items(message("H")) + ended([], { error: { code: "x" } }, "failed") },
  { what: "an end for length", stream: begun() + items(message("H")) + ended([message("H")], {}, "incomplete") },
  { what: "an error", stream: begun() + event({ type: "error", code: "x", message: "bmcp_", param: null }) },
  { what: "unknown events", stream: `: hi\n\nevent: new\ndata: {"type":"new","item":1}\n\n${answer(message("Hi"))}` },
  { what: "line ends of all kinds", stream: `: a\r\n\r\ndata: {"type":\r\ndata:"x"}\r\n\r\n${answer(message("Hi"))}` },
  { what: "no JSON", stream: `${begun()}data: "response.completed"{\n\n${items(message("Hi"))}${ended([])}` },
  {
    what: "types in texts",
    stream: begun() + event({ type: "x", delta: "error" }) + ended([message("response.failed")])
  },
  { what: "no response", stream: event({ type: "response.output_item.done" }) + event({ type: "response.completed" }) },
  { what: "a hosted call of that name", stream: answer({ type: "mcp_call", id: "mcp_1", name: "bmcp_a_list" }) },
  { what: "more after its end", stream: `${answer(message("Hi"))}data: [DONE]\n\n` }
]

describe("A stream of OpenAI Responses without injected calls", () => {
  it.each(other)("passes untouched, be it $what", ({ stream }) => {
    const reader = turns()
    const events = eventsOf(stream).map((one) => [Bodies.bytes(one), dataOf(one)] as const)

    const shown = events.flatMap(([bytes, data]) => reader.event(bytes, data))

    assert.deepStrictEqual(shown.map(Bodies.text), eventsOf(stream))
    shown.forEach((bytes, index) => assert.strictEqual(bytes, events[index]?.[0]))
    assert.isTrue(reader.isOver())
    assert.deepStrictEqual(reader.calls(), [])
    assert.deepStrictEqual(reader.rest(), [])
  })

  it("is held back to its last event, as there may be a call", () => {
    const stream = answer(thought, message("Hi"), message("Ho", "commentary"))
    const seen = feedEach(turns(), stream)

    assert.deepStrictEqual(seen, [...seen.slice(1).map(() => ""), stream])
  })

  it.each([
    { last: message("Hi", "final_answer"), what: "a final text" },
    { last: call("add", `{"a":1}`), what: "a client's call" },
    { last: { type: "custom_tool_call", call_id: "c", name: "exec", input: "1" }, what: "a client's custom call" }
  ])("passes as it comes as soon as it has $what", ({ last }) => {
    const before = begun() + items(thought, message("Hm", "commentary"))
    const after = eventsOf(item(2, last) + ended([thought, message("Hm", "commentary"), last]))
    const reader = turns()

    assert.strictEqual(feed(reader, before), "")
    assert.deepStrictEqual(feedEach(reader, after.join("")), [before + (after[0] ?? ""), ...after.slice(1)])
  })

  it("is given out when it breaks off, once", () => {
    const stream = begun() + items(thought)
    const reader = turns()

    assert.strictEqual(feed(reader, stream), "")
    assert.isFalse(reader.isOver())
    assert.deepStrictEqual(reader.calls(), [])
    assert.strictEqual(reader.rest().map(Bodies.text).join(""), stream)
    assert.deepStrictEqual(reader.rest(), [])
  })
})

describe("A stream of OpenAI Responses with injected calls", () => {
  it.each([
    { what: "one", output: [thought, call("bmcp_a_list", `{"a":"b"}`)], calls: [called("bmcp_a_list", `{"a":"b"}`)] },
    { what: "one with nothing in it", output: [call("bmcp_a_list", "")], calls: [called("bmcp_a_list", "")] },
    { what: "one with no JSON in it", output: [call("bmcp_a_list", " {a ")], calls: [called("bmcp_a_list", "{a")] },
    {
      what: "one with an object in it",
      output: [{ ...call("bmcp_a_list"), arguments: { a: 1 } }],
      calls: [called("bmcp_a_list", `{"a":1}`)]
    },
    {
      what: "two of one tool, and another",
      output: [call("bmcp_a_list", "1", "c1"), call("bmcp_a_list", "2", "c2"), message("Hm"), call("bmcp_b_say")],
      calls: [called("bmcp_a_list", "1", "c1"), called("bmcp_a_list", "2", "c2"), called("bmcp_b_say")]
    },
    {
      what: "one beside a hosted one",
      output: [
        { type: "web_search_call", id: "ws_1" },
        { type: "shell_call", call_id: "sh_1" },
        { type: "shell_call_output", call_id: "sh_1" },
        call("bmcp_b_say")
      ],
      calls: [called("bmcp_b_say")]
    },
    {
      what: "one, and then a final text",
      output: [call("bmcp_b_say"), message("x", "final_answer")],
      calls: [called("bmcp_b_say")]
    }
  ])("says which: $what", ({ output: all, calls }) => {
    const reader = turns()

    assert.strictEqual(feed(reader, answer(...all)), "")
    assert.isTrue(reader.isOver())
    assert.deepStrictEqual(reader.calls(), calls)
  })

  it("says which also if its last event has no items", () => {
    for (const more of [{ output: [] }, { output: undefined }, { output: null }, { status: undefined }]) {
      const reader = turns()
      feed(reader, begun() + items(thought, call("bmcp_b_say")) + ended([], more))

      assert.deepStrictEqual(reader.calls(), [called("bmcp_b_say")])
      assert.deepStrictEqual(JSON.parse(run(reader)).input.slice(1, 3), [thought, call("bmcp_b_say")])
    }
  })

  it("makes up the ids of calls that have none", () => {
    const { call_id: _, ...bare } = call("bmcp_b_say", "{}", "x")
    const { id: __, ...barer } = bare
    const reader = turns()
    feed(reader, answer(thought, bare, { ...barer, call_id: "" }))

    assert.deepStrictEqual(reader.calls(), [called("bmcp_b_say", "{}", "fc_x"), called("bmcp_b_say", "{}", "call_2")])
    assert.deepStrictEqual(
      JSON.parse(run(reader)).input.map(({ call_id }: Members) => call_id),
      [undefined, undefined, "fc_x", "call_2", "fc_x", "call_2"]
    )
  })

  const mixed = call("bmcp_a_list", `{"a":1}`)
  it.each([
    { what: "a client's call follows", all: [thought, mixed, call("add")] },
    { what: "a client's call is before it", all: [call("add"), thought, mixed, message("Hi")] },
    { what: "a custom call is there", all: [mixed, { type: "custom_tool_call", id: "c", call_id: "c", input: "" }] },
    { what: "another call for the client is there", all: [mixed, { type: "computer_call", id: "c", call_id: "c" }] },
    { what: "an approval is asked for", all: [{ type: "mcp_approval_request", id: "m" }, mixed] },
    { what: "there was a final text", all: [message("Hi", "final_answer"), mixed, thought] },
    { what: "it was cut off itself", all: [thought, { ...mixed, status: "incomplete" }] },
    { what: "it was not finished", all: [{ ...mixed, status: "in_progress" }, thought] },
    { what: "the answer is too long", all: [thought, mixed, message("H")], end: "incomplete" },
    { what: "the answer fails", all: [mixed, message("H")], end: "failed" },
    { what: "the request cannot be continued", all: [mixed, thought], body: `{"input":1}` },
    { what: "the input is no list", all: [mixed, thought], body: `{"input":{}}` }
  ])("is the last one without them if $what", ({ all, end = "completed", body = request }) => {
    const left = all.filter((one: Members) => one["name"] !== "bmcp_a_list")
    const reader = turns(body)

    const shown = feed(reader, begun() + items(...all) + ended(all, {}, end))

    assert.strictEqual(shown, begun() + items(...left) + ended(left, {}, end))
    assert.deepStrictEqual(reader.calls(), [])
    assert.deepStrictEqual(reader.rest(), [])
  })

  it("is the last one if the response says that it is not complete", () => {
    const reader = turns()

    feed(reader, begun() + items(mixed) + ended([mixed], { status: "in_progress" }))

    assert.deepStrictEqual(reader.calls(), [])
  })

  it("is the last one without them if it ends with an error", () => {
    const error = event({ type: "error", message: "x" })
    const reader = turns()

    assert.strictEqual(feed(reader, begun() + items(mixed, thought) + error), begun() + items(thought) + error)
    assert.isTrue(reader.isOver())
    assert.deepStrictEqual(reader.calls(), [])
  })

  it("does not show them if it breaks off", () => {
    const reader = turns()
    feed(reader, begun() + items(thought, mixed, message("Hm")))

    assert.strictEqual(reader.rest().map(Bodies.text).join(""), begun() + items(thought, message("Hm")))
  })

  it("does not show them if nobody runs them", () => {
    const reader = turns()
    feed(reader, answer(thought, mixed))

    assert.strictEqual(reader.rest().map(Bodies.text).join(""), begun() + items(thought) + ended([thought]))
  })

  it("passes as it comes once no call is run any more, and ends without the call", () => {
    const reader = turns()
    feed(reader, answer(mixed))
    const calls = reader.calls()
    reader.finish()
    assert.deepStrictEqual(reader.calls(), [])
    reader.next(calls.map((one) => ({ call: one, result: say("done") })))
    const events = eventsOf(begun() + items(thought) + item(1, mixed) + item(2, message("Hi")))

    const seen = feedEach(reader, events.join("") + ended([thought, mixed, message("Hi")]))

    assert.deepStrictEqual(seen.slice(0, 5), events.slice(0, 5))
    assert.strictEqual(seen.join(""), begun() + items(thought, message("Hi")) + ended([thought, message("Hi")]))
    assert.deepStrictEqual(reader.calls(), [])
  })

  it("says which also if their names come late", () => {
    const reader = turns()

    assert.strictEqual(feed(reader, answer(call("bmcp_b_say")).replace(`"name":"bmcp_b_say"`, `"name":""`)), "")
    assert.deepStrictEqual(reader.calls(), [called("bmcp_b_say")])
  })

  it("has no gap in the places of what is shown", () => {
    const reader = turns()

    assert.strictEqual(
      feed(reader, item(1, mixed) + delta(0) + delta(1) + delta(2) + item(3, mixed) + delta(4) + item(5, call("add"))),
      delta(0) + delta(1) + delta(2) + item(3, call("add"))
    )
  })

  it("knows an item by its id where the upstream says no place", () => {
    const reader = turns()

    const shown = feed(reader, placeless(begun() + items(mixed, thought, call("add"))) + ended([mixed, call("add")]))

    assert.strictEqual(shown, placeless(begun() + items(thought, call("add"))) + ended([call("add")]))
  })

  it("knows an item by its place where ids change", () => {
    let ids = 0
    const changing = (stream: string) =>
      stream.replaceAll(/"(id|item_id)":"fc_[^"]*"/g, (_, name) => `"${name}":"${ids++}"`)
    const reader = turns()

    const shown = feed(reader, changing(begun() + items(mixed)) + item(1, thought) + ended([mixed], {}, "failed"))

    assert.strictEqual(shown, begun() + items(thought) + ended([], {}, "failed"))
  })

  it("shows no name of a call whose beginning was left out", () => {
    const late = { type: "response.function_call_arguments.done", name: "bmcp_a_list", arguments: "{}" }
    const done = event({ type: "response.output_item.done", item: { ...mixed, id: null } })
    const reader = turns()

    assert.strictEqual(
      feed(reader, event({ ...late, output_index: 0 }) + done + item(1, thought) + ended([], {}, "failed")),
      item(0, thought) + ended([], {}, "failed")
    )
  })

  it("forgets the items of an answer when the next one begins", () => {
    const reader = turns()
    feed(reader, begun() + items(mixed) + ended([]))
    run(reader)
    assert.isFalse(reader.isOver())
    assert.deepStrictEqual(reader.calls(), [])
    assert.deepStrictEqual(reader.rest(), [])
    const last = begun() + items(message("Hi")) + ended([])

    assert.strictEqual(feed(reader, last), last)
    assert.deepStrictEqual(reader.calls(), [])
  })
})

describe("A response that says which tools it had", () => {
  const rows = [
    { said: { tools: [addTool, injectedTool] }, left: { tools: [addTool] } },
    { said: { tools: [injectedTool], tool_choice: injectedTool }, left: { tools: [], tool_choice: "auto" } },
    {
      said: { tool_choice: { type: "allowed_tools", mode: "auto", tools: [addTool, injectedTool] } },
      left: { tool_choice: { type: "allowed_tools", mode: "auto", tools: [addTool] } }
    },
    { said: { tools: "bmcp_a_list" }, left: { tools: "bmcp_a_list" } }
  ]

  it.each(rows)("does not say so in a stream: $said", ({ said, left }) => {
    for (const status of ["completed", "incomplete", "failed"]) {
      const queued = (more: Members) => event({ type: "response.queued", response: { ...more, x: 1 } })

      assert.strictEqual(
        feed(turns(), queued(said) + begun(said) + ended([thought], said, status)),
        queued(left) + begun(left) + ended([thought], left, status)
      )
    }
  })

  it.each(rows)("does not say so as a whole: $said", ({ said, left }) => {
    const reader = turns()
    reader.whole(Bodies.bytes(JSON.stringify({ id: "resp_1", ...said, output: [thought] })))

    assert.strictEqual(Bodies.text(reader.merged()), JSON.stringify({ id: "resp_1", ...left, output: [thought] }))
  })

  const tool = `{"type": "function", "name": "bmcp_a_list"}`
  it.each([
    {
      sent: `id: 1\r\nevent: response.created\r\ndata:{"type":"response.created", "response":{"tools":[${tool}], "n":1.0}}\r\nretry: 1\r\n\r\n`,
      seen: `id: 1\r\nevent: response.created\r\ndata:{"type":"response.created", "response":{"tools":[], "n":1.0}}\r\nretry: 1\r\n\r\n`
    },
    {
      sent: `data: {"type":"response.created",\ndata:  "response":{"tools":[${tool}],\ndata: "n":1.0}}\n\n`,
      seen: `data: {"type":"response.created",\ndata:  "response":{"tools":[],\ndata: "n":1.0}}\n\n`
    },
    {
      sent: `data: {"type":"response.created","response":{"tools":[${tool}],"n":"é"}}\r: é\r\r`,
      seen: `data: {"type":"response.created","response":{"tools":[],"n":"é"}}\r: é\r\r`
    },
    {
      sent: `data: {"type":"response.created",\rdata:"response":{"tools":[${tool}]}}\r\r`,
      seen: `data: {"type":"response.created",\rdata: "response":{"tools":[]}}\r\r`
    },
    {
      sent: `\ufeffdata: {"type":"response.created","response":{"tools":[${tool}]}}\n\n`,
      seen: `\ufeffdata: {"type":"response.created","response":{"tools":[]}}\n\n`
    }
  ])("is else as it came: $sent", ({ sent, seen }) => {
    const reader = turns()
    reader.finish()
    const data = dataOf(sent.replace("\ufeff", ""))

    assert.deepStrictEqual(reader.event(Bodies.bytes(sent), data).map(Bodies.text), [seen])
  })
})

describe("A request of OpenAI Responses with results", () => {
  const user = `{"role":"user","content":"Hi"}`
  const b = `{"type":"function_call","id":"fc_call_bmcp_b_say","status":"completed","arguments":"{}","call_id":"call_bmcp_b_say","name":"bmcp_b_say"}`
  const added = `${b},${output("call_bmcp_b_say")}`
  it.each([
    { body: `{"input": "Hi" ,"a":1.0}`, expected: `{"input": [${user},${added}] ,"a":1.0}` },
    { body: `{"input":""}`, expected: `{"input":[{"role":"user","content":""},${added}]}` },
    { body: `{"input":null}`, expected: `{"input":[${added}]}` },
    { body: `{"a":1.0}`, expected: `{"a":1.0,"input":[${added}]}` },
    { body: `{"input":[],"previous_response_id":"r"}`, expected: `{"input":[${added}],"previous_response_id":"r"}` },
    { body: `{"a":1,"input":[ ${user} ]}`, expected: `{"a":1,"input":[ ${user} ,${added}]}` },
    { body: `{"input":1,"input":[${user}]}`, expected: `{"input":1,"input":[${user},${added}]}` }
  ])("has them at its end: $body", ({ body, expected }) => {
    const reader = turns(body)
    feed(reader, answer(call("bmcp_b_say")))

    assert.strictEqual(run(reader), expected)
  })

  it("has all items that the API takes back, as they came", () => {
    const back = [
      { ...message("Hm", "commentary"), unknown: { deep: [null, 1.5] } },
      { type: "file_search_call", id: "1" },
      { type: "web_search_call", id: "2" },
      { type: "reasoning", id: "3" },
      { type: "compaction", id: "4" },
      { type: "image_generation_call", id: "5" },
      { type: "code_interpreter_call", id: "6" },
      { type: "computer_call", id: "7" },
      { ...call("bmcp_b_say"), unknown: "é" }
    ]
    const dropped = [{ type: "mcp_list_tools" }, { type: "mcp_call", id: "8" }, { type: "new" }, { id: "9" }]
    const reader = turns()
    feed(reader, ended([...dropped, ...back]))

    assert.deepStrictEqual(JSON.parse(run(reader)).input.slice(1, -1), back)
  })

  it.each([
    { store: `false`, ids: ["b", "fc_call_bmcp_b_say"] },
    { store: `true`, ids: ["a", "b", "c", "fc_call_bmcp_b_say"] },
    { store: `null`, ids: ["a", "b", "c", "fc_call_bmcp_b_say"] }
  ])("has only thoughts that the upstream can read, if it stores: $store", ({ store, ids }) => {
    const reader = turns(`{"input":[],"store":${store}}`)
    const thoughts = [
      { type: "reasoning", id: "a" },
      { type: "reasoning", id: "b", encrypted_content: "x" },
      { type: "reasoning", id: "c", encrypted_content: null }
    ]
    feed(reader, ended([...thoughts, call("bmcp_b_say")]))

    assert.deepStrictEqual(
      JSON.parse(run(reader)).input.flatMap(({ id }: Members) => id ?? []),
      ids
    )
  })

  it("has the whole result of each call, failures and structure included", () => {
    const reader = turns()
    feed(reader, answer(call("bmcp_a_list", "1", "c1"), call("bmcp_a_list", "2", "c2")))
    const results = [
      { isError: true, content: [{ type: "text", text: "é" }] } as const,
      { isError: false, content: [], structuredContent: { n: 1 } }
    ]
    const body = reader.next(reader.calls().map((one, index) => ({ call: one, result: results[index] ?? say("") })))

    assert.deepStrictEqual(JSON.parse(Bodies.text(body)).input.slice(-2), [
      {
        type: "function_call_output",
        call_id: "c1",
        output: `{"content":[{"type":"text","text":"é"}],"isError":true}`
      },
      {
        type: "function_call_output",
        call_id: "c2",
        output: `{"content":[],"structuredContent":{"n":1},"isError":false}`
      }
    ])
  })

  it("is the old one if there is an item too deep to be written", () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000)
    const reader = turns()
    reader.whole(Bodies.bytes(`{"output":[{"type":"message","x":${deep}},${JSON.stringify(call("bmcp_b_say"))}]}`))

    assert.isTrue(Bodies.text(reader.merged()).includes("bmcp_b_say"))
    assert.strictEqual(run(reader), request)
  })
})

describe("A whole answer of OpenAI Responses", () => {
  it.each([
    whole([thought, message("Hi")]),
    whole([call("add")]),
    ` {"output":[ ], "usage":{"n":1.0}}\n`,
    `{"error":{"message":"bmcp_a_list"}}`,
    `no JSON: bmcp_a_list`,
    `[]`,
    `null`,
    ``
  ])("without injected calls is untouched: %s", (text) => {
    const body = Bodies.bytes(text)
    const reader = turns()

    reader.whole(body)

    assert.strictEqual(reader.merged(), body)
    assert.isTrue(reader.isOver())
    assert.deepStrictEqual(reader.calls(), [])
  })

  it.each([
    { what: "with a client's call", all: [call("bmcp_b_say"), call("add")] },
    { what: "with a client's call without id", all: [call("bmcp_b_say"), { type: "function_call", name: "add" }] },
    { what: "with a custom call without id", all: [call("bmcp_b_say"), { type: "custom_tool_call", name: "add" }] },
    {
      what: "with a client's call beside a hosted one",
      all: [
        { type: "shell_call", call_id: "sh_1" },
        { type: "shell_call_output", call_id: "sh_1" },
        { type: "shell_call", call_id: "sh_2" },
        call("bmcp_b_say")
      ]
    },
    { what: "cut off", all: [call("bmcp_b_say")], more: { status: "incomplete" } },
    { what: "failed", all: [thought, call("bmcp_b_say")], more: { status: "failed" } },
    { what: "that comes later", all: [thought, call("bmcp_b_say")], more: { status: "in_progress" } },
    { what: "to what cannot be continued", all: [call("bmcp_b_say"), thought], body: `{"input":1}` },
    { what: "after which no call is run", all: [call("bmcp_b_say"), thought], isFinished: true }
  ])("$what has no injected calls in it", ({ all, more = {}, body = request, isFinished = false }) => {
    const left = all.filter((one: Members) => one["name"] !== "bmcp_b_say")
    const reader = turns(body)
    if (isFinished) reader.finish()

    reader.whole(Bodies.bytes(whole(all, { ...more, x: "é" })))

    assert.deepStrictEqual(reader.calls(), [])
    assert.strictEqual(Bodies.text(reader.merged()), whole(left, { ...more, x: "é" }))
  })

  it("that nobody goes on from does not show its call either", () => {
    const reader = turns()
    reader.whole(Bodies.bytes(whole([thought, call("bmcp_b_say")])))

    assert.strictEqual(reader.calls().length, 1)
    assert.strictEqual(Bodies.text(reader.merged()), whole([thought]))
  })
})

describe("A loop of OpenAI Responses", () => {
  const client = `{"model":"gpt", "input":"Which?", "tools":[{"type":"web_search"}], "store" : false}`
  const injected = `{"model":"gpt", "input":"Which?", "tools":[{"type":"web_search"},${written}], "store" : false,${oneAtATime}}`
  const first = call("bmcp_a_list", `{"a":"1"}`, "c1")
  const second = call("bmcp_b_say", ``, "c2")
  const encrypted = { type: "reasoning", id: "rs_2", encrypted_content: "gAAA" }
  const asked = (...more: ReadonlyArray<string>) =>
    injected.replace(`"Which?"`, () => `[{"role":"user","content":"Which?"},${more.join(",")}]`)
  const firstItems = [JSON.stringify(encrypted), JSON.stringify(first), output("c1")]
  const refused = `{\\"content\\":[{\\"type\\":\\"text\\",\\"text\\":\\"no\\"}],\\"isError\\":true}`
  const secondItems = [message("Hm", "commentary"), second]
    .map((one) => JSON.stringify(one))
    .concat(output("c2", refused))
  const nexts = [asked(...firstItems), asked(...firstItems, ...secondItems)]
  const answers = [
    [thought, encrypted, first],
    [message("Hm", "commentary"), second]
  ]
  const last = [thought, message("This", "final_answer")]
  const usage = { usage: { input_tokens: 5, output_tokens: 2 } }

  const start = () =>
    toolDialect.turns(
      Result.getOrThrow(toolDialect.inject({ model: "gpt", stream: true, body: Bodies.bytes(client) }, tools)),
      isInjected
    )

  it("shows the last stream alone, and asks with all that was before", () => {
    const reader = start()
    const seen = answers.map((all, index) => {
      const more = { tools: [{ type: "web_search" }, injectedTool] }
      assert.strictEqual(feed(reader, begun(more) + items(...all) + ended(all, more)), "")
      return run(reader, index === 0 ? say("done") : say("no", true))
    })
    const echoed = { tools: [{ type: "web_search" }, injectedTool], id: "resp_3", ...usage }
    const shown = { tools: [{ type: "web_search" }], id: "resp_3", ...usage }

    assert.deepStrictEqual(seen, nexts)
    assert.strictEqual(
      feed(reader, begun(echoed) + items(...last) + ended(last, echoed)),
      begun(shown) + items(...last) + ended(last, shown)
    )
    assert.deepStrictEqual(reader.calls(), [])
  })

  it("shows the last whole answer alone, and asks with all that was before", () => {
    const reader = start()
    const seen = answers.map((all, index) => {
      reader.whole(Bodies.bytes(spaced(all, addTool, injectedTool)))
      return run(reader, index === 0 ? say("done") : say("no", true))
    })
    reader.whole(Bodies.bytes(spaced(last, addTool, injectedTool)))

    assert.deepStrictEqual(seen, nexts)
    assert.strictEqual(Bodies.text(reader.merged()), spaced(last, addTool))
    assert.deepStrictEqual(reader.calls(), [])
  })
})
