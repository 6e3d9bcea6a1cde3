/** Requests in which the gateway runs tools of its own: several upstream calls, and one answer. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type { ToolUsage } from "../../src/domain/RecordEvent.ts"
import * as Tool from "../../src/domain/ToolResult.ts"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as Drain from "../../src/inbound/Drain.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import { ToolError } from "../../src/tools/ToolSource.ts"
import * as Table from "../Table.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"
import * as TestTools from "./TestTools.ts"
import type { Talk } from "./ToolTalk.ts"
import * as ToolTalk from "./ToolTalk.ts"
import * as Vendors from "./Vendors.ts"

const list = "bmcp_srv_list"
const say = "bmcp_srv_say"

const layer = (script: Parameters<typeof Setup.layer>[0], tools: TestTools.Calls, options: Setup.Options = {}) =>
  Setup.layer(script, { ...options, tools: [tools.source] })

const ask = ({ talk, stream }: Pick<(typeof ToolTalk.rows)[number], "talk" | "stream">) =>
  TestGateway.fetch(talk.path, talk.request(stream))

const bodies = Effect.map(Setup.requests, (all) => all.map(({ text }): unknown => JSON.parse(text)))

const toolUsages = Effect.map(Setup.records, (all) =>
  all.filter((event): event is ToolUsage => event._tag === "ToolUsage")
)

const vendorOf = ({ path }: Talk) => (path.startsWith("/anthropic") ? Vendors.anthropic : Vendors.openai)

const resultsIn = ({ results }: Talk, body: unknown) => results(body)

/** What the client reads of two answers with text. */
const together = ({ dialect }: Talk, first: string, second: string): string =>
  dialect === "responses" ? second : dialect === "chat" && first !== "" ? `${first}\n\n${second}` : first + second

const limited = (talk: Talk, retryAfter: number) =>
  Effect.map(talk.error(429, "rate_limit_error"), (response) => ({
    ...response,
    headers: { ...response.headers, "retry-after": String(retryAfter) }
  }))

