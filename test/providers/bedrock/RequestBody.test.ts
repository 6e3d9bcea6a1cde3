import { assert, describe, it } from "@effect/vitest"
import * as ModelTables from "../../../src/providers/bedrock/ModelTables.ts"
import * as RequestBody from "../../../src/providers/bedrock/RequestBody.ts"
import * as Table from "../../Table.ts"

const sonnet45 = "anthropic.claude-sonnet-4-5-20250929-v1:0"
const haiku45 = "anthropic.claude-haiku-4-5-20251001-v1:0"
const opus45 = "anthropic.claude-opus-4-5-20251101-v1:0"
const opus46 = "anthropic.claude-opus-4-6-v1"
const sonnet46 = "us.anthropic.claude-sonnet-4-6"
const opus47 = "us.anthropic.claude-opus-4-7-v1"
const adaptiveOnly = [
  { family: opus47 },
  { family: "anthropic.claude-opus-4-7" },
  {
    family: "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/global.anthropic.claude-opus-4-7-v1"
  },
  { family: "eu.anthropic.claude-opus-4-8-v1:0" },
  { family: "anthropic.claude-sonnet-5" },
  { family: "us.anthropic.claude-sonnet-5-v1" }
]

const interleaved = "interleaved-thinking-2025-05-14"
const effort = "effort-2025-11-24"
const contextManagement = "context-management-2025-06-27"
const unsupported = "prompt-caching-scope-2026-01-05"

interface Given {
  readonly family: string
  readonly body: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
  readonly tables?: ModelTables.ModelTables
}

/** What goes out, its body parsed. */
const translated = ({ family, body, headers = {}, tables = ModelTables.defaults }: Given) => {
  const request = RequestBody.translate({ family, body: encode(JSON.stringify(body)), headers, tables })
  return { ...request, body: JSON.parse(decode(request.body)) }
}

/** The bytes that go out for these. */
const spelled = (family: string, body: string, headers: Readonly<Record<string, string>> = {}) =>
  decode(RequestBody.translate({ family, body: encode(body), headers, tables: ModelTables.defaults }).body)

const encode = (text: string) => new TextEncoder().encode(text)
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

const version = { anthropic_version: "bedrock-2023-05-31" }

describe("What is in Bedrock's path", () => {
  it.each([
    { body: { model: "claude-x", stream: true, max_tokens: 1 }, expected: { max_tokens: 1, ...version } },
    { body: { stream: false, max_tokens: 1 }, expected: { max_tokens: 1, ...version } },
    { body: { model: "claude-x" }, expected: version },
    { body: {}, expected: version }
  ])("is not in the body: $body", ({ body, expected }) => {
    assert.deepStrictEqual(translated({ family: sonnet45, body }).body, expected)
  })

  it("is not in the body however often and in whichever spelling it was", () => {
    const body = `{"model":"a","m\\u006fdel":"b","stream":true,"x":{"model":1,"stream":2},"stream":false}`

    assert.strictEqual(spelled(sonnet45, body), `{"x":{"model":1,"stream":2},"anthropic_version":"bedrock-2023-05-31"}`)
  })
})

describe("The version of the API", () => {
  it.each([{ anthropic_version: "bedrock-2099-01-01" }, { anthropic_version: null }])(
    "stays what the body says: %o",
    (body) => {
      assert.deepStrictEqual(translated({ family: sonnet45, body }).body, body)
    }
  )

  it("is in the body and no more in a header", () => {
    const headers = { "anthropic-version": "2023-06-01", "content-type": "application/json", "x-app": "cli" }

    const request = translated({ family: sonnet45, body: {}, headers })

    assert.deepStrictEqual(request.headers, { "content-type": "application/json", "x-app": "cli" })
    assert.deepStrictEqual(request.body, version)
  })
})

