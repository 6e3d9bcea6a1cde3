/**
 * One owner of the response head: whatever the order in which upstreams, tools, keep-alives and clients come to their turn, an answer
 * is either a status with its JSON, or a stream with an error event at its end, and never both.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import type { Next } from "../dialects/RandomJson.ts"
import * as Splits from "../Splits.ts"
import * as Setup from "./Setup.ts"
import * as TestTools from "./TestTools.ts"
import * as ToolTalk from "./ToolTalk.ts"

const rounds = 1_000

const list = "bmcp_srv_list"

/** Whatever an answer was, it now comes in its own time: its head, and its body in pieces. */
const atRandom = (next: Next, answer: ScriptedUpstream.Answer): ScriptedUpstream.Answer => {
  const pause = () => Duration.millis(next(3) === 0 ? next(15_000) : next(3))
  return Effect.delay(
    Effect.map(answer, (response) => {
      const pieces = response.body.pipe(
        Stream.flatMap((chunk) => {
          const at = next(chunk.length + 1)
          return Stream.fromIterable([chunk.subarray(0, at), chunk.subarray(at)])
        }),
        Stream.mapEffect((piece) => Effect.delay(Effect.succeed(piece), pause()))
      )
      return next(4) === 0 ? response : { ...response, whole: undefined, body: pieces }
    }),
    pause()
  )
}

const limited = (answer: ScriptedUpstream.Answer, retryAfter: number) =>
  Effect.map(answer, (response) => ({
    ...response,
    headers: { ...response.headers, "retry-after": String(retryAfter) }
  }))

/** What comes of one request, and what was seen on the way. */
const outcome = (
  seed: number,
  { talk, stream }: (typeof ToolTalk.rows)[number],
  later: ReadonlyArray<"429" | "done">
) => {
  const next = Splits.random(seed)
  const hasPreamble = next(2) === 0
  const answers = [
    talk.calls(stream, hasPreamble ? "I look." : "", [list, "{}"]),
    ...later.map((kind, index) =>
      kind === "done"
        ? talk.says(stream, "done")
        : limited(talk.error(429, "rate_limit_error"), index === 0 ? 50_005 : 50_003)
    )
  ].map((answer) => atRandom(next, answer))
  const tools = TestTools.make(() => Effect.delay(Effect.succeed(TestTools.text("x")), Duration.millis(next(20_000))))
  const ask = Effect.scoped(
    Effect.gen(function* () {
      const { status, headers, stream: body } = yield* TestGateway.request(talk.path, talk.request(stream))
      const slow = Stream.mapEffect(body, (chunk) =>
        Effect.delay(Effect.succeed(chunk), Duration.millis(next(2) * next(900)))
      )
      return { status, retryAfter: headers["retry-after"], text: yield* Stream.mkString(Stream.decodeText(slow)) }
    })
  )
  return Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(ask)
    for (let turn = 0; turn < 10_000 && fiber.pollUnsafe() === undefined; turn++) yield* TestClock.adjust("1 second")
    const answer = yield* Fiber.join(fiber)
    const keys = yield* Setup.keysSeen
    const reasons = yield* Setup.reasons
    return { ...answer, keys, reasons, isStream: !answer.text.startsWith("{") }
  }).pipe(
    Effect.provide(Setup.layer(answers, { tools: [tools.source] })),
    Effect.provideService(Scheduler.MaxOpsBeforeYield, 3 + next(60))
  )
}

const rowOf = (seed: number) => ToolTalk.rows[seed % ToolTalk.rows.length] ?? assert.fail("no rows")

const errors = /all configured keys are rate-limited/g

describe("A thousand times, in whatever order things happen,", () => {
  it.effect.each([
    { what: "the first key", later: ["done"] as const, keys: [0, 0] },
    { what: "the second key, if the first one is limited", later: ["429", "done"] as const, keys: [0, 0, 1] }
  ])(
    "a tool's call is followed by its answer, with $what",
    ({ later, keys: expected }) =>
      Effect.gen(function* () {
        for (let seed = 0; seed < rounds; seed++) {
          const row = rowOf(seed)
          const { status, text, keys, reasons } = yield* outcome(seed, row, later)

          const ends = row.talk.textIn(row.stream, text).endsWith("done")
          const found = { seed, status, keys, reasons, ends }
          assert.deepStrictEqual(found, { seed, status: 200, keys: expected, reasons: ["complete"], ends: true })
        }
      }),
    120_000
  )

  it.effect(
    "an exhausted pool is an error event once a byte was sent, and else a 429",
    () =>
      Effect.gen(function* () {
        let events = 0
        for (let seed = 0; seed < rounds; seed++) {
          const row = rowOf(seed)
          const { status, retryAfter, text, keys, reasons, isStream } = yield* outcome(seed, row, ["429", "429"])

          const said = text.match(errors)?.length
          assert.deepStrictEqual({ seed, keys, reasons }, { seed, keys: [0, 0, 1], reasons: ["exhausted"] })
          assert.deepStrictEqual({ seed, said }, { seed, said: 1 })
          assert.deepStrictEqual({ seed, status }, { seed, status: isStream ? 200 : 429 })
          if (isStream) {
            events++
            assert.match(text.split("\n\n").at(-2) ?? "", errors)
          } else {
            assert.match(retryAfter ?? "", /^[1-9]\d*$/)
            assert.isDefined(JSON.parse(text).error)
          }
        }
        assert.isAbove(events, 0)
        assert.isBelow(events, rounds)
      }),
    120_000
  )
})
