/** Tools of the gateway's own in chat completions. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { toolDialect } from "../../src/dialects/OpenAiChatTurns.ts"
import * as Bodies from "./Bodies.ts"
import * as Turns from "./TurnsReader.ts"

const tools = [
  { id: "bmcp_a_list", description: "Lists", inputSchema: { type: "object", properties: {} } },
  { id: "bmcp_b_say", description: undefined, inputSchema: { type: "object" } }
]

const written =
  `{"type":"function","function":{"name":"bmcp_a_list","description":"Lists","strict":false,"parameters":{"type":"object","properties":{}}}},` +
  `{"type":"function","function":{"name":"bmcp_b_say","strict":false,"parameters":{"type":"object"}}}`

const inject = (body: string) =>
  Result.map(toolDialect.inject({ model: "a-model", stream: true, body: Bodies.bytes(body) }, tools), Bodies.text)

describe("A chat request with tools of the gateway's own", () => {
  const own = `{"type":"function","function":{"name":"Read"}}`

  it.each([
    { body: `{"model":"a"}`, expected: `{"model":"a","tools":[${written}],"parallel_tool_calls":false}` },
    { body: `{"tools":[ ],"n":1}`, expected: `{"tools":[ ${written}],"n":1,"parallel_tool_calls":false}` },
    {
      body: `{"tools":[${own}], "x":1.0}`,
      expected: `{"tools":[${own},${written}], "x":1.0,"parallel_tool_calls":false}`
    },
    {
      body: `{"parallel_tool_calls":true,"tools":[${own}]}`,
      expected: `{"parallel_tool_calls":false,"tools":[${own},${written}]}`
    }
  ])("has them behind the client's: $body", ({ body, expected }) => {
    assert.deepStrictEqual(inject(body), Result.succeed(expected))
  })

  it.each([
    { body: `{"tools":null}`, why: `"tools" is not an array` },
    { body: `{"tools":"all"}`, why: `"tools" is not an array` },
    { body: `{"n":2}`, why: `"n" asks for several choices` }
  ])("cannot be made of $body", ({ body, why }) => {
    assert.deepStrictEqual(inject(body), Result.fail(why))
  })
})

const request = `{"model":"a","messages":[ {"role":"user","content":"Hi"} ],"x":1.0}`

const turns = () => toolDialect.turns(Bodies.bytes(request), (name) => name.startsWith("bmcp_"))

const chunk = (delta: unknown, finish_reason: string | null = null, more: object = {}, id = "chat_1"): string =>
  `data: ${JSON.stringify({ id, choices: [{ index: 0, delta, finish_reason }], ...more })}\n\n`

const usage = (value: object, id = "chat_1"): string => `data: ${JSON.stringify({ id, choices: [], usage: value })}\n\n`

const call = (index: number, name: string, args = "", id = `call_${name}_${index}`) =>
  chunk({ tool_calls: [{ index, id, type: "function", function: { name, arguments: args } }] })

const args = (index: number, piece: string) => chunk({ tool_calls: [{ index, function: { arguments: piece } }] })

const role = chunk({ role: "assistant", content: "" })

const done = "data: [DONE]\n\n"

describe("A chat stream without injected calls", () => {
  it.each([
    { name: "text", stream: role + chunk({ content: "a" }) + chunk({}, "stop") + usage({ total_tokens: 3 }) + done },
    { name: "a client's call", stream: role + call(0, "Read", "{") + args(0, "}") + chunk({}, "tool_calls") + done },
    { name: "what nobody knows", stream: `: comment\n\ndata: no JSON\n\ndata: 1\n\ndata: {"choices":"odd"}\n\n` },
    { name: "an error", stream: `${role}data: {"error":{"message":"x"}}\n\n` }
  ])("is the client's as it is: $name", ({ stream }) => {
    const reader = turns()

    assert.strictEqual(Turns.feed(reader, stream), stream)
    assert.deepStrictEqual(reader.calls(), [])
  })
})

const counting = (completion_tokens: number) => ({ usage: { completion_tokens } })

describe("A chat stream with an injected call", () => {
  const counted = { prompt_tokens: 10, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 4 } }
  const first =
    role +
    chunk({ content: "I " }) +
    chunk({ content: "look." }) +
    call(0, "bmcp_a_list", `{"ow`) +
    args(0, `ner":1}`) +
    chunk({}, "tool_calls") +
    usage(counted) +
    done
  const second =
    chunk({ role: "assistant", content: "" }, null, {}, "chat_2") +
    chunk({ content: "He" }, null, {}, "chat_2") +
    chunk({ content: "re." }, null, {}, "chat_2") +
    chunk({}, "stop", {}, "chat_2") +
    usage(counted, "chat_2") +
    done

  it("is one stream with one id and one role, its texts apart and its usage added up", () => {
    const reader = turns()

    assert.strictEqual(Turns.feed(reader, first), role + chunk({ content: "I " }) + chunk({ content: "look." }))
    assert.deepStrictEqual(reader.calls(), [{ id: "call_bmcp_a_list_0", name: "bmcp_a_list", args: `{"owner":1}` }])
    reader.next(Turns.answered(reader))

    assert.strictEqual(
      Turns.feed(reader, second),
      chunk({ content: "\n\nHe" }) +
        chunk({ content: "re." }) +
        chunk({}, "stop") +
        usage({ prompt_tokens: 20, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 8 } }) +
        done
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
        content: "I look.",
        tool_calls: [
          { id: "call_bmcp_a_list_0", type: "function", function: { name: "bmcp_a_list", arguments: `{"owner":1}` } }
        ]
      },
      {
        role: "tool",
        tool_call_id: "call_bmcp_a_list_0",
        content: `{"isError":false,"content":[{"type":"text","text":"done"}]}`
      }
    ]
    const elements = added.map((message) => JSON.stringify(message)).join(",")
    assert.strictEqual(next, `{"model":"a","messages":[ {"role":"user","content":"Hi"} ,${elements}],"x":1.0}`)
  })

  it("that begins with the call shows the role with the next answer", () => {
    const reader = turns()
    const begun = chunk({ tool_calls: [{ index: 0, id: "c", function: { name: " bmcp_a_list ", arguments: "" } }] })

    assert.strictEqual(Turns.feed(reader, begun + chunk({}, "tool_calls") + done), "")
    assert.deepStrictEqual(reader.calls(), [{ id: "c", name: "bmcp_a_list", args: "" }])
    const { messages } = Turns.sent(reader.next(Turns.answered(reader)))
    assert.deepStrictEqual([messages[1].content, messages[1].tool_calls[0].function.arguments], [null, "{}"])
    assert.strictEqual(Turns.feed(reader, role + chunk({ content: "a" })), role + chunk({ content: "a" }))
  })

  it("whose first chunk has a role, too, keeps that", () => {
    const reader = turns()
    const both = chunk({ role: "assistant", tool_calls: [{ index: 0, id: "c", function: { name: "bmcp_a_list" } }] })

    assert.strictEqual(Turns.feed(reader, both + chunk({}, "tool_calls") + done), chunk({ role: "assistant" }))
  })

  it.each([
    { vendor: "counts from 1", places: [1, 2], ids: ["a", "b"] },
    { vendor: "gives all one place", places: [0, 0], ids: ["a", "b"] },
    { vendor: "gives no places", places: [undefined, undefined], ids: ["a", "b"] },
    { vendor: "gives no ids", places: [0, 1], ids: [undefined, undefined] }
  ])("of a vendor that $vendor has all its calls", ({ places, ids }) => {
    const reader = turns()
    const part = (at: number, value: string, name?: string) =>
      chunk({ tool_calls: [{ index: places[at], id: name && ids[at], function: { name, arguments: value } }] })
    Turns.feed(
      reader,
      part(0, "{", "bmcp_a_list") +
        part(0, "}") +
        part(1, "[", "bmcp_b_say") +
        part(1, "]") +
        chunk({}, "tool_calls") +
        done
    )

    const calls = reader.calls()
    assert.deepStrictEqual(
      calls.map(({ name, args: given }) => [name, given]),
      [
        ["bmcp_a_list", "{}"],
        ["bmcp_b_say", "[]"]
      ]
    )
    assert.strictEqual(new Set(calls.map(({ id }) => id)).size, 2)
    const { messages } = Turns.sent(reader.next(Turns.answered(reader)))
    assert.deepStrictEqual(
      messages.slice(2).map((message: Record<string, unknown>) => message["tool_call_id"]),
      calls.map(({ id }) => id)
    )
  })

  it("gives back what a vendor says in members of its own", () => {
    const reader = turns()
    const signed = chunk({
      reasoning_content: "m",
      tool_calls: [{ index: 0, id: "c", extra_content: { sig: 1 }, function: { name: "bmcp_a_list" } }]
    })
    Turns.feed(reader, chunk({ reasoning_content: "Hm" }) + signed + chunk({}, "tool_calls") + done)

    const { messages } = Turns.sent(reader.next(Turns.answered(reader)))
    assert.strictEqual(messages[1].reasoning_content, "Hmm")
    assert.deepStrictEqual(messages[1].tool_calls[0].extra_content, { sig: 1 })
  })

  it("is the client's if it calls a tool of the client's, too, and its calls have no gaps", () => {
    const reader = turns()
    const end = chunk({}, "tool_calls") + done

    const shown = Turns.feed(reader, call(0, "bmcp_a_list", "{}") + call(1, "Read", "{") + args(1, "}") + end)

    assert.strictEqual(shown, call(0, "Read", "{", "call_Read_1") + args(0, "}") + end)
    assert.deepStrictEqual(reader.calls(), [])
  })

  it.each([
    { reason: "tool_calls", goesOn: true },
    { reason: "function_call", goesOn: true },
    { reason: "stop", goesOn: true },
    { reason: "length", goesOn: false },
    { reason: "content_filter", goesOn: false }
  ])("and the end $reason is asked on: $goesOn", ({ reason, goesOn }) => {
    const reader = turns()

    const shown = Turns.feed(reader, call(0, "bmcp_a_list", "{}") + chunk({}, reason) + done)

    assert.lengthOf(reader.calls(), goesOn ? 1 : 0)
    assert.strictEqual(shown, goesOn ? "" : chunk({}, reason) + done)
  })

  it.each([
    { name: "without a reason, but at its end", stream: done, calls: 1 },
    { name: "without an end, but with a reason", stream: chunk({}, "tool_calls"), calls: 1 },
    { name: "that breaks off", stream: "", calls: 0 },
    { name: "that fails", stream: `data: {"error":{"message":"x"}}\n\n`, calls: 0 }
  ])("$name has $calls calls", ({ stream, calls }) => {
    const reader = turns()
    Turns.feed(reader, call(0, "bmcp_a_list", "{}") + stream)

    assert.lengthOf(reader.calls(), calls)
  })

  it("with the last words in the same chunk shows those", () => {
    const reader = turns()

    const shown = Turns.feed(reader, call(0, "bmcp_a_list", "{}") + chunk({ content: "a" }, "tool_calls") + done)

    assert.strictEqual(shown, chunk({ content: "a" }))
  })

  it("ends as if it had not wanted a tool once that is over", () => {
    const reader = turns()
    Turns.feed(reader, call(0, "bmcp_a_list", "{}") + chunk({}, "tool_calls") + done)
    reader.finish()
    reader.next([])

    const shown = Turns.feed(reader, role + call(0, "bmcp_a_list", "{}") + chunk({}, "tool_calls") + done)

    assert.strictEqual(shown, role + chunk({}, "stop") + done)
    assert.deepStrictEqual(reader.calls(), [])
  })

  it("counts the usage that a vendor repeats with each chunk once", () => {
    const reader = turns()
    Turns.feed(
      reader,
      chunk({ content: "a" }, null, counting(1)) + call(0, "bmcp_a_list") + chunk({}, "tool_calls", counting(5)) + done
    )
    reader.next(Turns.answered(reader))

    const shown = Turns.feed(reader, chunk({ content: "b" }, null, counting(1)) + chunk({}, "stop", counting(2)))

    assert.strictEqual(shown, chunk({ content: "\n\nb" }, null, counting(6)) + chunk({}, "stop", counting(7)))
  })
})

const completion = (message: object, finish_reason: string, counted: object = {}) =>
  JSON.stringify({ id: "chat_9", choices: [{ index: 0, message, finish_reason }], usage: counted })

const use = (name: string, given = "{}") => ({
  id: `call_${name}`,
  type: "function",
  function: { name, arguments: given }
})

describe("A whole completion", () => {
  it.each([
    completion({ role: "assistant", content: "a" }, "stop"),
    completion({ role: "assistant", content: null, tool_calls: [use("Read")] }, "tool_calls"),
    ` { "choices" : "odd" } `,
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
    const calling = { role: "assistant", content: "I look.", tool_calls: [use("bmcp_a_list", `{"a":1}`)] }
    reader.whole(Bodies.bytes(completion(calling, "tool_calls", { prompt_tokens: 10, completion_tokens: 2 })))
    assert.deepStrictEqual(reader.calls(), [{ id: "call_bmcp_a_list", name: "bmcp_a_list", args: `{"a":1}` }])
    const { messages } = Turns.sent(reader.next(Turns.answered(reader, Turns.said("no"), true)))
    assert.deepStrictEqual(messages.slice(1), [
      calling,
      {
        role: "tool",
        tool_call_id: "call_bmcp_a_list",
        content: `{"isError":true,"content":[{"type":"text","text":"no"}]}`
      }
    ])

    const answer = { role: "assistant", content: "Here.", annotations: [] }
    reader.whole(Bodies.bytes(completion(answer, "stop", { prompt_tokens: 5, completion_tokens: 1 })))

    assert.strictEqual(
      Bodies.text(reader.merged()),
      completion({ ...answer, content: "I look.\n\nHere." }, "stop", { prompt_tokens: 15, completion_tokens: 3 })
    )
  })

  it("that calls a tool of the client's, too, has that one only", () => {
    const reader = turns()
    const calling = { role: "assistant", content: null, tool_calls: [use("bmcp_a_list"), use("Read")] }
    reader.whole(Bodies.bytes(completion(calling, "tool_calls")))

    assert.deepStrictEqual(reader.calls(), [])
    assert.strictEqual(
      Bodies.text(reader.merged()),
      completion({ ...calling, tool_calls: [use("Read")] }, "tool_calls")
    )
  })

  it("that still calls once that is over has no call", () => {
    const reader = turns()
    reader.finish()
    reader.whole(Bodies.bytes(completion({ content: "a", tool_calls: [use("bmcp_a_list")] }, "tool_calls")))

    assert.deepStrictEqual(reader.calls(), [])
    assert.strictEqual(Bodies.text(reader.merged()), completion({ content: "a" }, "stop"))
  })
})
