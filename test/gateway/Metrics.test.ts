/** What the gateway counts of interceptions, and that the numbers of all watchers are the same as the upstream's. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Failure from "../../src/domain/UpstreamError.ts"
import { GenAiRegistry } from "../../src/record/GenAiRegistry.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"
import * as TestTools from "./TestTools.ts"
import * as ToolTalk from "./ToolTalk.ts"

const counting = (script: Parameters<typeof Setup.layer>[0], options?: Setup.Options) =>
  Layer.suspend(() =>
    Setup.layer(script, options).pipe(Layer.provideMerge(Layer.succeed(Metric.MetricRegistry, new Map())))
  )

/** The lines of these metrics, in order, without the prefix. */
const lines = (...names: ReadonlyArray<string>) =>
  Effect.map(PrometheusMetrics.format(), (text) =>
    text
      .split("\n")
      .filter((line) => names.some((name) => line.startsWith(`aibridge_${name}`)))
      .map((line) => line.slice("aibridge_".length))
      .toSorted()
  )

const answer = (usage: Readonly<Record<string, number>>): ScriptedUpstream.Answer =>
  ScriptedUpstream.text(
    200,
    JSON.stringify({ id: "msg_1", content: [{ type: "tool_use", id: "t1", name: "read_file", input: {} }], usage }),
    { "content-type": "application/json" }
  )

const { path, request, fixture } = Calls.blocking
const labels = `provider="anthropic",model="claude-sonnet-4-5"`

