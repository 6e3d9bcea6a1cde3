import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { toolDialect } from "../../src/dialects/OpenAiChatTurns.ts"
import type { CallResult, OfferedTool, ToolTurns } from "../../src/dialects/ToolTurns.ts"
import * as ToolResult from "../../src/domain/ToolResult.ts"
import * as Streams from "../fixtures/OpenAiChatStream.ts"
import { times } from "../Table.ts"
import * as Bodies from "./Bodies.ts"

const { bytes, text } = Bodies

const search: OfferedTool = {
  id: "bmcp_docs_search",
  description: "Searches.",
  inputSchema: { type: "object", properties: { q: { type: "string" } } }
}
const plain: OfferedTool = { id: "bmcp_docs_list", description: undefined, inputSchema: { type: "object" } }
const searchJson = `{"type":"function","function":{"name":"bmcp_docs_search","description":"Searches.","strict":false,"parameters":{"type":"object","properties":{"q":{"type":"string"}}}}}`
const plainJson = `{"type":"function","function":{"name":"bmcp_docs_list","strict":false,"parameters":{"type":"object"}}}`
const own = `{"type":"function","function":{"name":"read"}}`
const unparallel = `"parallel_tool_calls":false`

const inject = (body: string, tools = [search]) =>
  Result.map(toolDialect.inject({ model: "gpt", stream: false, body: bytes(body) }, tools), text)

describe("A tool of the gateway's own in a chat request", () => {
  it.each([
    { body: `{"model":"gpt"}`, sent: `{"model":"gpt","tools":[${searchJson}],${unparallel}}` },
    { body: `{"tools":[],"model":"gpt"}`, sent: `{"tools":[${searchJson}],"model":"gpt",${unparallel}}` },
    {
      body: `{ "tools" : [ ${own} ] , "n":1,"x":"ü" }\n`,
      sent: `{ "tools" : [ ${own} ,${searchJson}] , "n":1,"x":"ü" ,${unparallel}}\n`
    },
    {
      body: `{"messages":[{"tools":[]}],"n":null,"tools":[${own}]}`,
      sent: `{"messages":[{"tools":[]}],"n":null,"tools":[${own},${searchJson}],${unparallel}}`
    },
    {
      body: `{"tool_choice":"none","functions":null,"tools":[7]}`,
      sent: `{"tool_choice":"none","functions":null,"tools":[7,${searchJson}],${unparallel}}`
    }
  ])("stands after the client's in $body", ({ body, sent }) => {
    assert.deepStrictEqual(inject(body), Result.succeed(sent))
  })

  it.each(
    times(
      [{ stream: true }, { stream: false }],
      times(
        [{ choice: "" }, { choice: `"tool_choice":"none",` }, { choice: `"tool_choice":{"type":"function"},` }],
        [{ parallel: "true" }, { parallel: "false" }, { parallel: "null" }]
      )
    )
  )("is called alone: $choice, parallel $parallel, stream $stream", ({ stream, choice, parallel }) => {
    const head = `{"stream":${stream},${choice}`

    assert.deepStrictEqual(
      inject(`${head}"parallel_tool_calls" : ${parallel},"tools":[]}`),
      Result.succeed(`${head}"parallel_tool_calls" : false,"tools":[${searchJson}]}`)
    )
  })

  it("comes in the order given, and each time with the same bytes", () => {
    const sent = Array.from({ length: 10 }, () => inject(`{"model":"gpt"}`, [search, plain]))

    for (const one of sent)
      assert.deepStrictEqual(one, Result.succeed(`{"model":"gpt","tools":[${searchJson},${plainJson}],${unparallel}}`))
  })

  it.each([
    { body: `{"tools":null}`, reason: "its tools are no array" },
    { body: `{"tools":{}}`, reason: "its tools are no array" },
    { body: `{"n":2}`, reason: "it asks for several choices" },
    { body: `{"functions":[]}`, reason: "it has functions in place of tools" },
    {
      body: `{"tools":[{"type":"function","function":{"name":"bmcp_docs_search"}}]}`,
      reason: "it has a tool with the name bmcp_docs_search of its own"
    }
  ])("cannot be in $body", ({ body, reason }) => {
    assert.deepStrictEqual(inject(body), Result.fail(reason))
  })
})

const request = `{"model":"gpt","messages":[{"role":"user","content":"hi"}],"tools":[]}`

const begin = (): ToolTurns => toolDialect.turns(bytes(request), (name) => name.startsWith("bmcp_"))

interface Extra {
  readonly id?: string
  readonly finish?: string | null
  readonly usage?: unknown
}

const chunk = (delta: unknown, { id = "c1", finish = null, usage }: Extra = {}) =>
  JSON.stringify({ id, choices: [{ index: 0, delta, finish_reason: finish }], usage })

const finish = (reason: string, extra: Extra = {}) => chunk({}, { ...extra, finish: reason })

const bill = (usage: unknown, id = "c1") => JSON.stringify({ id, choices: [], usage })

const done = "[DONE]"

