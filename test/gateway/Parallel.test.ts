import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import type * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import * as Logs from "./Logs.ts"
import * as Setup from "./Setup.ts"

/** Every answer takes 10 ms; the first `limited` keys are limited for a minute. */
const script =
  ({ good, fixture }: Calls.Call, limited: number) =>
  (request: ScriptedUpstream.SeenRequest): ScriptedUpstream.Answer => {
    const key = Setup.keyOf(request)
    return Effect.delay(typeof key === "number" && key < limited ? fixture.error(429, "60") : good, "10 millis")
  }

const many = (count: number, { path, request }: Calls.Call) =>
  Effect.forkChild(
    Effect.forEach(Array.from({ length: count }), () => TestGateway.fetch(path, request), {
      concurrency: "unbounded"
    }),
    { startImmediately: true }
  )

/** How many attempts each key saw. */
const attempts = Effect.map(Setup.keysSeen, (seen) =>
  [0, 1, 2].map((index) => seen.filter((key) => key === index).length)
)

describe("200 parallel requests", () => {
  it.effect.each(Calls.all)("all succeed while the first key is limited, like $call", (call) =>
    Effect.gen(function* () {
      const fiber = yield* many(200, call)
      yield* TestClock.adjust("1 second")

      const answers = yield* Fiber.join(fiber)
      assert.lengthOf(answers, 200)
      for (const { status, text } of answers) assert.deepStrictEqual({ status, text }, { status: 200, text: call.text })
      assert.deepStrictEqual(yield* attempts, [200, 200, 0])
      assert.deepStrictEqual(yield* Setup.states(call.vendor), ["Temporary", "Valid", "Valid"])
    }).pipe(Effect.provide(Setup.layer(script(call, 1), { keys: 3 })))
  )

  it.effect("use the limited key no more once its limit is known", () =>
    Effect.gen(function* () {
      const early = yield* many(50, Calls.blocking)
      yield* TestClock.adjust(10)
      const late = yield* many(150, Calls.blocking)
      yield* TestClock.adjust("1 second")

      const answers = [...(yield* Fiber.join(early)), ...(yield* Fiber.join(late))]
      assert.deepStrictEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
      assert.deepStrictEqual(yield* attempts, [50, 200, 0])
    }).pipe(Effect.provide(Setup.layer(script(Calls.blocking, 1), { keys: 3 })))
  )

  it.effect("walk over two limited keys, each marked and told once", () =>
    Effect.gen(function* () {
      const lines = yield* Logs.of(
        Effect.gen(function* () {
          const fiber = yield* many(200, Calls.streaming)
          yield* TestClock.adjust("1 second")
          yield* Fiber.join(fiber)
        })
      )

      assert.deepStrictEqual(yield* attempts, [200, 200, 200])
      assert.deepStrictEqual(
        lines.map((line) => line.annotations["api_key_hint"]),
        [Setup.hint(0), Setup.hint(1)]
      )
      assert.deepStrictEqual(
        yield* Setup.reasons,
        Array.from({ length: 200 }, () => "complete" as const)
      )
    }).pipe(Effect.provide(Setup.layer(script(Calls.streaming, 2), { keys: 3 })))
  )

  it.effect("all get 429 with the recovery when every key is limited", () =>
    Effect.gen(function* () {
      const fiber = yield* many(200, Calls.passthrough)
      yield* TestClock.adjust(30)

      const answers = yield* Fiber.join(fiber)
      const facts = answers.map(({ status, headers }) => `${status} ${headers["retry-after"]}`)
      assert.deepStrictEqual(new Set(facts), new Set(["429 60"]))
      assert.deepStrictEqual(yield* attempts, [200, 200, 200])
    }).pipe(Effect.provide(Setup.layer(script(Calls.passthrough, 3), { keys: 3 })))
  )
})
