/** The spans of requests, for whoever brings a tracer. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import { ToolError } from "../../src/tools/ToolSource.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"
import * as TestTools from "./TestTools.ts"
import * as ToolTalk from "./ToolTalk.ts"

/** A gateway with a tracer that keeps the spans of requests; those of building the gateway are none. */
const traced = (spans: Array<Tracer.NativeSpan>, ...[script, options]: Parameters<typeof Setup.layer>) => {
  const tracer = Tracer.make({
    span: (about) => {
      const span = new Tracer.NativeSpan(about)
      if (/^(Intercept|Passthrough)/.test(about.name)) spans.push(span)
      return span
    }
  })
  return Setup.layer(script, options).pipe(Layer.provide(Layer.succeed(Tracer.Tracer, tracer)))
}

const counts = (spans: ReadonlyArray<Tracer.Span>): Record<string, number> => {
  const found: Record<string, number> = {}
  for (const { name } of spans) found[name] = (found[name] ?? 0) + 1
  return found
}

const isFailed = ({ status }: Tracer.Span): boolean => status._tag === "Ended" && status.exit._tag === "Failure"

const named = (spans: ReadonlyArray<Tracer.Span>, name: string) => spans.filter((span) => span.name === name)

const traceId = "0af7651916cd43dd8448eb211c80319c"
const traceparent = (flags: string): string => `00-${traceId}-b7ad6b7169203331-${flags}`

const { path, request, fixture } = Calls.blocking

const good = ScriptedUpstream.text(
  200,
  JSON.stringify({ id: "msg_1", content: [], usage: { input_tokens: 1, output_tokens: 2 } }),
  { "content-type": "application/json" }
)