describe("A request for which a tool is run", () => {
  it.effect.each(ToolTalk.rows)("has one answer, of all that was said: $name", ({ talk, stream }) => {
    const tools = TestTools.named()
    return Effect.gen(function* () {
      const { status, text } = yield* ask({ talk, stream })

      assert.strictEqual(status, 200)
      assert.strictEqual(talk.textIn(stream, text), together(talk, "I look.", "Here."))
      assert.notInclude(text, "bmcp_")
      assert.deepStrictEqual(talk.usageIn(stream, text), talk.dialect === "responses" ? [10, 2] : [20, 4])
      assert.deepStrictEqual(tools.seen, [["list", { owner: "admin" }]])
      const [first, second] = yield* bodies
      assert.deepStrictEqual(talk.offered(first), [list, say])
      assert.deepStrictEqual(talk.offered(second), [list, say])
      assert.deepStrictEqual(resultsIn(talk, second), [["call_0", "of list"]])
    }).pipe(
      Effect.provide(
        layer([talk.calls(stream, "I look.", [list, `{"owner":"admin"}`]), talk.says(stream, "Here.")], tools)
      )
    )
  })

  it.effect.each(ToolTalk.rows)(
    "is recorded with each answer's tokens and the tool's call: $name",
    ({ talk, stream }) => {
      const tools = TestTools.named()
      return Effect.gen(function* () {
        yield* ask({ talk, stream })

        const records = yield* Setup.records
        const usages = records.flatMap((event) => (event._tag === "TokenUsage" ? [event.usage] : []))
        assert.deepStrictEqual(
          usages.map(({ input, output }) => [input, output]),
          [
            [10, 2],
            [10, 2]
          ]
        )
        assert.lengthOf(
          records.filter(({ _tag }) => _tag === "PromptUsage"),
          1
        )
        assert.deepStrictEqual(
          (yield* toolUsages).map(({ call, injected, serverUrl, error }) => ({ call, injected, serverUrl, error })),
          [
            {
              call: { id: "call_0", name: "list", args: "{}" },
              injected: true,
              serverUrl: TestTools.url,
              error: undefined
            }
          ]
        )
        assert.deepStrictEqual(
          (yield* Setup.ended).map(({ reason, attempts, usageQuality }) => ({ reason, attempts, usageQuality })),
          [{ reason: "complete", attempts: 2, usageQuality: "final" }]
        )
      }).pipe(Effect.provide(layer([talk.calls(stream, "", [list, "{}"]), talk.says(stream, "Here.")], tools)))
    }
  )

  it.effect("is run for Bedrock, too", () => {
    const tools = TestTools.named()
    const [talk] = ToolTalk.all
    assert.isDefined(talk)
    const bedrock = { ...talk, path: "/bedrock/v1/messages" }
    const script = [talk.calls(false, "I look.", [list, "{}"]), talk.says(false, "Here.")]
    return Effect.gen(function* () {
      const { status, text } = yield* ask({ talk: bedrock, stream: false })

      assert.strictEqual(status, 200)
      assert.strictEqual(talk.textIn(false, text), "I look.Here.")
      const [first, second] = yield* bodies
      assert.deepStrictEqual([talk.offered(first), resultsIn(talk, second)], [[list, say], [["call_0", "of list"]]])
    }).pipe(Effect.provide(layer(script, tools)))
  })

  it.effect.each(ToolTalk.rows)("has all its calls run, in their order: $name", ({ talk, stream }) => {
    const tools = TestTools.named()
    return Effect.gen(function* () {
      yield* ask({ talk, stream })

      assert.deepStrictEqual(tools.seen, [
        ["list", { a: 1 }],
        ["say", {}],
        ["list", { a: 2 }]
      ])
      assert.deepStrictEqual(resultsIn(talk, (yield* bodies)[1]), [
        ["call_0", "of list"],
        ["call_1", "of say"],
        ["call_2", "of list"]
      ])
    }).pipe(
      Effect.provide(
        layer(
          [talk.calls(stream, "", [list, `{"a":1}`], [say, "{}"], [list, `{"a":2}`]), talk.says(stream, "Here.")],
          tools
        )
      )
    )
  })

  it.effect.each(ToolTalk.rows)("is the client's if that is to run a tool, too: $name", ({ talk, stream }) => {
    const tools = TestTools.named()
    return Effect.gen(function* () {
      const { text } = yield* ask({ talk, stream })

      assert.deepStrictEqual(tools.seen, [])
      assert.notInclude(text, "bmcp_")
      assert.include(text, "Read")
      assert.lengthOf(yield* Setup.requests, 1)
      assert.deepStrictEqual(
        (yield* toolUsages).map(({ call, injected }) => [call.name, injected]),
        [["Read", false]]
      )
    }).pipe(Effect.provide(layer([talk.calls(stream, "", [list, "{}"], ["Read", "{}"])], tools)))
  })

  it.effect.each(ToolTalk.rows)("ten times goes upstream with the same bytes: $name", ({ talk, stream }) =>
    Effect.gen(function* () {
      yield* Effect.replicateEffect(ask({ talk, stream }), 10)

      const texts = new Set((yield* Setup.requests).map(({ text }) => text))
      assert.strictEqual(texts.size, 1)
      assert.include(Array.from(texts)[0] ?? "", list)
    }).pipe(Effect.provide(layer(() => talk.says(stream, "Here."), TestTools.named())))
  )
})

