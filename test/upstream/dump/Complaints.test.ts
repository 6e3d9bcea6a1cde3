import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { Complaints } from "../../../src/upstream/dump/Complaints.ts"
import * as Logs from "../../gateway/Logs.ts"

const said = (lines: ReadonlyArray<Logs.Line>) => lines.map(({ message }) => message)

describe("What cannot be written", () => {
  it.effect("is said once, with the code and where", () =>
    Effect.gen(function* () {
      const complaints = new Complaints({ provider: "openai", directory: "/dumps/openai" })

      const lines = yield* Logs.of(
        Effect.gen(function* () {
          yield* complaints.say("one", "ENOSPC")
          yield* TestClock.adjust("1 day")
          yield* complaints.say("two", "ENOSPC")
        })
      )

      const annotations = { provider: "openai", directory: "/dumps/openai", code: "ENOSPC" }
      assert.deepStrictEqual(lines, [{ level: "WARN", message: "one", annotations }])
    })
  )

  it.effect("is said again if it had worked in between, and a minute has passed", () =>
    Effect.gen(function* () {
      const complaints = new Complaints({})

      const lines = yield* Logs.of(
        Effect.gen(function* () {
          yield* complaints.say("one")
          yield* complaints.worksAgain
          yield* TestClock.adjust("59.999 seconds")
          yield* complaints.say("two")
          yield* TestClock.adjust("1 millis")
          yield* complaints.say("three")
          yield* TestClock.adjust("1 hour")
          yield* complaints.say("four")
        })
      )

      assert.deepStrictEqual(said(lines), ["one", "three"])
    })
  )
})