const part = (index: number | undefined, id: string | undefined, name: string | undefined, args?: string) => ({
  ...(index !== undefined && { index }),
  ...(id !== undefined && { id, type: "function" }),
  function: { ...(name !== undefined && { name }), ...(args !== undefined && { arguments: args }) }
})

const calling = (...parts: ReadonlyArray<unknown>) => ({ tool_calls: parts })

const eventOf = (data: string) => `data: ${data}\n\n`

/** What the client sees of these events, as their data. */
const feed = (turns: ToolTurns, events: ReadonlyArray<string>): ReadonlyArray<string> =>
  events
    .flatMap((data) => turns.event(bytes(eventOf(data)), data))
    .map((event) =>
      text(event)
        .replace(/^data: /, "")
        .replace(/\n\n$/, "")
    )

const result = (say: string): ToolResult.ToolResult => ({ isError: false, content: [{ type: "text", text: say }] })

const ran = (turns: ToolTurns, say = "42"): ReadonlyArray<CallResult> =>
  turns.calls().map((call) => ({ call, result: result(say) }))

const answered = `{\\"content\\":[{\\"type\\":\\"text\\",\\"text\\":\\"42\\"}],\\"isError\\":false}`

/** The messages that a request has more than the first one. */
const added = (body: Uint8Array): unknown => JSON.parse(text(body)).messages.slice(1)

const injected = (id = "call_a", args = `{"q":1}`) => calling(part(0, id, search.id, args))

const event = (data: string) => ({ event: eventOf(data), data })

describe("A stream of a chat without a call of the gateway's own tools", () => {
  const { beginning, odd, ends } = Streams.fixture
  it.each([
    ...[...beginning, ...odd, ...ends].map((one) => ({
      event: one,
      data: one
        .split("\n")
        .flatMap((line) => (line.startsWith("data:") ? [line.slice(5).trimStart()] : []))
        .join("\n")
    })),
    event(chunk(calling(part(0, "x", "read"), part(1, "y", "read")), { usage: { prompt_tokens: 1 } })),
    event(chunk(calling({ index: 0, id: "x", type: "custom", custom: { name: "write", input: "a" } }))),
    event(chunk({ tool_calls: null, function_call: null })),
    event(chunk({ tool_calls: [null, 7] })),
    event(chunk({ function_call: { name: "read", arguments: "" } }, { finish: "function_call" })),
    event(finish("length", { usage: { prompt_tokens: 1 } })),
    event(bill({ prompt_tokens: 1 })),
    event(`{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"function":{"name":"bmcp_x"}}]}}]}`),
    event(`{"tool_calls":`),
    event(`[{"tool_calls":1}]`),
    event(`{"error":{"message":"no"}}`),
    event(done)
  ])("passes untouched: $data", ({ event: given, data }) => {
    for (const before of [[], [chunk({ role: "assistant", content: "Hm" })]]) {
      const turns = begin()
      feed(turns, before)
      const sent = bytes(given)

      const seen = turns.event(sent, data)

      assert.strictEqual(seen.length, 1)
      assert.strictEqual(seen[0], sent)
      assert.deepStrictEqual([...turns.rest(), ...turns.calls()], [])
    }
  })

  it.each([
    { data: done, isOver: true },
    { data: "[DONE] ", isOver: true },
    { data: `{"error":{"message":"no"}}`, isOver: true },
    { data: `{ "error" : "no"}`, isOver: true },
    { data: `{"error":null}`, isOver: false },
    { data: `{"id":"c","error":{"code":1},"choices":[]}`, isOver: false },
    { data: finish("stop"), isOver: false },
    { data: bill({ prompt_tokens: 1 }), isOver: false }
  ])("is over: $isOver, with $data", ({ data, isOver }) => {
    const turns = begin()

    assert.isFalse(turns.isOver())
    feed(turns, [data])
    assert.strictEqual(turns.isOver(), isOver)
  })
})