describe("A later upstream call", () => {
  it.effect.each(ToolTalk.rows)("has keys tried on its own: $name", ({ talk, stream }) =>
    Effect.gen(function* () {
      const { status, text } = yield* ask({ talk, stream })

      assert.strictEqual(status, 200)
      assert.strictEqual(talk.textIn(stream, text), "done")
      assert.deepStrictEqual(yield* Setup.keysSeen, [0, 0, 1])
      assert.deepStrictEqual(yield* Setup.states(vendorOf(talk)), ["Temporary", "Valid"])
      const [ended] = yield* Setup.ended
      assert.deepStrictEqual([ended?.credentialHint, ended?.attempts], [Setup.hint(1), 3])
    }).pipe(
      Effect.provide(
        layer([talk.calls(stream, "", [list, "{}"]), limited(talk, 60), talk.says(stream, "done")], TestTools.named())
      )
    )
  )

  it.effect.each(ToolTalk.rows)(
    "for which no key is left is an error event once a byte was sent, else a 429: $name",
    ({ talk, stream }) =>
      Effect.gen(function* () {
        const { status, headers, text } = yield* ask({ talk, stream })

        assert.include(text, "all configured keys are rate-limited")
        assert.deepStrictEqual(yield* Setup.keysSeen, [0, 0, 1])
        assert.deepStrictEqual(yield* Setup.states(vendorOf(talk)), ["Temporary", "Temporary"])
        assert.deepStrictEqual(yield* Setup.reasons, ["exhausted"])
        if (stream && talk.begins !== undefined) {
          assert.strictEqual(status, 200)
          assert.isTrue(text.startsWith(talk.begins))
          assert.include(text.split("\n\n").at(-2) ?? "", "rate_limit_error")
        } else {
          assert.deepStrictEqual([status, headers["retry-after"]], [429, "3"])
          assert.isDefined(JSON.parse(text).error)
        }
      }).pipe(
        Effect.provide(
          layer([talk.calls(stream, "", [list, "{}"]), limited(talk, 5), limited(talk, 3)], TestTools.named())
        )
      )
  )

  it.effect.each(ToolTalk.rows)(
    "that is refused is the answer, or its error the last event: $name",
    ({ talk, stream }) =>
      Effect.gen(function* () {
        const { status, text } = yield* ask({ talk, stream })

        assert.include(text, "an own api_error")
        assert.strictEqual(status, stream && talk.begins !== undefined ? 200 : 500)
        assert.lengthOf(text.match(/an own api_error/g) ?? [], 1)
        assert.deepStrictEqual(yield* Setup.keysSeen, [0, 0])
      }).pipe(
        Effect.provide(layer([talk.calls(stream, "", [list, "{}"]), talk.error(500, "api_error")], TestTools.named()))
      )
  )

  it.effect.each(ToolTalk.rows)(
    "that gets no answer ends the stream with an error event, else in a 502: $name",
    ({ talk, stream }) =>
      Effect.gen(function* () {
        const { status, text } = yield* ask({ talk, stream })

        assert.strictEqual(status, stream && talk.begins !== undefined ? 200 : 502)
        assert.include(text, "upstream unreachable")
      }).pipe(
        Effect.provide(
          layer(
            [talk.calls(stream, "", [list, "{}"]), ScriptedUpstream.failure(Failure.unreachable("ECONNREFUSED"))],
            TestTools.named()
          )
        )
      )
  )
})

const stays = (answer: ScriptedUpstream.Answer): ScriptedUpstream.Answer =>
  Effect.map(answer, (response) => ({ ...response, body: Stream.concat(response.body, Stream.never) }))

const measured = (answer: ScriptedUpstream.Answer): ScriptedUpstream.Answer =>
  Effect.map(answer, (response) => ({ ...response, headers: { ...response.headers, "content-length": "7" } }))

describe("The upstream calls of one request", () => {
  const streams = ToolTalk.rows.filter(({ stream }) => stream)
  it.effect.each(streams)(
    "follow each other though the upstream stays, and only one is open: $name",
    ({ talk, stream }) =>
      Effect.gen(function* () {
        const client = yield* Reader.open(talk.path, talk.request(stream))
        yield* TestClock.adjust("1 second")

        assert.deepStrictEqual(
          (yield* Setup.requests).map(({ aborted }) => aborted),
          [true, false]
        )
        yield* client.leave
      }).pipe(
        Effect.provide(
          layer([stays(talk.calls(stream, "", [list, "{}"])), ScriptedUpstream.silence], TestTools.named())
        )
      )
  )

  it.effect.each(ToolTalk.rows)("have an error passed on as it comes: $name", ({ talk, stream }) =>
    Effect.gen(function* () {
      const { status } = yield* Effect.scoped(TestGateway.request(talk.path, talk.request(stream)))

      assert.strictEqual(status, 400)
    }).pipe(Effect.provide(layer([ScriptedUpstream.streamed(400, ["{", "hang"])], TestTools.named())))
  )

  it.effect.each(ToolTalk.rows)("say nothing of the length of what is made of them: $name", ({ talk, stream }) =>
    Effect.gen(function* () {
      const { headers } = yield* ask({ talk, stream })

      assert.notStrictEqual(headers["content-length"], "7")
    }).pipe(
      Effect.provide(
        layer([measured(talk.calls(stream, "a", [list, "{}"])), measured(talk.says(stream, "b"))], TestTools.named())
      )
    )
  )

  const cuts = Table.times(streams, [
    { how: "is reset", failure: Failure.cut("ECONNRESET") },
    { how: "ends early", failure: undefined }
  ])

  it.effect.each(cuts)("have all complete events passed on of one that $how, then an error event: $name", (row) => {
    const { talk, failure } = row
    const whole = talk.says(true, "Here.")
    const half = Effect.map(whole, (response) => {
      const some = Stream.take(response.body, 4)
      return { ...response, body: failure === undefined ? some : Stream.concat(some, Stream.fail(failure)) }
    })
    return Effect.gen(function* () {
      const { status, text } = yield* ask(row)

      assert.strictEqual(status, 200)
      assert.include(text, failure === undefined ? "upstream closed the stream early" : "upstream")
      assert.isTrue(talk.textIn(true, text).startsWith("Here."))
      assert.deepStrictEqual(yield* Setup.reasons, ["upstream_cut"])
    }).pipe(Effect.provide(layer([talk.calls(true, "", [list, "{}"]), half], TestTools.named())))
  })

  it.effect("count for the circuit breaker each on its own", () => {
    const [talk] = ToolTalk.all
    assert.isDefined(talk)
    const cut = ScriptedUpstream.events(["event: ping\ndata: {}\n\n", Failure.cut("ECONNRESET")])
    return Effect.gen(function* () {
      yield* ask({ talk, stream: true })
      yield* ask({ talk, stream: true })
      const { status } = yield* ask({ talk, stream: true })

      assert.strictEqual(status, 200)
      assert.lengthOf(yield* Setup.requests, 4)
    }).pipe(
      Effect.provide(
        layer([cut, talk.calls(true, "", [list, "{}"]), cut, talk.says(true, "Here.")], TestTools.named(), {
          provider: { circuitBreaker: { failureThreshold: 2, countStreamErrors: true } }
        })
      )
    )
  })
})

