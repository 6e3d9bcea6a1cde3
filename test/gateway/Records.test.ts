import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Duration from "effect/Duration"
import * as TestClock from "effect/testing/TestClock"
import type { EndReason } from "../../src/domain/Interception.ts"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import type { Fixture } from "./Fixture.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

const second = Duration.seconds(1)
const later = (answer: ScriptedUpstream.Answer) => Effect.delay(answer, second)

interface Row {
  readonly behaviour: string
  readonly script: ReadonlyArray<ScriptedUpstream.Answer>
  /** When the client leaves, in milliseconds. Default: it stays. */
  readonly leaves?: number
  readonly end: {
    readonly reason: EndReason
    readonly attempts: number
    readonly credentialHint: string
    readonly at: number
  }
}

const end = (reason: EndReason, attempts: number, at: number): Row["end"] => ({
  reason,
  attempts,
  credentialHint: Setup.hint(attempts - 1),
  at
})

const rowsIn = ({ events: [first = "", ...others], answer200, stream200, error }: Fixture): ReadonlyArray<Row> => [
  { behaviour: "a whole answer", script: [later(answer200)], end: end("complete", 1, 1_000) },
  {
    behaviour: "an answer in pieces",
    script: [ScriptedUpstream.streamed(200, ["{", second, "}"])],
    end: end("complete", 1, 1_000)
  },
  {
    behaviour: "a stream",
    script: [ScriptedUpstream.events([first, second, ...others])],
    end: end("complete", 1, 1_000)
  },
  {
    behaviour: "an answer after two failovers",
    script: [later(error(429)), later(error(401)), later(stream200)],
    end: end("complete", 3, 3_000)
  },
  { behaviour: "an error of the upstream's", script: [later(error(500))], end: end("complete", 1, 1_000) },
  {
    behaviour: "an exhaustion",
    script: [later(error(429)), later(error(401)), error(403)],
    end: end("exhausted", 3, 2_000)
  },
  {
    behaviour: "an upstream that refuses the connection",
    script: [later(ScriptedUpstream.failure(Failure.unreachable("ECONNREFUSED")))],
    end: end("upstream_error", 1, 1_000)
  },
  {
    behaviour: "an upstream that is silent too long for the second key",
    script: [error(429), later(ScriptedUpstream.failure(Failure.timedOut()))],
    end: end("upstream_error", 2, 1_000)
  },
  {
    behaviour: "a stream that is cut",
    script: [ScriptedUpstream.events([first, second, Failure.cut("ECONNRESET")])],
    end: end("upstream_cut", 1, 1_000)
  },
  {
    behaviour: "a stream without its last event",
    script: [ScriptedUpstream.events([first, second])],
    end: end("upstream_cut", 1, 1_000)
  },
  {
    behaviour: "an answer that is cut",
    script: [ScriptedUpstream.streamed(200, ["{", second, Failure.cut("ECONNRESET")])],
    end: end("upstream_cut", 1, 1_000)
  },
  {
    behaviour: "a client that leaves before the head",
    script: [ScriptedUpstream.silence],
    leaves: 700,
    end: end("client_gone", 1, 700)
  },
  {
    behaviour: "a client that leaves before the second key's head",
    script: [error(429), ScriptedUpstream.silence],
    leaves: 700,
    end: end("client_gone", 2, 700)
  },
  {
    behaviour: "a client that leaves within a stream",
    script: [ScriptedUpstream.events([first, "hang"])],
    leaves: 700,
    end: end("client_gone", 1, 700)
  },
  {
    behaviour: "a client that leaves within an answer",
    script: [ScriptedUpstream.streamed(200, ["{", "hang"])],
    leaves: 700,
    end: end("client_gone", 1, 700)
  }
]

const rows = Calls.unchangedStreams.flatMap((call) => Table.times([call], rowsIn(call.fixture)))

describe("The record", () => {
  it.effect.each(rows)("of $behaviour to $call has one start and one end", (row) =>
    Effect.gen(function* () {
      const client = yield* Reader.open(row.path, row.request)
      yield* TestClock.adjust(row.leaves ?? 10_000)
      yield* client.leave
      yield* TestClock.adjust("1 hour")

      const id = (yield* Setup.started)[0]?.id ?? "none"
      const [first, ...between] = yield* Setup.records
      const last = between.pop()
      assert.deepStrictEqual(
        [first, last],
        [
          {
            _tag: "InterceptionStarted",
            id,
            at: 0,
            actor: { id: "anonymous", metadata: {} },
            provider: row.vendor.name,
            providerType: row.vendor.name,
            endpoint: row.path.slice(row.vendor.name.length + 1),
            model: row.fixture.model,
            stream: true,
            credentialKind: "centralized",
            client: "Unknown",
            userAgent: undefined,
            clientSessionId: undefined,
            correlatingToolCallId: undefined
          },
          {
            _tag: "InterceptionEnded",
            id,
            status: last?._tag === "InterceptionEnded" ? last.status : undefined,
            usageQuality: last?._tag === "InterceptionEnded" ? last.usageQuality : "none",
            ...row.end
          }
        ]
      )
    }).pipe(Effect.provide(Setup.layer(row.script, { keys: 3 })))
  )

  it.effect.each(Calls.bridged)(
    "begins before the upstream is called, and ends with the answer, on $call",
    ({ path, request, good }) =>
      Effect.gen(function* () {
        yield* Reader.open(path, request)
        assert.deepStrictEqual(
          (yield* Setup.records).map((event) => event._tag),
          ["InterceptionStarted"]
        )

        yield* TestClock.adjust("1 second")

        assert.deepStrictEqual(yield* Setup.reasons, ["complete"])
      }).pipe(Effect.provide(Setup.layer([later(good)])))
  )

  it.effect("is never one of a passthrough request", () =>
    Effect.gen(function* () {
      for (const { prefix, models } of Vendors.pooled) yield* TestGateway.fetch(prefix + models)
      yield* TestGateway.fetch("/anthropic/v1/messages/count_tokens", Calls.blocking.request)
      yield* TestGateway.fetch("/openai/v1/responses/resp_1/cancel", { method: "POST" })

      assert.lengthOf(yield* Setup.requests, 5)
      assert.deepStrictEqual(yield* Setup.records, [])
    }).pipe(Effect.provide(Setup.layer(() => Calls.passthrough.good)))
  )

  it.effect.each(Calls.streams)(
    "of $call and a blocking one at once are two, each with its own id",
    ({ path, fixture }) =>
      Effect.gen(function* () {
        yield* Effect.all([Reader.open(path, fixture.streaming), Reader.open(path, fixture.blocking)])
        yield* TestClock.adjust("10 seconds")

        const [starts, ends] = [yield* Setup.started, yield* Setup.ended]
        assert.deepStrictEqual(
          starts.map((event) => event.stream),
          [true, false]
        )
        assert.deepStrictEqual(new Set(starts.map((event) => event.id)), new Set(ends.map((event) => event.id)))
        assert.lengthOf(ends, 2)
      }).pipe(Effect.provide(Setup.layer([later(fixture.stream200), fixture.answer200])))
  )
})