describe("The spans of a request", () => {
  it.effect.each([{ ...Calls.blocking, good }, Calls.streaming])("are those of its parts, once each: $call", (call) => {
    const spans: Array<Tracer.NativeSpan> = []
    return Effect.gen(function* () {
      yield* TestGateway.fetch(call.path, call.request)

      assert.deepStrictEqual(counts(spans), {
        Intercept: 1,
        "Intercept.CreateInterceptor": 1,
        "Intercept.ProcessRequest": 1,
        "Intercept.ProcessRequest.Upstream": 1,
        "Intercept.RecordInterception": 1,
        "Intercept.RecordPromptUsage": 1,
        "Intercept.RecordTokenUsage": 1,
        "Intercept.RecordInterceptionEnded": 1
      })
      assert.isTrue(spans.every(({ status }) => status._tag === "Ended"))
      assert.isFalse(spans.some(isFailed))
      const [whole] = named(spans, "Intercept")
      const [started] = yield* Setup.started
      assert.strictEqual(whole?.attributes.get("interception_id"), started?.id)
      assert.strictEqual(whole?.attributes.get("request_path"), "/anthropic/v1/messages")
      assert.strictEqual(whole?.attributes.get("streaming"), call.isStreaming)
      assert.strictEqual(whole?.attributes.get("gen_ai.provider.name"), "anthropic")
      assert.strictEqual(whole?.attributes.get("gen_ai.request.model"), "claude-sonnet-4-5")
      assert.isNumber(whole?.attributes.get("gen_ai.usage.output_tokens"))
    }).pipe(Effect.provide(traced(spans, [call.good])))
  })

  it.effect("are one for each call of a tool of the gateway's own, and for each answer", () => {
    const spans: Array<Tracer.NativeSpan> = []
    const tools = TestTools.make((tool) =>
      tool === "list" ? Effect.succeed(TestTools.text("x")) : Effect.fail(new ToolError({ message: "no" }))
    )
    const [talk] = ToolTalk.all
    assert.isDefined(talk)
    const args = `{"owner":"admin","more":"${"a".repeat(200)}"}`
    const script = [talk.calls(false, "", ["bmcp_srv_list", args], ["bmcp_srv_say", "{}"]), talk.says(false, "Here.")]
    return Effect.gen(function* () {
      yield* TestGateway.fetch(talk.path, talk.request(false))

      const calls = named(spans, "Intercept.ProcessRequest.ToolCall")
      assert.deepStrictEqual(calls.map(isFailed), [false, true])
      const [first] = calls
      assert.deepInclude(Object.fromEntries(first?.attributes ?? []), {
        mcp_tool_name: "list",
        mcp_server_name: "srv",
        mcp_server_url: TestTools.url,
        mcp_input: args.slice(0, 100)
      })
      assert.strictEqual(first?.attributes.get("interception_id"), (yield* Setup.started)[0]?.id)
      const answers = named(spans, "Intercept.ProcessRequest.Upstream")
      assert.deepStrictEqual(
        answers.map(({ attributes }) => attributes.get("http.response.status_code")),
        [200, 200]
      )
      assert.strictEqual(named(spans, "Intercept.RecordTokenUsage").length, 2)
      assert.strictEqual(named(spans, "Intercept.RecordToolUsage").length, 2)
      assert.isTrue(spans.every(({ status }) => status._tag === "Ended"))
    }).pipe(Effect.provide(traced(spans, script, { tools: [tools.source] })))
  })

  it.effect("are one for each attempt, and say which has failed", () => {
    const spans: Array<Tracer.NativeSpan> = []
    return Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)

      const attempts = named(spans, "Intercept.ProcessRequest.Upstream")
      assert.deepStrictEqual(attempts.map(isFailed), [true, false])
      assert.deepStrictEqual(
        attempts.map(({ attributes }) => attributes.get("http.response.status_code")),
        [429, 200]
      )
      assert.deepStrictEqual(
        attempts.map(({ attributes }) => attributes.get("credential_hint")),
        [Setup.hint(0), Setup.hint(1)]
      )
    }).pipe(Effect.provide(traced(spans, [fixture.error(429), good])))
  })

  it.effect("have failed with an upstream that cannot be reached, and say so", () => {
    const spans: Array<Tracer.NativeSpan> = []
    return Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)

      const failed = spans.filter(isFailed).map(({ name }) => name)
      assert.sameMembers(failed, ["Intercept", "Intercept.ProcessRequest", "Intercept.ProcessRequest.Upstream"])
      assert.strictEqual(named(spans, "Intercept")[0]?.attributes.get("error.type"), "upstream_error")
    }).pipe(Effect.provide(traced(spans, [Effect.fail(Failure.unreachable("ECONNREFUSED"))])))
  })

  it.effect.each([
    { flags: "01", sampled: true },
    { flags: "00", sampled: false }
  ])("belong to the client's trace, with its flags $flags", ({ flags, sampled }) => {
    const spans: Array<Tracer.NativeSpan> = []
    return Effect.gen(function* () {
      yield* TestGateway.fetch(path, { ...request, headers: { traceparent: traceparent(flags) } })

      assert.deepStrictEqual([...new Set(spans.map((span) => span.traceId))], [traceId])
      assert.isTrue(spans.every((span) => span.sampled === sampled))
      const parent = named(spans, "Intercept")[0]?.parent
      assert.strictEqual(parent && Option.getOrUndefined(parent)?.spanId, "b7ad6b7169203331")
    }).pipe(Effect.provide(traced(spans, [good])))
  })

  it.effect("are the upstream's parents if that is wanted", () => {
    const spans: Array<Tracer.NativeSpan> = []
    return Effect.gen(function* () {
      yield* TestGateway.fetch(path, { ...request, headers: { traceparent: traceparent("01"), tracestate: "a=1" } })

      const [sent] = yield* Setup.requests
      const [attempt] = named(spans, "Intercept.ProcessRequest.Upstream")
      assert.strictEqual(sent?.headers["traceparent"], `00-${traceId}-${attempt?.spanId}-01`)
      assert.strictEqual(sent?.headers["tracestate"], "a=1")
    }).pipe(Effect.provide(traced(spans, [good], { options: { propagateTraceContext: true } })))
  })

  it.effect("hold nothing of headers and secrets", () => {
    const spans: Array<Tracer.NativeSpan> = []
    return Effect.gen(function* () {
      yield* TestGateway.fetch(path, { ...request, headers: { "x-secret": "sk-NEVER-SHOWN" } })
      yield* TestGateway.fetch(`${Calls.passthrough.path}?key=sk-NEVER-SHOWN`)

      assert.notInclude(JSON.stringify(spans.map(({ attributes }) => [...attributes])), "NEVER-SHOWN")
    }).pipe(Effect.provide(traced(spans, [good, Calls.passthrough.good])))
  })

  it.effect("that is passed through are one", () => {
    const spans: Array<Tracer.NativeSpan> = []
    return Effect.gen(function* () {
      yield* TestGateway.fetch(Calls.passthrough.path)

      assert.deepStrictEqual(counts(spans), { Passthrough: 1 })
      assert.strictEqual(spans[0]?.attributes.get("passthrough_url"), "/anthropic/v1/models")
      assert.strictEqual(spans[0]?.status._tag, "Ended")
    }).pipe(Effect.provide(traced(spans, [Calls.passthrough.good])))
  })
})

describe("Without a tracer", () => {
  it.effect("the client's trace context goes upstream as it stands, if that is wanted", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, { ...request, headers: { traceparent: traceparent("01"), tracestate: "a=1" } })

      const [sent] = yield* Setup.requests
      assert.strictEqual(sent?.headers["traceparent"], traceparent("01"))
      assert.strictEqual(sent?.headers["tracestate"], "a=1")
    }).pipe(Effect.provide(Setup.layer([good], { options: { propagateTraceContext: true } })))
  )
})