describe("A tool that goes wrong", () => {
  const cases = [
    {
      what: "fails",
      run: Effect.fail(new ToolError({ message: "no such owner" })),
      says: "Error: calling tool: no such owner"
    },
    { what: "has a defect", run: Effect.die(new Error("NEVER-SHOWN")), says: "Error: calling tool: internal error" },
    { what: "says so itself", run: Effect.succeed(Tool.failed("rbac: forbidden")), says: "rbac: forbidden" },
    { what: "takes too long", run: Effect.never, says: "Error: calling tool: no result within 1m" },
    {
      what: "says too much",
      run: Effect.succeed(TestTools.text("a".repeat(1024 * 1024))),
      says: "Error: the result has 1048631 bytes, more than 1048576. Ask for less."
    }
  ]

  it.effect.each(Table.times(ToolTalk.rows, cases))(
    "as it $what is the model's to know: $name",
    ({ talk, stream, run, says }) =>
      Effect.gen(function* () {
        const client = yield* Reader.open(talk.path, talk.request(stream))
        yield* TestClock.adjust("60 seconds")

        assert.strictEqual(talk.textIn(stream, client.text()), "Well.")
        assert.deepStrictEqual(resultsIn(talk, (yield* bodies)[1]), [["call_0", says]])
        assert.deepStrictEqual(
          (yield* toolUsages).map(({ error }) => error),
          [says]
        )
        assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
      }).pipe(
        Effect.provide(
          layer(
            [talk.calls(stream, "", [list, "{}"]), talk.says(stream, "Well.")],
            TestTools.make(() => run)
          )
        )
      )
  )

  // In a whole message they are JSON already.
  const texts = ToolTalk.rows.filter(({ talk, stream }) => stream || talk.dialect !== "messages")

  it.effect.each(texts)("as its arguments are no JSON is not called: $name", ({ talk, stream }) => {
    const tools = TestTools.named()
    return Effect.gen(function* () {
      yield* ask({ talk, stream })

      assert.deepStrictEqual(tools.seen, [])
      assert.match(resultsIn(talk, (yield* bodies)[1])[0]?.[1] ?? "", /arguments are not JSON/)
    }).pipe(Effect.provide(layer([talk.calls(stream, "", [list, `{"a":`]), talk.says(stream, "Well.")], tools)))
  })
})