describe("Metrics of an interception", () => {
  it.effect("count it with its tokens, tools and prompt", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, { ...request, headers: { "user-agent": "claude-cli/2" } })

      const client = `client="Claude Code"`
      assert.deepStrictEqual(
        (yield* lines("interceptions_total", "interceptions_inflight", "prompts", "tokens", "non_injected")).map(
          sortedLabels
        ),
        [
          `interceptions_inflight{${labels},route="/v1/messages"} 0`,
          `interceptions_total{${client},method="POST",${labels},route="/v1/messages",status="completed"} 1`,
          `non_injected_tool_selections_total{${labels},name="read_file"} 1`,
          `prompts_total{${client},${labels}} 1`,
          `tokens_total{${client},${labels},type="cache_read_input_tokens"} 3`,
          `tokens_total{${client},${labels},type="cache_write_input_tokens"} 4`,
          `tokens_total{${client},${labels},type="input"} 1`,
          `tokens_total{${client},${labels},type="output"} 2`
        ].map(sortedLabels)
      )
    }).pipe(
      Effect.provide(
        counting([
          answer({ input_tokens: 1, output_tokens: 2, cache_read_input_tokens: 3, cache_creation_input_tokens: 4 })
        ])
      )
    )
  )

  it.effect("count the calls of the gateway's own tools by their server, and no other calls", () => {
    const tools = TestTools.named()
    const [talk] = ToolTalk.all
    assert.isDefined(talk)
    const script = [talk.calls(false, "", ["bmcp_srv_list", "{}"]), talk.calls(false, "", ["Read", "{}"])]
    return Effect.gen(function* () {
      yield* TestGateway.fetch(talk.path, talk.request(false))

      const of = `model="a-model",provider="anthropic"`
      assert.deepStrictEqual(
        (yield* lines("injected", "non_injected", "tokens")).map(sortedLabels),
        [
          `injected_tool_invocations_total{${of},name="list",server="${TestTools.url}"} 1`,
          `non_injected_tool_selections_total{${of},name="Read"} 1`,
          `tokens_total{client="Unknown",${of},type="cache_read_input_tokens"} 0`,
          `tokens_total{client="Unknown",${of},type="cache_write_input_tokens"} 0`,
          `tokens_total{client="Unknown",${of},type="input"} 20`,
          `tokens_total{client="Unknown",${of},type="output"} 4`
        ].map(sortedLabels)
      )
    }).pipe(Effect.provide(counting(script, { tools: [tools.source] })))
  })

  it.effect("know who has called only if they are told to", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)
      assert.include((yield* lines("interceptions_total")).join(), `initiator_id="anonymous"`)
    }).pipe(Effect.provide(counting([answer({ input_tokens: 1 })], { options: { metricsActorLabel: true } })))
  )

  it.effect("take models beyond the bound together", () =>
    Effect.gen(function* () {
      for (const model of ["a", "b", "c", "d", "a"]) {
        yield* TestGateway.fetch(path, { body: { model, messages: [] } })
      }
      const counts = (yield* lines("interceptions_duration_seconds_count")).map(sortedLabels)
      assert.deepStrictEqual(counts, [
        `interceptions_duration_seconds_count{model="a",provider="anthropic"} 2`,
        `interceptions_duration_seconds_count{model="b",provider="anthropic"} 1`,
        `interceptions_duration_seconds_count{model="other",provider="anthropic"} 2`
      ])
    }).pipe(Effect.provide(counting(() => answer({ input_tokens: 1 }), { options: { maximumMetricValues: 2 } })))
  )

  it.effect("have one under way while it waits, and tell its times apart", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(TestGateway.fetch(path, request))
      yield* TestClock.adjust("2999 millis")
      assert.deepStrictEqual((yield* lines("interceptions_inflight")).map(valueOf), ["1"])
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(fiber)

      assert.deepStrictEqual((yield* lines("interceptions_inflight")).map(valueOf), ["0"])
      assert.deepStrictEqual((yield* lines("interceptions_duration_seconds_sum")).map(valueOf), ["3"])
      assert.deepStrictEqual((yield* lines("time_to_first_byte_seconds_sum")).map(valueOf), ["3"])
      assert.deepStrictEqual((yield* lines("gateway_overhead_seconds_sum")).map(valueOf), ["0"])
      assert.deepStrictEqual((yield* lines("gateway_overhead_seconds_count")).map(valueOf), ["1"])
    }).pipe(Effect.provide(counting([Effect.delay(answer({ input_tokens: 1 }), Duration.seconds(3))])))
  )

  it.effect("count keys that rest or are set aside, exhaustions, and what was tried", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)
      yield* TestGateway.fetch(path, request)

      assert.deepStrictEqual(yield* lines("key_pool_exhaustions"), [
        `key_pool_exhaustions_total{provider="anthropic",outcome="rate_limited"} 2`
      ])
      assert.deepStrictEqual((yield* lines("key_pool_state")).map(sortedLabels), [
        `key_pool_state_transitions_total{provider="anthropic",reason="rate_limited"} 1`,
        `key_pool_state_transitions_total{provider="anthropic",reason="unauthorized"} 1`
      ])
      assert.deepStrictEqual((yield* lines("key_pool_failover_attempts_count")).map(valueOf), ["1"])
      assert.deepStrictEqual((yield* lines("key_pool_failover_attempts_sum")).map(valueOf), ["2"])
      assert.include((yield* lines("interceptions_total")).join(), `status="failed"`)
    }).pipe(Effect.provide(counting([fixture.error(429), fixture.error(401)])))
  )

  it.effect.each([
    { what: "an error answer", script: fixture.error(500), status: "failed" },
    { what: "an unreachable upstream", script: Effect.fail(Failure.unreachable("ECONNREFUSED")), status: "failed" },
    { what: "a stream that says it has failed", script: failing(), status: "failed" },
    { what: "a whole stream", script: Calls.streaming.good, status: "completed" }
  ])("say $status of $what", ({ script, status }) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, Calls.streaming.request)
      assert.include((yield* lines("interceptions_total")).join(), `status="${status}"`)
    }).pipe(Effect.provide(counting([script])))
  )

  it.effect("count a passthrough request apart", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(Calls.passthrough.path)
      assert.deepStrictEqual((yield* lines("passthrough", "interceptions")).map(sortedLabels), [
        `passthrough_total{method="GET",provider="anthropic",route="/v1/models"} 1`
      ])
    }).pipe(Effect.provide(counting([Calls.passthrough.good])))
  )

  it.effect("have the names of OpenTelemetry in a registry of their own, if there is one", () => {
    const registry = new Map()
    return Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)

      const own = yield* Effect.provideService(PrometheusMetrics.format(), Metric.MetricRegistry, registry)
      assert.include(own, "gen_ai_client_token_usage_sum")
      assert.include(own, `gen_ai_provider_name="anthropic"`)
      assert.notInclude(yield* PrometheusMetrics.format(), "gen_ai")
    }).pipe(
      Effect.provide(
        counting([answer({ input_tokens: 1, output_tokens: 2 })]).pipe(
          Layer.provideMerge(Layer.succeed(GenAiRegistry, registry))
        )
      )
    )
  })
})

function failing(): ScriptedUpstream.Answer {
  return ScriptedUpstream.events([...fixture.events.slice(0, -1), fixture.upstreamErrorEvent])
}

