import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"

/** How many sleeps are under way while an effect runs, at any moment. */
const countingSleeps = <A, E, R>(use: (sleeping: () => number) => Effect.Effect<A, E, R>) =>
  Effect.clockWith((clock) => {
    let sleeping = 0
    const counting: Clock.Clock = {
      currentTimeMillis: clock.currentTimeMillis,
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
      currentTimeNanos: clock.currentTimeNanos,
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos,
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      sleep: (duration) =>
        Effect.acquireUseRelease(
          Effect.sync(() => sleeping++),
          () => clock.sleep(duration),
          () => Effect.sync(() => sleeping--)
        )
    }
    return use(() => sleeping).pipe(Effect.provideService(Clock.Clock, counting))
  })

describe("The watch over a stream's silence", () => {
  const ends = [
    { behaviour: "the stream", length: undefined },
    { behaviour: "a stream that was cut", length: 3 }
  ]

  it.effect.each(Table.times(Calls.streams, ends))(
    "ends with $behaviour, on $call",
    ({ path, request, fixture, length }) =>
      countingSleeps((sleeping) =>
        Effect.gen(function* () {
          yield* TestGateway.fetch(path, request)
          yield* TestGateway.fetch(path, request)

          assert.strictEqual(sleeping(), 0)
        })
      ).pipe(Effect.provide(Setup.layer(() => ScriptedUpstream.events(fixture.events.slice(0, length)))))
  )

  it.effect.each(Calls.unchangedStreams)(
    "is one sleep where there are pings, none without them, and ends when the client leaves, on $call",
    ({ path, request, fixture }) =>
      countingSleeps((sleeping) =>
        Effect.gen(function* () {
          const client = yield* Reader.open(path, request)
          yield* Effect.yieldNow
          assert.strictEqual(sleeping(), fixture.ping === undefined ? 0 : 1)

          yield* client.leave

          assert.strictEqual(sleeping(), 0)
        })
      ).pipe(Effect.provide(Setup.layer([ScriptedUpstream.events([...fixture.events.slice(0, 1), "hang"])])))
  )
})

describe("A stream in a dialect without pings", () => {
  const streams = Calls.streams.filter(({ fixture }) => fixture.ping === undefined)

  it.effect.each(streams)("stays silent as long as its upstream, on $call", ({ path, request, fixture }) => {
    const [event = "", ...rest] = fixture.events
    return Effect.gen(function* () {
      const { chunks, text } = yield* Reader.open(path, request)

      yield* TestClock.adjust("29 minutes")
      assert.deepStrictEqual(chunks, [{ at: 0, text: event }])
      yield* TestClock.adjust("29 minutes")
      assert.strictEqual(text(), fixture.streamText)
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.events([event, Duration.minutes(58), ...rest])])))
  })
})
