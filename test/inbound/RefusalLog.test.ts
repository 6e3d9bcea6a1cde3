import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as GatewayError from "../../src/domain/GatewayError.ts"
import * as RefusalLog from "../../src/inbound/RefusalLog.ts"
import * as Logs from "../gateway/Logs.ts"

const limited = (actor?: string) =>
  GatewayError.make(new GatewayError.RateLimited({ retryAfter: Duration.zero, ...(actor && { actor }) }))

/** Whom the lines name, and how many were left out. */
const named = (lines: ReadonlyArray<Logs.Line>) =>
  lines.map(({ annotations }) => [annotations["actor"], annotations["suppressed"] ?? 0])

describe("RefusalLog.make", () => {
  it.effect("keeps no more than it may, and has room again for one when its time is over", () =>
    Effect.gen(function* () {
      const { tell } = RefusalLog.make({ maximumEntries: 2 })
      const all = Effect.forEach(["ada", "bob", "eve", "eve", "bob"], (actor) => tell(limited(actor), "anthropic"))

      const lines = yield* Logs.of(
        Effect.gen(function* () {
          yield* all
          yield* TestClock.adjust("10 seconds")
          yield* tell(limited("bob"), "anthropic")
          yield* tell(limited("eve"), "anthropic")
          yield* tell(limited("ada"), "anthropic")
          yield* tell(limited("bob"), "anthropic")
        })
      )

      assert.deepStrictEqual(named(lines), [
        ["ada", 0],
        ["bob", 0],
        ["bob", 1],
        ["eve", 0]
      ])
    })
  )

  it.effect("has room again for one whose line is the oldest, not its first", () =>
    Effect.gen(function* () {
      const { tell } = RefusalLog.make({ maximumEntries: 2 })

      const lines = yield* Logs.of(
        Effect.gen(function* () {
          yield* tell(limited("ada"), "anthropic")
          yield* TestClock.adjust("1 second")
          yield* tell(limited("bob"), "anthropic")
          yield* TestClock.adjust("9 seconds")
          yield* tell(limited("ada"), "anthropic")
          yield* TestClock.adjust("1 second")
          yield* tell(limited("eve"), "anthropic")
        })
      )

      assert.deepStrictEqual(
        named(lines).map(([actor]) => actor),
        ["ada", "bob", "ada", "eve"]
      )
    })
  )

  it.effect("tells reasons apart of the same actor", () =>
    Effect.gen(function* () {
      const { tell } = RefusalLog.make()
      const expired = new GatewayError.Unauthorized({ detail: "expired", actor: "ada" })

      const lines = yield* Logs.of(
        Effect.andThen(tell(limited("ada"), "anthropic"), tell(GatewayError.make(expired), "anthropic"))
      )

      assert.deepStrictEqual(
        lines.map(({ annotations }) => annotations["reason"]),
        ["rate_limited", "unauthorized"]
      )
    })
  )

  it.effect("can have another interval, and need not know who it is", () =>
    Effect.gen(function* () {
      const { tell } = RefusalLog.make({ interval: Duration.seconds(1) })

      const lines = yield* Logs.of(
        Effect.gen(function* () {
          yield* tell(limited(), "anthropic")
          yield* TestClock.adjust("999 millis")
          yield* tell(limited(), "anthropic")
          yield* TestClock.adjust("1 millis")
          yield* tell(limited(), "anthropic")
        })
      )

      assert.deepStrictEqual(named(lines), [
        [undefined, 0],
        [undefined, 1]
      ])
    })
  )
})
