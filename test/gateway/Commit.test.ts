import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Splits from "../Splits.ts"
import * as Calls from "./Calls.ts"
import type { Fixture } from "./Fixture.ts"
import * as Setup from "./Setup.ts"
import * as Sse from "./Sse.ts"

type Next = (limit: number) => number

const pause = (next: Next): Duration.Duration => Duration.millis([0, 0, 1, 10, 9_999, 10_000, 25_000][next(7)] ?? 0)

/** Text in random pieces with random pauses between them. */
const pieces = (text: string, next: Next): ReadonlyArray<ScriptedUpstream.Step> =>
  Splits.splitRandomly(Splits.bytes(text), next(1_000_000), 100 + next(600)).flatMap((piece) =>
    next(5) === 0 ? [pause(next), piece] : [piece]
  )

/** A stream that ends in any of the ways a stream can end. */
const stream = ({ events, streamText, upstreamErrorEvent }: Fixture, next: Next): ScriptedUpstream.Answer => {
  const cutAt = next(streamText.length)
  const count = next(events.length)
  switch (next(6)) {
    case 0:
      return ScriptedUpstream.events([...pieces(streamText.slice(0, cutAt), next), Failure.cut("ECONNRESET")])
    case 1:
      return ScriptedUpstream.events([...pieces(streamText.slice(0, cutAt), next), Failure.timedOut()])
    case 2:
      return ScriptedUpstream.events(pieces(events.slice(0, count).join(""), next))
    case 3:
      return ScriptedUpstream.events(pieces(events.slice(0, count).join("") + upstreamErrorEvent, next))
    default:
      return ScriptedUpstream.events(pieces(streamText, next))
  }
}

const refusal = (fixture: Fixture, status: number, next: Next): ScriptedUpstream.Answer =>
  next(2) === 0
    ? fixture.error(status, String(1 + next(90)))
    : ScriptedUpstream.streamed(status, pieces(fixture.upstreamErrorText(status), next))

const failures = [Failure.unreachable("ECONNREFUSED"), Failure.cut("UND_ERR_SOCKET"), Failure.timedOut()]

const answer = (fixture: Fixture, next: Next): ScriptedUpstream.Answer => {
  const status = [429, 429, 429, 401, 403, 500, 529, 0, 200, 200, 200][next(11)] ?? 0
  const failure = failures[next(3)] ?? Failure.timedOut()
  const made =
    status === 200
      ? stream(fixture, next)
      : status === 0
        ? ScriptedUpstream.failure(failure)
        : refusal(fixture, status, next)
  return Effect.delay(made, pause(next))
}

/** What kind of answer it is: wholly an error, or wholly a stream that ended in one way. Anything else is an assertion. */
const kindOf = (response: {
  readonly status: number
  readonly headers: TestGateway.TestResponse["headers"]
  readonly text: string
}): string => {
  const { status, headers, text } = response
  if (status !== 200) {
    const body: unknown = JSON.parse(text)
    assert.isAtLeast(status, 400)
    assert.property(body, "error")
    return String(status)
  }
  const events = Sse.parse(text).filter(({ name }) => name !== "ping")
  const ends = events.map(endOf)
  assert.match(headers["content-type"] ?? "", /^text\/event-stream/)
  assert.deepStrictEqual(
    ends.filter((end) => end !== undefined),
    ends.slice(-1)
  )
  return ends.at(-1) ?? "nothing"
}

/** How an event ends a stream, if it does. */
const endOf = ({ name, data }: Sse.Event): "last" | "error" | undefined => {
  if (name === "message_stop" || name === "response.completed" || data === "[DONE]") return "last"
  const isError = name === undefined && typeof data === "object" && data !== null && "error" in data
  return name === "error" || isError ? "error" : undefined
}

/** One or two clients at one gateway, each coming when it likes. */
const scenario = Effect.fnUntraced(function* ({ path, request, fixture }: Calls.Call, seed: number) {
  const next = Splits.random(seed)
  const client = Effect.delay(TestGateway.fetch(path, request), pause(next))
  const clients = Array.from({ length: 1 + next(2) }, () => client)

  return yield* Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.all(clients, { concurrency: "unbounded" }), {
      startImmediately: true
    })
    yield* TestClock.adjust("1 hour")
    const responses = yield* Fiber.join(fiber)

    assert.lengthOf(yield* Setup.started, clients.length)
    assert.lengthOf(yield* Setup.ended, clients.length)
    return responses.map(kindOf)
  }).pipe(Effect.provide(Setup.layer(() => answer(fixture, next), { keys: 1 + next(4) })))
})

describe("Whatever happens when", () => {
  it.effect.each(Calls.unchangedStreams)(
    "an answer to $call is one JSON error or one stream that ends once, never a mix and never two errors",
    (call) =>
      Effect.gen(function* () {
        const counts: Record<string, number> = {}
        for (let seed = 1; seed <= 400; seed++) {
          const kinds = yield* Effect.catchDefect(scenario(call, seed), (defect) =>
            Effect.die(new Error(`seed ${seed}: ${String(defect)}`, { cause: defect }))
          )
          for (const kind of kinds) counts[kind] = (counts[kind] ?? 0) + 1
        }

        // All of the ways must have been gone.
        for (const kind of ["429", "500", "502", "504", "529", "last", "error"]) {
          assert.isAbove(counts[kind] ?? 0, 5, kind)
        }
      })
  )
})