describe("A model that never has enough", () => {
  it.effect.each(ToolTalk.rows)("is told so after ten times, and then has its last word: $name", ({ talk, stream }) => {
    const tools = TestTools.named()
    return Effect.gen(function* () {
      const { status, text } = yield* ask({ talk, stream })

      assert.strictEqual(status, 200)
      assert.lengthOf(tools.seen, 10)
      const all = yield* bodies
      assert.lengthOf(all, 12)
      assert.match(resultsIn(talk, all[11]).at(-1)?.[1] ?? "", /^Error: tools were called 10 times for this request/)
      assert.notInclude(text, "bmcp_")
      assert.notMatch(text, /"(?:stop_reason|finish_reason)":"tool/)
      assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
    }).pipe(Effect.provide(layer(() => talk.calls(stream, "", [list, "{}"]), tools)))
  })
})

const hanging = () => TestTools.make(() => Effect.never)

const script = (talk: Talk, stream: boolean) => [talk.calls(stream, "", [list, "{}"]), talk.says(stream, "Here.")]

describe("While a tool runs", () => {
  it.effect.each(ToolTalk.rows)("a client that leaves ends it: $name", ({ talk, stream }) => {
    const tools = hanging()
    return Effect.gen(function* () {
      const client = yield* Reader.open(talk.path, talk.request(stream))
      yield* TestClock.adjust("1 second")
      assert.lengthOf(tools.seen, 1)

      yield* client.leave

      assert.strictEqual(tools.interrupted(), 1)
      yield* TestClock.adjust("1 hour")
      assert.lengthOf(yield* Setup.requests, 1)
      assert.deepStrictEqual(yield* Setup.reasons, ["client_gone"])
      assert.lengthOf(yield* toolUsages, 1)
    }).pipe(Effect.provide(layer(script(talk, stream), tools)))
  })

  it.effect.each(ToolTalk.rows)("the time of the whole request can be up: $name", ({ talk, stream }) => {
    const tools = hanging()
    return Effect.gen(function* () {
      const client = yield* Reader.open(talk.path, talk.request(stream))
      yield* TestClock.adjust("30 seconds")

      assert.isDefined(client.fiber.pollUnsafe())
      assert.strictEqual(tools.interrupted(), 1)
      assert.deepStrictEqual(yield* Setup.reasons, ["timeout"])
    }).pipe(Effect.provide(layer(script(talk, stream), tools, { options: { totalTimeout: Duration.seconds(30) } })))
  })

  it.effect.each(ToolTalk.rows)("the gateway can stop: $name", ({ talk, stream }) => {
    const tools = hanging()
    const drain = Drain.make()
    return Effect.gen(function* () {
      const client = yield* Reader.open(talk.path, talk.request(stream))
      yield* TestClock.adjust("1 second")
      drain.timeUp()
      yield* TestClock.adjust("1 second")

      assert.isDefined(client.fiber.pollUnsafe())
      assert.strictEqual(tools.interrupted(), 1)
      assert.deepStrictEqual(yield* Setup.reasons, ["shutdown"])
    }).pipe(Effect.provide(layer(script(talk, stream), tools, { drain })))
  })

  it.effect("a stream of messages is kept open", () => {
    const [talk] = ToolTalk.all
    const slow = TestTools.make(() => Effect.delay(Effect.succeed(TestTools.text("late")), "25 seconds"))
    assert.isDefined(talk)
    return Effect.gen(function* () {
      const client = yield* Reader.open(talk.path, talk.request(true))
      yield* TestClock.adjust("26 seconds")

      assert.strictEqual(client.text().match(/event: ping/g)?.length, 2)
      assert.isTrue(client.text().endsWith(`event: message_stop\ndata: {"type":"message_stop"}\n\n`))
    }).pipe(Effect.provide(layer(script(talk, true), slow)))
  })

  it.effect("a client that has left has nothing more run though its answer is read on", () => {
    const [talk] = ToolTalk.all
    const tools = TestTools.named()
    assert.isDefined(talk)
    const late = Effect.delay(talk.calls(false, "", [list, "{}"]), "5 seconds")
    return Effect.gen(function* () {
      const client = yield* Reader.open(talk.path, talk.request(false))
      yield* client.leave
      yield* TestClock.adjust("5 seconds")

      assert.deepStrictEqual(tools.seen, [])
      assert.deepStrictEqual(yield* Setup.reasons, ["client_gone"])
      assert.deepStrictEqual(
        (yield* Setup.ended).map(({ usageQuality }) => usageQuality),
        ["final"]
      )
    }).pipe(Effect.provide(layer([late], tools, { options: { clientGone: "drain" } })))
  })
})