describe("Thinking", () => {
  it.each([
    {
      family: sonnet45,
      thinking: { type: "adaptive" },
      max: 10_000,
      becomes: { type: "enabled", budget_tokens: 8_000 }
    },
    { family: sonnet45, thinking: { type: "adaptive" }, max: 1_000, becomes: { type: "disabled" } },
    { family: sonnet45, thinking: undefined, max: 10_000, becomes: undefined },
    { family: sonnet45, thinking: { type: "enabled", budget_tokens: 5_000 }, max: 10_000 },
    { family: opus46, thinking: { type: "adaptive" }, max: 10_000 },
    { family: sonnet46, thinking: { type: "adaptive" }, max: 10_000 },
    { family: opus46, thinking: { type: "enabled", budget_tokens: 5_000 }, max: 10_000 }
  ])("of $family with max $max, $thinking, goes out as the model takes it", ({ family, thinking, max, ...row }) => {
    const request = translated({ family, body: { max_tokens: max, thinking } })

    assert.deepStrictEqual(request.body.thinking, "becomes" in row ? row.becomes : thinking)
    assert.deepStrictEqual(request.warnings, [])
  })

  it.each(
    Table.times(adaptiveOnly, [
      { thinking: { type: "enabled", budget_tokens: 5_000 }, becomes: { type: "adaptive" } },
      { thinking: { type: "enabled" }, becomes: { type: "adaptive" } },
      { thinking: { type: "adaptive" }, becomes: { type: "adaptive" } },
      { thinking: { type: "disabled" }, becomes: { type: "disabled" } },
      { thinking: undefined, becomes: undefined }
    ])
  )("of $family, which only thinks adaptively, becomes $becomes from $thinking", ({ family, thinking, becomes }) => {
    const request = translated({ family, body: { thinking } })

    assert.deepStrictEqual(request.body, { ...(becomes && { thinking: becomes }), ...version })
  })

  it("has the budget of an effort that does not go out itself", () => {
    const body = { max_tokens: 10_000, thinking: { type: "adaptive" }, output_config: { effort: "low" } }

    assert.deepStrictEqual(translated({ family: sonnet45, body }).body, {
      max_tokens: 10_000,
      thinking: { type: "enabled", budget_tokens: 2_000 },
      ...version
    })
  })

  it("that cannot be converted goes out as it came with a warning, and everything else is done all the same", () => {
    const body = { model: "x", thinking: { type: "adaptive" }, metadata: {}, output_config: {}, container: "c" }
    const headers = { "anthropic-beta": `${unsupported},${interleaved}` }

    assert.deepStrictEqual(translated({ family: sonnet45, body, headers }), {
      body: { thinking: { type: "adaptive" }, ...version, anthropic_beta: [interleaved] },
      headers: {},
      warnings: ["thinking goes out as it came: max_tokens: field required"]
    })
  })
})

describe("Beta flags", () => {
  it.each([
    { family: opus45, header: `${effort},${interleaved}`, flags: [effort, interleaved] },
    { family: sonnet45, header: `${effort},${interleaved}`, flags: [interleaved] },
    { family: sonnet45, header: contextManagement, flags: [contextManagement] },
    { family: haiku45, header: contextManagement, flags: [contextManagement] },
    { family: opus46, header: contextManagement, flags: undefined },
    { family: opus47, header: effort, flags: undefined },
    { family: sonnet45, header: `claude-code-20250219,${interleaved},${unsupported}`, flags: [interleaved] },
    { family: sonnet45, header: `claude-code-20250219, ${unsupported}`, flags: undefined },
    { family: sonnet45, header: "", flags: undefined },
    { family: sonnet45, header: " ,, ", flags: undefined },
    { family: sonnet45, header: ` ${interleaved} ,\t${interleaved}`, flags: [interleaved] },
    {
      family: opus45,
      header: `tool-examples-2025-10-29,${interleaved}, ${effort}`,
      flags: ["tool-examples-2025-10-29", interleaved, effort]
    },
    { family: sonnet45, header: interleaved.toUpperCase(), flags: undefined },
    { family: sonnet45, header: `${interleaved}-2`, flags: undefined }
  ])("go into the body if $family accepts them: '$header'", ({ family, header, flags }) => {
    const request = translated({ family, body: {}, headers: { "anthropic-beta": header, "x-app": "cli" } })

    assert.deepStrictEqual(request.body, { ...version, ...(flags && { anthropic_beta: flags }) })
    assert.deepStrictEqual(request.headers, { "x-app": "cli" })
  })

  it.each([
    { member: [interleaved], header: undefined, flags: [interleaved] },
    { member: [unsupported], header: undefined, flags: undefined },
    { member: [], header: undefined, flags: undefined },
    {
      member: [interleaved, unsupported],
      header: `context-1m-2025-08-07,${interleaved}`,
      flags: [interleaved, "context-1m-2025-08-07"]
    },
    { member: ["context-1m-2025-08-07"], header: interleaved, flags: ["context-1m-2025-08-07", interleaved] },
    { member: [1, null, ` ${interleaved}`, [interleaved]], header: undefined, flags: [interleaved] },
    { member: interleaved, header: undefined, flags: undefined },
    { member: null, header: interleaved, flags: [interleaved] },
    { member: { 0: interleaved }, header: undefined, flags: undefined }
  ])("of the body, $member, come before those of the header, $header", ({ member, header, flags }) => {
    const headers = header === undefined ? {} : { "anthropic-beta": header }

    const request = translated({ family: sonnet45, body: { anthropic_beta: member }, headers })

    assert.deepStrictEqual(request.body, { ...version, ...(flags && { anthropic_beta: flags }) })
  })

  it("of the body keep a field that depends on them", () => {
    const body = { anthropic_beta: [contextManagement], context_management: { edits: [] } }

    assert.deepStrictEqual(translated({ family: sonnet45, body }).body, { ...body, ...version })
  })
})