const valueOf = (line: string): string => line.slice(line.lastIndexOf(" ") + 1)

// The order of labels is nobody's concern.
const sortedLabels = (line: string): string =>
  line.replace(
    /\{(.*)\}/,
    (_, inner: string) =>
      `{${inner
        .split(/,(?=\w+=")/)
        .toSorted()
        .join()}}`
  )

/** One of 3,000 requests: what the upstream does, and what the client can have learned of the tokens. */
interface Turn {
  readonly answer: ScriptedUpstream.Answer
  readonly stream: boolean
  readonly leaves: boolean
  readonly output: number
  readonly isFailed: boolean
}

const streamOf = (output: number, parts: number, isWhole: boolean): ScriptedUpstream.Answer =>
  ScriptedUpstream.events([
    event("message_start", { message: { id: "msg_1", usage: { input_tokens: 10, output_tokens: 1 } } }),
    ...Array.from({ length: parts }, () => event("content_block_delta", { delta: { type: "text_delta", text: "x" } })),
    ...(isWhole ? [event("message_delta", { usage: { output_tokens: output } }), event("message_stop", {})] : [])
  ])

const event = (name: string, data: object): string =>
  `event: ${name}\ndata: ${JSON.stringify({ type: name, ...data })}\n\n`

const turn = Effect.gen(function* (): Effect.fn.Return<Turn> {
  const kind = yield* Random.nextIntBetween(0, 6)
  const output = yield* Random.nextIntBetween(2, 5000)
  const parts = yield* Random.nextIntBetween(1, 5)
  const blocking = { stream: false, leaves: false }
  const streaming = { stream: true, leaves: false }
  switch (kind) {
    case 0:
      return { ...blocking, answer: fixture.error(500), output: 0, isFailed: true }
    case 1:
      return { ...blocking, answer: Effect.fail(Failure.unreachable("ECONNRESET")), output: 0, isFailed: true }
    case 2:
      return { ...blocking, answer: answer({ input_tokens: 10, output_tokens: output }), output, isFailed: false }
    case 3:
      return { ...streaming, answer: streamOf(output, parts, false), output: 1, isFailed: true }
    case 4:
      return { stream: true, leaves: true, answer: streamOf(output, parts, false), output: 1, isFailed: true }
    default:
      return { ...streaming, answer: streamOf(output, parts, true), output, isFailed: false }
  }
})

describe("Of 3,000 interceptions with cuts and failures", () => {
  it.effect("records and metrics say what the upstream has sent", () =>
    Effect.gen(function* () {
      const turns = yield* Effect.forEach(Array.from({ length: 3000 }), () => turn).pipe(Random.withSeed("aibridge"))
      yield* Effect.gen(function* () {
        for (const { stream, leaves } of turns) {
          const body = { model: "claude-sonnet-4-5", stream, messages: [{ role: "user", content: "x" }] }
          const asked = Effect.flatMap(TestGateway.request(path, { body }), (response) =>
            Effect.exit(Stream.runDrain(leaves ? Stream.take(response.stream, 1) : response.stream))
          )
          yield* Effect.scoped(asked)
        }

        const events = yield* Setup.records
        const usages = events.flatMap((each) => (each._tag === "TokenUsage" ? [each.usage] : []))
        const sent = sum(turns.map(({ output }) => output))
        assert.strictEqual(sum(usages.map(({ output }) => output)), sent)
        assert.deepStrictEqual((yield* lines("tokens_total")).filter(isOutput).map(valueOf), [String(sent)])
        assert.strictEqual((yield* Setup.started).length, 3000)
        assert.strictEqual(new Set((yield* Setup.ended).map(({ id }) => id)).size, 3000)
        assert.strictEqual((yield* Setup.ended).length, 3000)
        assert.strictEqual(sum((yield* lines("interceptions_total")).map((line) => Number(valueOf(line)))), 3000)
        assert.deepStrictEqual((yield* lines("interceptions_inflight")).map(valueOf), ["0"])
        const failed = sum(turns.map(({ isFailed }) => (isFailed ? 1 : 0)))
        const failures = (yield* lines("interceptions_total")).filter((line) => line.includes(`status="failed"`))
        assert.deepStrictEqual(failures.map(valueOf), [String(failed)])
      }).pipe(Effect.provide(counting((_, at) => turns[at]?.answer ?? fixture.error(500))))
    })
  )
})

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, each) => total + each, 0)

const isOutput = (line: string): boolean => line.includes(`type="output"`)