describe("A stream of a chat that calls a tool of the gateway's own", () => {
  it("goes on in the next one, which the client sees as the same", () => {
    const turns = begin()

    const first = feed(turns, [
      chunk({ role: "assistant", content: "" }),
      chunk({ content: "Let me " }),
      chunk({ content: "see." }),
      chunk(calling(part(0, "call_a", search.id, ""))),
      chunk(calling(part(0, undefined, undefined, `{"q":`))),
      chunk(calling(part(0, undefined, undefined, `1}`))),
      finish("tool_calls"),
      bill({ prompt_tokens: 10, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 3 }, tier: "a" }),
      done
    ])

    assert.deepStrictEqual(first, [
      `{"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}`,
      `{"id":"c1","choices":[{"index":0,"delta":{"content":"Let me "},"finish_reason":null}]}`,
      `{"id":"c1","choices":[{"index":0,"delta":{"content":"see."},"finish_reason":null}]}`
    ])
    assert.isTrue(turns.isOver())
    assert.deepStrictEqual(turns.rest(), [])
    assert.deepStrictEqual(turns.calls(), [{ id: "call_a", name: search.id, args: `{"q":1}` }])

    const next = turns.next(ran(turns))

    assert.strictEqual(
      text(next),
      `{"model":"gpt","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"Let me see.","tool_calls":[` +
        `{"id":"call_a","type":"function","function":{"name":"bmcp_docs_search","arguments":"{\\"q\\":1}"}}]},` +
        `{"role":"tool","tool_call_id":"call_a","content":"${answered}"}],"tools":[]}`
    )
    assert.isFalse(turns.isOver())
    assert.deepStrictEqual(turns.calls(), [])

    const second = feed(turns, [
      chunk({ role: "assistant", content: "" }, { id: "c2" }),
      chunk({ role: "assistant", content: "It is" }, { id: "c2" }),
      chunk({ content: " 42." }, { id: "c2" }),
      finish("stop", { id: "c2" }),
      bill(
        { prompt_tokens: 20, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 8, audio: 1 }, tier: "b" },
        "c2"
      ),
      done
    ])

    assert.deepStrictEqual(second, [
      `{"id":"c1","choices":[{"index":0,"delta":{"content":"\\n\\nIt is"},"finish_reason":null}]}`,
      `{"id":"c1","choices":[{"index":0,"delta":{"content":" 42."},"finish_reason":null}]}`,
      `{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
      `{"id":"c1","choices":[],"usage":{"prompt_tokens":30,"completion_tokens":9,"prompt_tokens_details":{"cached_tokens":11,"audio":1},"tier":"b"}}`,
      done
    ])
    assert.isTrue(turns.isOver())
    assert.deepStrictEqual(turns.calls(), [])
  })

  it("goes on twice, from a call without a preamble, at index 1 and without arguments", () => {
    const turns = begin()
    const usage = { prompt_tokens: 1 }

    const first = feed(turns, [
      chunk({ role: "assistant", content: null, ...calling(part(1, "call_a", ` ${plain.id} `, "")) }),
      chunk({ role: "assistant", content: null, ...calling(part(1, "call_a", ` ${plain.id} `)) }),
      finish("stop"),
      bill(usage),
      done
    ])
    const calls = turns.calls()
    const second = turns.next(ran(turns))
    const silent = feed(turns, [chunk({ role: "assistant", ...injected("call_b") }, { id: "c2" }), bill(usage), done])
    const third = turns.next(ran(turns))
    const last = feed(turns, [
      chunk({ content: "a" }, { id: "c3" }),
      finish("stop", { id: "c3", usage }),
      `{"id":"c3","choices":[],"usage":{"prompt_tokens":2}}`,
      done
    ])

    assert.deepStrictEqual(first, [chunk({ role: "assistant", content: null })])
    assert.deepStrictEqual(calls, [{ id: "call_a", name: plain.id, args: "" }])
    const withoutPreamble = [
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "call_a", type: "function", function: { name: plain.id, arguments: "{}" } }]
      },
      {
        role: "tool",
        tool_call_id: "call_a",
        content: `{"content":[{"type":"text","text":"42"}],"isError":false}`
      }
    ]
    assert.deepStrictEqual(added(second), withoutPreamble)
    assert.deepStrictEqual(silent, [])
    assert.strictEqual(text(third).split(`"call_b"`).length, 3)
    assert.isTrue(text(third).startsWith(text(second).slice(0, -`],"tools":[]}`.length)))
    assert.deepStrictEqual(last, [
      chunk({ content: "a" }),
      finish("stop", { usage: { prompt_tokens: 3 } }),
      bill({ prompt_tokens: 4 }),
      done
    ])
  })

  it("shows the role once, wherever it comes first", () => {
    const turns = begin()

    const first = feed(turns, [chunk(injected()), finish("tool_calls"), done])
    turns.next(ran(turns))
    const second = feed(turns, [
      chunk({ role: "assistant", ...injected("call_b") }),
      chunk({ role: "assistant", content: "a" }),
      done
    ])
    turns.next(ran(turns))
    const third = feed(turns, [
      chunk({ role: "assistant", content: "b" }),
      chunk({ role: "assistant" }),
      chunk({ content: "c" })
    ])

    assert.deepStrictEqual(first, [])
    assert.deepStrictEqual(second, [chunk({ role: "assistant" }), chunk({ role: "assistant", content: "a" })])
    assert.deepStrictEqual(third, [chunk({ content: "\n\nb" }), chunk({ content: "c" })])
  })

  it("parts texts from those of all answers before, and only from those", () => {
    const turns = begin()
    const seen: Array<string> = []

    seen.push(...feed(turns, [chunk(injected()), done]))
    turns.next(ran(turns))
    seen.push(...feed(turns, [chunk({ content: "a" }), chunk(injected()), done]))
    turns.next(ran(turns))
    seen.push(...feed(turns, [chunk(injected()), done]))
    turns.next(ran(turns))
    seen.push(...feed(turns, [chunk({ content: "" }), chunk({ reasoning: "r" }), chunk({ content: "b" }), done]))

    assert.deepStrictEqual(seen, [
      chunk({ content: "a" }),
      chunk({ content: "" }),
      chunk({ reasoning: "r" }),
      chunk({ content: "\n\nb" }),
      done
    ])
  })

  it("keeps the pieces of a message that were never looked at", () => {
    const turns = begin()
    const pieces = Array.from({ length: 3000 }, (_, at) => `${at}${"ü".repeat(100)}`)

    feed(turns, [
      ...pieces.map((content) => chunk({ content })),
      chunk({ reasoning_content: "Let" }),
      chunk({ reasoning_content: " me" }),
      chunk({ details: [1], refusal: null, annotations: [], ...injected() }),
      chunk({ details: [2] }),
      done
    ])

    assert.deepStrictEqual(added(turns.next([])), [
      {
        role: "assistant",
        content: pieces.join(""),
        reasoning_content: "Let me",
        details: [1, 2],
        tool_calls: [{ id: "call_a", type: "function", function: { name: search.id, arguments: `{"q":1}` } }]
      }
    ])
  })

  it("is read in the order in which it came, however it was looked at", () => {
    const turns = begin()
    const usage = { n: 1 }

    const seen = feed(turns, [
      chunk({ content: "1" }, { id: "c0" }),
      chunk({ role: "assistant", content: "2" }),
      chunk({ content: "3" }, { usage }),
      chunk({ content: "4" }),
      chunk({ role: "assistant", content: null, function_call: null, ...injected() }),
      finish("stop"),
      done
    ])
    const next = turns.next(ran(turns))

    assert.strictEqual(seen.length, 4)
    assert.include(text(next), `{"role":"assistant","content":"1234","tool_calls":[{"id":"call_a"`)
    assert.deepStrictEqual(feed(turns, [finish("stop")]), [finish("stop", { id: "c0" })])
  })

  it("hides nothing but the call", () => {
    const turns = begin()
    const others = [
      `{"id":"c1","choices":[{"index":1,"delta":{"content":"a"}}],"usage":{"n":1}}`,
      `{"id":"c1","choices":[]}`,
      `{"x":{"usage":{}}}`
    ]
    const call = part(0, "call_a", search.id)
    const comment = bytes(": a comment\n\n")

    assert.deepStrictEqual(
      feed(turns, [
        JSON.stringify({
          choices: [
            { index: 1, delta: { content: "a" } },
            { index: 0, delta: calling(call) }
          ]
        })
      ]),
      [
        JSON.stringify({
          choices: [
            { index: 1, delta: { content: "a" } },
            { index: 0, delta: {} }
          ]
        })
      ]
    )
    assert.deepStrictEqual(feed(turns, others), others)
    assert.deepStrictEqual(feed(turns, [finish("stop"), done]), [])
    assert.strictEqual(turns.event(comment, "")[0], comment)
  })

  it("shows the reason that comes with a call that is cut off", () => {
    const turns = begin()

    assert.deepStrictEqual(feed(turns, [chunk(injected(), { finish: "length" })]), [finish("length")])
  })

  it("keeps what a vendor says of a call besides", () => {
    const turns = begin()
    const extra_content = { google: { thought_signature: "abc" } }
    const first = { name: search.id, arguments: `{"q"` }

    feed(turns, [
      chunk(calling({ ...part(0, "call_a", undefined), extra_content, function: { ...first, x: 1 } })),
      chunk(calling({ ...part(0, "call_a", search.id, `:1}`), extra_content })),
      done
    ])

    assert.deepStrictEqual(added(turns.next([])), [
      {
        role: "assistant",
        content: null,
        tool_calls: [
          {
            id: "call_a",
            type: "function",
            function: { name: search.id, arguments: `{"q":1}`, x: 1 },
            extra_content
          }
        ]
      }
    ])
  })

  it.each([
    {
      title: "by their indexes",
      chunks: [
        calling(part(0, "a", search.id, "1")),
        calling(part(2, "b", search.id, "2")),
        calling(part(0, undefined, undefined, "3"), part(2, undefined, undefined, "4"))
      ],
      calls: [
        { id: "a", name: search.id, args: "13" },
        { id: "b", name: search.id, args: "24" }
      ]
    },
    {
      title: "by their ids, if all have one index",
      chunks: [
        calling(part(0, "a", search.id, "1")),
        calling(part(0, "b", plain.id, "2"), part(0, "b", plain.id, "3"))
      ],
      calls: [
        { id: "a", name: search.id, args: "1" },
        { id: "b", name: plain.id, args: "23" }
      ]
    },
    {
      title: "by their ids, if none has an index",
      chunks: [
        calling(part(undefined, "a", search.id, "1"), part(undefined, "b", plain.id)),
        calling(part(undefined, "", "", "2"))
      ],
      calls: [
        { id: "a", name: search.id, args: "1" },
        { id: "b", name: plain.id, args: "2" }
      ]
    },
    {
      title: "by the last one, if a part has no index",
      chunks: [calling(part(0, "a", search.id, "1")), calling(part(undefined, undefined, undefined, "2"))],
      calls: [{ id: "a", name: search.id, args: "12" }]
    },
    {
      title: "without ids, which get some",
      chunks: [calling(part(0, undefined, search.id, "1")), calling(part(1, "", search.id, " "))],
      calls: [
        { id: "call00001", name: search.id, args: "1" },
        { id: "call00002", name: search.id, args: "" }
      ]
    },
    {
      title: "with a name that comes late",
      chunks: [calling({ index: 0, id: "a", type: "function" }), calling(part(0, undefined, search.id, "1"))],
      calls: [{ id: "a", name: search.id, args: "1" }]
    },
    {
      title: "with arguments that are no text",
      chunks: [calling({ index: 0, id: "a", function: { name: search.id, arguments: { q: 1 } } })],
      calls: [{ id: "a", name: search.id, args: `{"q":1}` }]
    }
  ])("has several calls, told apart $title", ({ chunks, calls }) => {
    const turns = begin()

    const seen = feed(turns, [...chunks.map((delta) => chunk(delta)), finish("tool_calls"), done])
    const asked = turns.calls()
    const next = turns.next(ran(turns))

    assert.deepStrictEqual(seen, [])
    assert.deepStrictEqual(asked, calls)
    assert.deepStrictEqual(added(next), [
      {
        role: "assistant",
        content: null,
        tool_calls: calls.map(({ id, name, args }) => ({
          id,
          type: "function",
          function: { name, arguments: args || "{}" }
        }))
      },
      ...calls.map(({ id }) => ({
        role: "tool",
        tool_call_id: id,
        content: `{"content":[{"type":"text","text":"42"}],"isError":false}`
      }))
    ])
  })

  it("makes up other ids in each answer", () => {
    const turns = begin()

    feed(turns, [chunk(calling(part(0, undefined, search.id))), done])
    turns.next(ran(turns))
    feed(turns, [chunk(calling(part(0, undefined, search.id))), done])

    assert.deepStrictEqual(turns.calls(), [{ id: "call00002", name: search.id, args: "" }])
  })

  it("tells the model all of a result, and that it is an error", () => {
    const turns = begin()
    feed(turns, [chunk(injected()), done])
    const [call] = turns.calls()
    assert.isDefined(call)

    const next = turns.next([
      { call, result: ToolResult.failed("ü") },
      { call, result: { structuredContent: { a: 1 }, isError: false, content: [] } }
    ])

    assert.deepStrictEqual(JSON.parse(text(next)).messages.slice(2), [
      { role: "tool", tool_call_id: "call_a", content: `{"content":[{"type":"text","text":"ü"}],"isError":true}` },
      { role: "tool", tool_call_id: "call_a", content: `{"content":[],"isError":false,"structuredContent":{"a":1}}` }
    ])
  })

  it.each(
    times(
      [{ reason: "tool_calls" }, { reason: "function_call" }, { reason: "stop" }, { reason: undefined }],
      [{ isCut: true }, { isCut: false }]
    )
  )("goes on if it ended for $reason, cut: $isCut", ({ reason, isCut }) => {
    const turns = begin()

    const seen = feed(turns, [
      chunk(injected(), { finish: "" }),
      ...(reason === undefined ? [] : [finish(reason)]),
      bill({}),
      ...(isCut ? [] : [done])
    ])
    const isComplete = reason !== undefined || !isCut

    assert.deepStrictEqual(seen, [])
    assert.strictEqual(turns.calls().length, isComplete ? 1 : 0)
    assert.strictEqual(turns.rest().length, isComplete ? 0 : 1)
  })

  it("goes on if the reason comes with the call, or with text", () => {
    const turns = begin()
    const usage = { prompt_tokens: 1 }

    const seen = feed(turns, [
      chunk({ role: "assistant", content: "a", ...injected() }, { finish: "tool_calls", usage }),
      chunk({ content: "b" }, { finish: "tool_calls", usage }),
      done,
      bill(usage)
    ])

    assert.deepStrictEqual(seen, [chunk({ role: "assistant", content: "a" }), chunk({ content: "b" })])
    assert.strictEqual(turns.calls().length, 1)
  })

  it.each([{ reason: "length" }, { reason: "content_filter" }, { reason: "odd" }])(
    "ends if it ended for $reason, without the call",
    ({ reason }) => {
      const turns = begin()
      const usage = { prompt_tokens: 1 }

      const seen = feed(turns, [
        chunk({ content: "a" }),
        chunk(injected()),
        finish(reason, { usage }),
        bill(usage),
        done
      ])

      assert.deepStrictEqual(seen, [chunk({ content: "a" }), finish(reason, { usage }), bill(usage), done])
      assert.deepStrictEqual(turns.calls(), [])
    }
  )

  it("ends without a promise if it was to be the last one", () => {
    for (const reason of ["tool_calls", "function_call", "stop"]) {
      const turns = begin()
      feed(turns, [chunk(injected("call_a")), finish("tool_calls"), done])
      const results = ran(turns)
      turns.finish()
      turns.next(results)

      const seen = feed(turns, [
        chunk(injected("call_b")),
        chunk({ content: "b" }),
        finish(reason),
        bill({ n: 1 }),
        done
      ])

      assert.deepStrictEqual(seen, [chunk({ content: "b" }), finish("stop"), bill({ n: 1 }), done])
      assert.deepStrictEqual(turns.calls(), [])
    }
  })

  it("shows what was held back if something comes that ends it", () => {
    const error = `{"error":{"message":"no"}}`
    const late = chunk(calling(part(1, "y", "read")))
    const usage = { n: 1 }

    for (const [end, finished] of [
      [[error], [finish("stop", { usage }), bill(usage), error]],
      [
        [chunk({}, { finish: "length" }), done],
        [finish("length"), finish("stop", { usage }), bill(usage), done]
      ],
      [
        [late, done],
        [chunk(calling(part(0, "y", "read"))), finish("tool_calls", { usage }), bill(usage), done]
      ]
    ] as const) {
      const turns = begin()

      const seen = feed(turns, [
        chunk(injected()),
        chunk({ content: "a" }, { finish: "tool_calls", usage }),
        bill(usage),
        ...end
      ])

      assert.deepStrictEqual(seen, [chunk({ content: "a" }), ...finished])
      assert.deepStrictEqual(turns.calls(), [])
      assert.deepStrictEqual(turns.rest(), [])
    }
  })

  it("runs nothing if a chunk says that something has failed", () => {
    const turns = begin()
    const failed = `{"id":"c1","error":{"code":502},"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`

    const seen = feed(turns, [chunk(injected()), failed, done])

    assert.deepStrictEqual(seen, [failed, done])
    assert.deepStrictEqual(turns.calls(), [])
  })

  it("gives out what was held back if it breaks off", () => {
    const turns = begin()
    feed(turns, [chunk(injected()), bill({ n: 1 })])

    assert.deepStrictEqual(turns.rest().map(text), [eventOf(bill({ n: 1 }))])
    assert.deepStrictEqual(turns.rest(), [])
  })

  it.each([
    {
      title: "after it",
      parts: [
        [part(0, "a", search.id, "1"), part(1, "b", "read", "2")],
        [part(1, undefined, undefined, "3"), part(0, undefined, undefined, "4")],
        [part(2, "c", search.id, ""), part(3, "d", "read", "")]
      ],
      seen: [[part(0, "b", "read", "2")], [part(0, undefined, undefined, "3")], [part(1, "d", "read", "")]]
    },
    {
      title: "before it",
      parts: [[part(1, "a", "read", "1")], [part(2, "b", search.id, "2")], [part(3, "c", "read", "3")]],
      seen: [[part(1, "a", "read", "1")], [part(2, "c", "read", "3")]]
    },
    {
      title: "without an index",
      parts: [
        [part(undefined, "a", search.id)],
        [part(undefined, "b", "read")],
        [part(undefined, undefined, undefined, "1")]
      ],
      seen: [
        [{ ...part(undefined, "b", "read"), index: 0 }],
        [{ ...part(undefined, undefined, undefined, "1"), index: 0 }]
      ]
    },
    {
      title: "with a name that comes late",
      parts: [
        [part(0, "a", search.id)],
        [part(1, "b", "", "1")],
        [part(1, undefined, "read", "2")],
        [part(1, undefined, undefined, "3")]
      ],
      seen: [[{ ...part(0, "b", "read", "12") }], [part(0, undefined, undefined, "3")]]
    },
    {
      title: "of another type",
      parts: [
        [part(0, "a", search.id)],
        [{ index: 1, id: "b", type: "custom", custom: { name: search.id, input: "1" } }]
      ],
      seen: [[{ index: 0, id: "b", type: "custom", custom: { name: search.id, input: "1" } }]]
    }
  ])("ends with a call of the client's $title", ({ parts, seen }) => {
    const turns = begin()

    const shown = feed(turns, [...parts.map((some) => chunk(calling(...some))), finish("tool_calls"), done])

    assert.deepStrictEqual(
      shown.slice(0, -1).map((data) => JSON.parse(data)),
      [...seen.map((some) => chunk(calling(...some))), finish("tool_calls")].map((data) => JSON.parse(data))
    )
    assert.deepStrictEqual(turns.calls(), [])
  })

  it("ends with a call of a function of the older kind", () => {
    const turns = begin()
    const called = chunk({ function_call: { name: "read", arguments: "" } })

    assert.deepStrictEqual(feed(turns, [chunk(injected()), called, finish("function_call"), done]), [
      called,
      finish("function_call"),
      done
    ])
  })

  it("lets everything else of later answers pass, with the first one's id", () => {
    const turns = begin()
    feed(turns, [`{"id":"","choices":[]}`, chunk(injected()), finish("stop"), done])
    turns.next(ran(turns))
    const comment = bytes(": a comment\n\n")
    const unknown = [`{"id":`, `{"x":1}`, `[1]`, `{"id":7}`, `{"id":"c1", "x":1}`, `{"error":null}`]

    assert.strictEqual(turns.event(comment, "")[0], comment)
    assert.deepStrictEqual(feed(turns, unknown), unknown)
    assert.deepStrictEqual(feed(turns, [`{ "x" : {"id":"c2"}, "id" : "c2" , "choices":[ ] }`]), [
      `{ "x" : {"id":"c2"}, "id" : "c1" , "choices":[ ] }`
    ])
    assert.deepStrictEqual(
      turns.event(bytes(`: {\nid: 7\ndata:{"id":"c2"}\nretry: 1\r\n\r\n`), `{"id":"c2"}`).map(text),
      [`: {\nid: 7\ndata:{"id":"c1"}\nretry: 1\r\n\r\n`]
    )
    assert.deepStrictEqual(turns.event(bytes(`id: 7\ndata: {"id":\ndata: "c2"}\n\n`), `{"id":\n"c2"}`).map(text), [
      `id: 7\ndata: {"id":\ndata: "c1"}\n\n`
    ])
  })

  it("shows with each chunk of later answers the usage of all up to now", () => {
    const turns = begin()
    const first = [
      chunk({ content: "a" }, { usage: { n: 1 } }),
      chunk({ content: "b" }, { usage: { n: 2 } }),
      chunk(injected(), { usage: { n: 3 } }),
      finish("stop", { usage: { n: 4 } }),
      done
    ]

    const seen = feed(turns, first)
    turns.next(ran(turns))
    const second = feed(turns, [
      chunk({ content: "c" }, { usage: { n: 1 } }),
      finish("stop", { usage: { n: 2 } }),
      chunk({}, { usage: null }),
      done
    ])

    assert.deepStrictEqual(seen, first.slice(0, 2))
    assert.deepStrictEqual(second, [
      chunk({ content: "\n\nc" }, { usage: { n: 5 } }),
      finish("stop", { usage: { n: 6 } }),
      chunk({}, { usage: null }),
      done
    ])
  })

  it("neither throws nor leaks because of values that are nested deeper than calls can be", () => {
    const turns = begin()
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`
    const data = `{"id":"c1","choices":[{"delta":{"x":${deep},"tool_calls":[{"index":0,"id":"a","function":{"name":"${search.id}","arguments":"1"}}]}}]}`

    assert.deepStrictEqual(feed(turns, [data, finish("stop"), done]), [])
    assert.deepStrictEqual(added(turns.next([])), [
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "a", type: "function", function: { name: search.id, arguments: "1" } }]
      }
    ])
  })
})

interface Parts {
  readonly id?: string
  readonly finish?: string | null
  readonly usage?: string
}

/** A whole answer, with spaces that an edit elsewhere keeps. */
const completion = (message: string, { id = "c1", finish: reason = "stop", usage = "" }: Parts = {}) =>
  `{ "id" : "${id}","choices":[{"index":0,"message":${message},"finish_reason":${JSON.stringify(reason)}}]${usage && `, "usage" : ${usage}`} }\n`

const wholeCall = (id: string, name: string, args = "{}") =>
  `{"id":"${id}","type":"function","function":{"name":"${name}","arguments":${JSON.stringify(args)}}}`

const merged = (turns: ToolTurns, body: string): string => {
  turns.whole(bytes(body))
  return text(turns.merged())
}

describe("A whole chat answer", () => {
  it.each([
    completion(`{"role":"assistant","content":"a"}`, { usage: `{"prompt_tokens":1}` }),
    completion(`{"role":"assistant","content":null,"tool_calls":[${wholeCall("a", "read")}]}`, {
      finish: "tool_calls"
    }),
    completion(`{"tool_calls":[{"id":"a","type":"function"},null]}`, { finish: "tool_calls" }),
    completion(`{"tool_calls":null}`),
    `{"choices":[{"index":1,"message":{"tool_calls":[${wholeCall("a", search.id)}]}}]}`,
    `{"choices":[{"index":0}]}`,
    `{"choices":7}`,
    `{"error":{"message":"no"}}`,
    `[]`,
    `no`,
    ``
  ])("is what the client gets: %s", (body) => {
    const turns = begin()
    const sent = bytes(body)

    turns.whole(sent)

    assert.strictEqual(turns.merged(), sent)
    assert.deepStrictEqual(turns.calls(), [])
  })

  it("goes on in the next one, and is one with it", () => {
    const turns = begin()

    turns.whole(
      bytes(
        completion(
          `{"role":"assistant","content":"Let me see.","refusal":null,"annotations":[],"reasoning_content":"r","tool_calls":[${wholeCall("call_a", ` ${search.id}`, `{"q":1}`)}]}`,
          { finish: "tool_calls", usage: `{"prompt_tokens":10,"completion_tokens_details":{"reasoning_tokens":1}}` }
        )
      )
    )
    const calls = turns.calls()
    const next = turns.next(ran(turns))
    const seen = merged(
      turns,
      completion(`{"role":"assistant","content":"It is 42.","refusal":null}`, {
        id: "c2",
        usage: `{"prompt_tokens":20,"completion_tokens_details":{"reasoning_tokens":2},"x":null}`
      })
    )

    assert.deepStrictEqual(calls, [{ id: "call_a", name: search.id, args: `{"q":1}` }])
    assert.strictEqual(
      text(next),
      `{"model":"gpt","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"Let me see.","reasoning_content":"r","tool_calls":[` +
        `{"id":"call_a","type":"function","function":{"name":"bmcp_docs_search","arguments":"{\\"q\\":1}"}}]},` +
        `{"role":"tool","tool_call_id":"call_a","content":"${answered}"}],"tools":[]}`
    )
    assert.strictEqual(
      seen,
      completion(`{"role":"assistant","content":"Let me see.\\n\\nIt is 42.","refusal":null}`, {
        id: "c2",
        usage: `{"prompt_tokens":30,"completion_tokens_details":{"reasoning_tokens":3},"x":null}`
      })
    )
    assert.deepStrictEqual(turns.calls(), [])
  })

  it.each([
    { content: `""`, shown: `"a"` },
    { content: `null`, shown: `"a"` },
    { content: `"b"`, shown: `"a\\n\\nb"` },
    { content: `[{"type":"text","text":"b"}]`, shown: `[{"type":"text","text":"a\\n\\n"},{"type":"text","text":"b"}]` }
  ])("with $content after the text of earlier answers has $shown", ({ content, shown }) => {
    const turns = begin()
    turns.whole(
      bytes(completion(`{"content":[{"type":"text","text":"a"}],"tool_calls":[${wholeCall("a", search.id)}]}`))
    )
    turns.next(ran(turns))

    assert.strictEqual(merged(turns, completion(`{"content":${content}}`)), completion(`{"content":${shown}}`))
  })

  it("has the usage of earlier answers if it says none itself", () => {
    const turns = begin()
    turns.whole(bytes(completion(`{"tool_calls":[${wholeCall("a", search.id)}]}`, { usage: `{"n":1}` })))
    turns.next(ran(turns))

    assert.strictEqual(
      merged(turns, `{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}]}`),
      `{"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"n":1}}`
    )
  })

  it.each([{ reason: "tool_calls" }, { reason: "function_call" }, { reason: "stop" }, { reason: null }])(
    "has calls to be run if it ended for $reason",
    ({ reason }) => {
      const turns = begin()
      const calls = `${wholeCall("a", search.id)},{"function":{"name":"${search.id}","arguments":{"q":1}}},{"function":{"name":"${plain.id}"}}`

      turns.whole(bytes(completion(`{"tool_calls":[${calls}]}`, { finish: reason })))

      assert.isTrue(turns.isOver())
      assert.deepStrictEqual(turns.calls(), [
        { id: "a", name: search.id, args: "{}" },
        { id: "call00002", name: search.id, args: `{"q":1}` },
        { id: "call00003", name: plain.id, args: "" }
      ])
    }
  )

  it.each([{ reason: "length" }, { reason: "content_filter" }, { reason: "odd" }])(
    "has none if it ended for $reason, and the client does not see them",
    ({ reason }) => {
      const turns = begin()
      const body = completion(`{"content":"a","tool_calls":[${wholeCall("a", search.id)}]}`, { finish: reason })

      assert.strictEqual(merged(turns, body), completion(`{"content":"a"}`, { finish: reason }))
      assert.deepStrictEqual(turns.calls(), [])
    }
  )

  it("ends without a promise if it was to be the last one", () => {
    const turns = begin()
    const call = completion(`{"content":null,"tool_calls":[${wholeCall("a", search.id)}]}`, { finish: "tool_calls" })
    turns.whole(bytes(call))
    turns.next(ran(turns))
    turns.finish()

    assert.strictEqual(merged(turns, call), completion(`{"content":null}`))
    assert.deepStrictEqual(turns.calls(), [])
  })

  it("is the last one if it calls a tool of the client's", () => {
    const turns = begin()
    const custom = `{"id":"c","type":"custom","custom":{"name":"${search.id}","input":""}}`
    const calls = [wholeCall("a", search.id), wholeCall("b", "read"), custom, wholeCall("d", search.id)]
    const ended = { finish: "tool_calls" }

    assert.strictEqual(
      merged(turns, completion(`{"content":"a","tool_calls":[${calls.join(",")}]}`, ended)),
      completion(`{"content":"a","tool_calls":[${wholeCall("b", "read")},${custom}]}`, ended)
    )
    assert.deepStrictEqual(turns.calls(), [])
  })

  it("neither throws nor leaks because of values that are nested deeper than calls can be", () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`
    const untouched = completion(`{"content":"a","x":${deep}}`)

    assert.isTrue(merged(begin(), untouched) === untouched)
    assert.strictEqual(
      merged(begin(), completion(`{"x":${deep},"tool_calls":[${wholeCall("a", search.id)}]}`)),
      `{ "id" : "c1","choices":[] }\n`
    )
  })
})