describe("A field", () => {
  it.each(["metadata", "service_tier", "container", "inference_geo"])(
    "that Bedrock refuses is left out: %s",
    (field) => {
      const headers = { "anthropic-beta": `${effort},${contextManagement},${interleaved}` }

      for (const { family } of [{ family: sonnet45 }, { family: opus45 }, { family: opus46 }, ...adaptiveOnly])
        assert.notProperty(translated({ family, body: { [field]: {} }, headers }).body, field)
    }
  )

  it.each([
    { family: opus45, header: `${effort},${interleaved}`, isKept: true },
    { family: opus45, header: interleaved, isKept: false },
    { family: sonnet45, header: `${effort},${interleaved}`, isKept: false },
    { family: opus46, header: effort, isKept: false },
    { family: sonnet46, header: effort, isKept: false },
    { family: opus47, header: effort, isKept: true },
    { family: opus47, header: "", isKept: true }
  ])("output_config is kept from $family with '$header': $isKept", ({ family, header, isKept }) => {
    const body = { output_config: { effort: "high" } }

    const request = translated({ family, body, headers: { "anthropic-beta": header } })

    assert.deepStrictEqual(request.body.output_config, isKept ? body.output_config : undefined)
  })

  it.each([
    { family: sonnet45, header: contextManagement, isKept: true },
    { family: haiku45, header: contextManagement, isKept: true },
    { family: sonnet45, header: "", isKept: false },
    { family: opus46, header: contextManagement, isKept: false },
    { family: opus47, header: contextManagement, isKept: false }
  ])("context_management is kept from $family with '$header': $isKept", ({ family, header, isKept }) => {
    const body = { context_management: { edits: [{ type: "clear_tool_uses_20250919" }] } }

    const request = translated({ family, body, headers: { "anthropic-beta": header } })

    assert.deepStrictEqual(request.body.context_management, isKept ? body.context_management : undefined)
  })

  it("that depends on a flag goes without it, while the thinking of a model that can adapt stays adaptive", () => {
    const body = { max_tokens: 9_000, thinking: { type: "adaptive" }, context_management: { edits: [] } }

    const request = translated({ family: opus46, body, headers: { "anthropic-beta": contextManagement } })

    assert.deepStrictEqual(request.body, { max_tokens: 9_000, thinking: { type: "adaptive" }, ...version })
  })
})

describe("The output_config of a model that only thinks adaptively", () => {
  const format = { type: "json_schema", schema: { type: "object" } }

  it.each(
    Table.times(adaptiveOnly, [
      {
        thinking: { type: "enabled", budget_tokens: 2_000 },
        config: { effort: "max" },
        kept: { effort: "max" }
      },
      { thinking: { type: "adaptive" }, config: { effort: "high" }, kept: { effort: "high" } },
      { thinking: { type: "adaptive" }, config: { effort: "high", format }, kept: { effort: "high" } },
      { thinking: { type: "disabled" }, config: { format }, kept: {} }
    ])
  )("is kept from $family without a format: $config", ({ family, thinking, config, kept }) => {
    const request = translated({ family, body: { thinking, output_config: config } })

    assert.deepStrictEqual(request.body.output_config, kept)
    assert.deepStrictEqual(request.body.thinking, thinking.type === "disabled" ? thinking : { type: "adaptive" })
  })

  it("keeps its format with other models", () => {
    const body = { output_config: { effort: "high", format } }

    const request = translated({ family: opus45, body, headers: { "anthropic-beta": effort } })

    assert.deepStrictEqual(request.body.output_config, body.output_config)
  })
})

