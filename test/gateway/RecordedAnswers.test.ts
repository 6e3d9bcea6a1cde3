/** What is recorded of answers, wherever they are cut and whoever leaves: one end, its reason, and the usage up to there. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { RecordEvent } from "../../src/domain/RecordEvent.ts"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as Json from "../../src/domain/Json.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import type { StreamedAnswer } from "../fixtures/AnswerFixture.ts"
import { after } from "../fixtures/AnswerFixture.ts"
import * as Answers from "../fixtures/Answers.ts"
import * as Calls from "./Calls.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"

const routes: Readonly<Record<string, string>> = {
  "anthropic-messages": "/anthropic/v1/messages",
  "openai-chat": "/openai/v1/chat/completions",
  "openai-responses": "/openai/v1/responses"
}

const requestTo = (dialect: string, stream: boolean) => ({
  path: routes[dialect] ?? "no route",
  request: { body: { model: "a-model", stream, messages: [{ role: "user", content: "Hello" }], input: "Hello" } }
})

/** As it stands in a stream: with a name where the dialect has names. */
const eventOf = ({ dialect }: StreamedAnswer, data: string): string => {
  const type = Json.member(Json.parse(data), "type")
  return `${dialect.terminalEvents.length > 0 && typeof type === "string" ? `event: ${type}\n` : ""}data: ${data}\n\n`
}

const kinds = (events: ReadonlyArray<RecordEvent>, tag: RecordEvent["_tag"]) =>
  events.filter(({ _tag }) => _tag === tag)

/** What was recorded between the start and the end, as the fixture says it. */
const recorded = Effect.map(Setup.records, (events) => {
  const usages = events.flatMap((event) => (event._tag === "TokenUsage" ? [event] : []))
  const [usage] = usages
  const ends = events.flatMap((event) => (event._tag === "InterceptionEnded" ? [event] : []))
  return {
    starts: kinds(events, "InterceptionStarted").length,
    usages: usages.length,
    reasons: ends.map(({ reason }) => reason),
    quality: ends.map(({ usageQuality }) => usageQuality),
    usage: usage?.usage,
    messageId: usage?.messageId,
    toolCalls: events.flatMap((event) => (event._tag === "ToolUsage" ? [event.call] : [])),
    thoughts: events.flatMap((event) => (event._tag === "ModelThought" ? [event.thought] : []))
  }
})

const expected = (answer: ReturnType<typeof after>, reason: string) => ({
  starts: 1,
  usages: answer.usage === undefined ? 0 : 1,
  reasons: [reason],
  quality: [answer.quality],
  usage: answer.usage,
  messageId: answer.usage === undefined ? undefined : answer.messageId,
  toolCalls: answer.toolCalls,
  thoughts: answer.thoughts
})

const cuts = Answers.streams.flatMap((stream) =>
  Array.from({ length: stream.steps.length + 1 }, (_, count) => ({ stream, name: stream.name, count }))
)

const isOver = ({ dialect, steps }: StreamedAnswer, count: number): boolean =>
  steps.slice(0, count).some(({ data }) => {
    const type = Json.member(Json.parse(data), "type")
    return dialect.isTerminalData(data) || (typeof type === "string" && dialect.terminalEvents.includes(type))
  })

describe("The record of a stream", () => {
  it.effect.each(cuts)("of which upstream sends $count events: $name", ({ stream, count }) => {
    const events = stream.steps.slice(0, count).map(({ data }) => eventOf(stream, data))
    const { path, request } = requestTo(stream.dialect.name, true)
    return Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)

      const reason = isOver(stream, count) ? "complete" : "upstream_cut"
      assert.deepStrictEqual(yield* recorded, expected(after(stream, count), reason))
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.events([...events, Failure.cut("ECONNRESET")])])))
  })

  it.effect.each(cuts)("that the client leaves after $count events: $name", ({ stream, count }) => {
    const events = stream.steps.slice(0, count).map(({ data }) => eventOf(stream, data))
    const { path, request } = requestTo(stream.dialect.name, true)
    return Effect.gen(function* () {
      const client = yield* Reader.open(path, request)
      yield* TestClock.adjust("1 second")
      yield* client.leave

      const reason = isOver(stream, count) ? "complete" : "client_gone"
      assert.deepStrictEqual(yield* recorded, expected(after(stream, count), reason))
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.events([...events, "hang"])])))
  })

  it.effect.each(cuts)("that is read on after the client has left after $count events: $name", ({ stream, count }) => {
    const events = stream.steps.map(({ data }) => eventOf(stream, data))
    const { path, request } = requestTo(stream.dialect.name, true)
    const steps = [...events.slice(0, count), Duration.seconds(5), ...events.slice(count)]
    return Effect.gen(function* () {
      const client = yield* Reader.open(path, request)
      yield* TestClock.adjust("1 second")
      yield* client.leave
      yield* TestClock.adjust("5 seconds")

      const isComplete = isOver(stream, count)
      const known = after(stream, isComplete ? count : stream.steps.length)
      assert.deepStrictEqual(yield* recorded, expected(known, isComplete ? "complete" : "client_gone"))
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.events(steps)], { options: { clientGone: "drain" } })))
  })
})

describe("The record of a whole answer", () => {
  it.effect.each(Answers.bodies)("has what it says: $name", ({ dialect, body, says }) => {
    const { path, request } = requestTo(dialect.name, false)
    return Effect.gen(function* () {
      const { text } = yield* TestGateway.fetch(path, request)

      assert.strictEqual(text, body)
      const { usage, toolCalls, thoughts, reasons } = yield* recorded
      assert.deepStrictEqual(
        { usage, toolCalls, thoughts, reasons },
        { usage: says.usage, toolCalls: says.toolCalls ?? [], thoughts: says.thoughts ?? [], reasons: ["complete"] }
      )
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.text(200, body, { "content-type": "application/json" })])))
  })
})

describe("The record of attempts", () => {
  it.effect.each(Calls.bridged)(
    "has each with its key, its status and its time, on $call",
    ({ path, request, ...call }) =>
      Effect.gen(function* () {
        const client = yield* Reader.open(path, request)
        yield* TestClock.adjust("10 seconds")
        yield* client.leave

        const attempts = (yield* Setup.records).flatMap((event) => (event._tag === "AttemptEnded" ? [event] : []))
        assert.deepStrictEqual(
          attempts.map(({ number, credentialHint, status, failure, duration }) => [
            number,
            credentialHint,
            status,
            failure,
            duration
          ]),
          [
            [1, Setup.hint(0), 429, undefined, 2_000],
            [2, Setup.hint(1), 200, undefined, 0]
          ]
        )
        const [prompt] = (yield* Setup.records).flatMap((event) => (event._tag === "PromptUsage" ? [event.text] : []))
        assert.match(prompt ?? "none", /^(?:Hello|Weather in Paris and Rome\?)$/)
        assert.deepStrictEqual((yield* Setup.ended)[0]?.status, 200)
      }).pipe(Effect.provide(Setup.layer([Effect.delay(call.fixture.error(429), "2 seconds"), call.good])))
  )
})