describe("A whole request", () => {
  const messages = [{ role: "user", content: [{ type: "text", text: "Which rivers flow north?" }] }]
  const output_config = { effort: "medium" }
  const context_management = { edits: [{ type: "clear_tool_uses_20250919" }] }
  const body = {
    model: "claude-x",
    max_tokens: 32_000,
    stream: true,
    thinking: { type: "adaptive" },
    messages,
    metadata: { user_id: "somebody" },
    service_tier: "auto",
    container: "container_1",
    inference_geo: "eu",
    output_config,
    context_management
  }
  const headers = {
    "anthropic-beta": `claude-code-20250219,${interleaved},${contextManagement},${effort}`,
    "anthropic-version": "2023-06-01",
    accept: "text/event-stream"
  }
  const half = { type: "enabled", budget_tokens: 16_000 }

  it.each([
    { family: "beddel", goesOut: { thinking: half, anthropic_beta: [interleaved] } },
    { family: opus45, goesOut: { thinking: half, output_config, anthropic_beta: [interleaved, effort] } },
    {
      family: sonnet45,
      goesOut: { thinking: half, context_management, anthropic_beta: [interleaved, contextManagement] }
    },
    { family: opus46, goesOut: { thinking: { type: "adaptive" }, anthropic_beta: [interleaved] } },
    { family: opus47, goesOut: { thinking: { type: "adaptive" }, output_config, anthropic_beta: [interleaved] } }
  ])("goes out as $family takes it", ({ family, goesOut }) => {
    assert.deepStrictEqual(translated({ family, body, headers }), {
      body: { max_tokens: 32_000, messages, ...goesOut, ...version },
      headers: { accept: "text/event-stream" },
      warnings: []
    })
  })

  it("loses all six fields and the header with them if no flag is known", () => {
    const unknown = { "anthropic-beta": `claude-code-20250219,${unsupported}` }

    assert.deepStrictEqual(translated({ family: sonnet45, body, headers: unknown }), {
      body: { max_tokens: 32_000, messages, thinking: half, ...version },
      headers: {},
      warnings: []
    })
  })
})

describe("Bytes that no step is about", () => {
  it("stay as they are, whatever stands between them", () => {
    const body = ` {\r\n  "max_tokens" : 1e4 ,"mod\\u0065l":"x",\t"temperature": 1.0E-0,
      "thinking" : { "type":"adaptive" } , "metadata":{"user_id":"\\u00fc"}, "messages":[ {"role":"user","content":"\u00fc \\ud83d 👋 \\/"} ],
      "x-unknown": {"model":"y" , "stream":12345678901234567890, "metadata":{}}, "stream":true}\n`

    assert.strictEqual(
      spelled(sonnet45, body, { "anthropic-beta": interleaved }),
      ` {\r\n  "max_tokens" : 1e4 ,"temperature": 1.0E-0,
      "thinking" : {"type":"enabled","budget_tokens":8000} , "messages":[ {"role":"user","content":"\u00fc \\ud83d 👋 \\/"} ],
      "x-unknown": {"model":"y" , "stream":12345678901234567890, "metadata":{}},"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["${interleaved}"]}\n`
    )
  })

  it("are the very bytes that came if nothing has to change", () => {
    const body = encode(`{"max_tokens": 1e3, "anthropic_version":"bedrock-2023-05-31"}`)

    const request = RequestBody.translate({ family: sonnet45, body, headers: {}, tables: ModelTables.defaults })

    assert.strictEqual(request.body, body)
  })

  it("stay as they are in a body that is nested deeper than calls can be", () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`

    assert.strictEqual(
      spelled(sonnet45, `{"model":"x","messages":${deep},"metadata":${deep}}`),
      `{"messages":${deep},"anthropic_version":"bedrock-2023-05-31"}`
    )
  })
})

describe("Members of types that nobody expects", () => {
  it.each(
    Table.times(
      [
        { value: "null" },
        { value: `"adaptive"` },
        { value: "[]" },
        { value: `[{"type":"adaptive"}]` },
        { value: "7" },
        { value: `{}` },
        { value: `{"type":null}` }
      ],
      [{ family: sonnet45 }, { family: opus46 }, { family: opus47 }]
    )
  )("stay as they are: thinking $value for $family", ({ value, family }) => {
    const rest = `"anthropic_version":"bedrock-2023-05-31"`

    assert.strictEqual(spelled(family, `{"thinking":${value},${rest}}`), `{"thinking":${value},${rest}}`)
  })

  it.each(["null", "[]", `["format"]`, `"format"`, "1"])("stay as they are: output_config %s", (value) => {
    const rest = `"anthropic_version":"bedrock-2023-05-31"`

    assert.strictEqual(spelled(opus47, `{"output_config":${value},${rest}}`), `{"output_config":${value},${rest}}`)
    assert.strictEqual(spelled(opus45, `{"output_config":${value},${rest}}`), `{${rest}}`)
  })

  it.each(["null", "[]", `"low"`, `{"effort":null}`, `{"effort":["low"]}`, `{"effort":"constructor"}`])(
    "say no effort: output_config %s",
    (value) => {
      const body = JSON.parse(`{"max_tokens":10000,"thinking":{"type":"adaptive"},"output_config":${value}}`)

      assert.deepStrictEqual(translated({ family: sonnet45, body }).body.thinking, {
        type: "enabled",
        budget_tokens: 8_000
      })
    }
  )

  it.each(["", "null", "[]", `[{"model":"x","stream":true}]`, `"model"`, "{", `{"model":"x"`])(
    "make no object: the body %j goes out as it came",
    (body) => {
      assert.strictEqual(spelled(sonnet45, body, { "anthropic-beta": interleaved }), body)
    }
  )

  it("count once if they are there twice: the last one", () => {
    const body = `{"max_tokens":1,"max_tokens":10000,"thinking":null,"thinking":{"type":"adaptive"},"metadata":1,"metadata":2}`

    assert.strictEqual(
      spelled(sonnet45, body),
      `{"max_tokens":1,"max_tokens":10000,"thinking":null,"thinking":{"type":"enabled","budget_tokens":8000},"anthropic_version":"bedrock-2023-05-31"}`
    )
  })
})

describe("Tables with additions", () => {
  const arn = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3d4e5f6"
  const tables = ModelTables.extend(ModelTables.defaults, {
    requiresAdaptiveThinking: ["anthropic.claude-next-1"],
    supportsAdaptiveThinking: ["anthropic.claude-both-1"],
    betaFlags: [{ flag: "made-up-2030-01-01" }, { flag: effort, models: ["anthropic.claude-both-1"] }],
    exemptFields: [{ field: "metadata", models: ["anthropic.claude-next-1"] }]
  })
  const body = {
    max_tokens: 10_000,
    thinking: { type: "enabled", budget_tokens: 5_000 },
    output_config: { effort: "low", format: {} },
    metadata: { user_id: "somebody" }
  }
  const headers = { "anthropic-beta": `made-up-2030-01-01,${effort},${unsupported}` }

  it("give the next model the treatment of those that only think adaptively", () => {
    assert.deepStrictEqual(translated({ family: "us.anthropic.claude-next-1-v1:0", body, headers, tables }).body, {
      max_tokens: 10_000,
      thinking: { type: "adaptive" },
      output_config: { effort: "low" },
      metadata: { user_id: "somebody" },
      anthropic_beta: ["made-up-2030-01-01"],
      ...version
    })
  })

  it("let another one think adaptively, and take a flag that was not for it", () => {
    const asked = { ...body, thinking: { type: "adaptive" } }

    assert.deepStrictEqual(translated({ family: "anthropic.claude-both-1", body: asked, headers, tables }).body, {
      max_tokens: 10_000,
      thinking: { type: "adaptive" },
      output_config: { effort: "low", format: {} },
      anthropic_beta: ["made-up-2030-01-01", effort],
      ...version
    })
  })

  it("change nothing for models that they do not name", () => {
    for (const family of [sonnet45, opus45, opus46, opus47, arn])
      assert.deepStrictEqual(
        translated({ family, body, tables }),
        translated({ family, body, tables: ModelTables.defaults })
      )
  })

  it("know a model behind an opaque ARN by its family alone", () => {
    const asked = { max_tokens: 10_000, thinking: { type: "enabled", budget_tokens: 5_000 } }

    assert.deepStrictEqual(translated({ family: arn, body: asked }).body.thinking, asked.thinking)
    assert.deepStrictEqual(translated({ family: "anthropic.claude-opus-4-7", body: asked }).body.thinking, {
      type: "adaptive"
    })
  })
})
