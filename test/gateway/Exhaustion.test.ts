import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../relay/Table.ts"
import * as Calls from "./Calls.ts"
import * as Fixture from "./Fixture.ts"
import * as Setup from "./Setup.ts"

/** The whole answer, but for the interception's id. */
const answer = Effect.fnUntraced(function* ({ path, request }: Pick<Calls.Call, "path" | "request">) {
  const { status, headers, text } = yield* TestGateway.fetch(path, request)
  const { "x-aibridge-interception-id": _, ...rest } = headers
  return { status, text, headers: rest }
})

const limited = (retryAfter: string, text: string) => {
  const body = Fixture.errorText("rate_limit_error", `all configured keys are rate-limited (retry after ${text})`)
  return {
    status: 429,
    text: body,
    headers: {
      "content-type": "application/json",
      "content-length": String(body.length),
      "retry-after": retryAfter
    }
  }
}

const refusedText = Fixture.errorText("api_error", "all configured keys failed authentication")
const refused = {
  status: 502,
  text: refusedText,
  headers: {
    "content-type": "application/json",
    "content-length": String(refusedText.length),
    "x-should-retry": "false"
  }
}

const rows: ReadonlyArray<{
  readonly behaviour: string
  readonly script: ReadonlyArray<ScriptedUpstream.Answer>
  readonly expected: typeof refused | ReturnType<typeof limited>
}> = [
  {
    behaviour: "all keys are limited",
    script: [Fixture.error(429, "5"), Fixture.error(429, "3"), Fixture.error(429, "10")],
    expected: limited("3", "3s")
  },
  {
    behaviour: "all keys are limited without a time",
    script: [Fixture.error(429), Fixture.error(429), Fixture.error(429)],
    expected: limited("60", "1m0s")
  },
  {
    behaviour: "the soonest key is back in a part of a second",
    script: [Fixture.error(429, "5"), Fixture.error(429, "0.2"), Fixture.error(429, "10")],
    expected: limited("1", "200ms")
  },
  {
    behaviour: "the soonest key is back in seconds and a part",
    script: [Fixture.error(429, "5"), Fixture.error(429, "2.5"), Fixture.error(429, "10")],
    expected: limited("3", "2.5s")
  },
  {
    behaviour: "all keys are refused",
    script: [Fixture.error(401), Fixture.error(403), Fixture.error(401, "60")],
    expected: refused
  },
  {
    behaviour: "one key is limited and the others are refused",
    script: [Fixture.error(401), Fixture.error(429, "4"), Fixture.error(403)],
    expected: limited("4", "4s")
  }
]

describe("The answer", () => {
  it.effect.each(Table.times(Calls.all, rows))(
    "to $call when $behaviour is exact",
    ({ path, request, expected, script }) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* answer({ path, request }), expected)
        assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, 2])
      }).pipe(Effect.provide(Setup.layer(script, { keys: 3 })))
  )

  it.effect.each(Table.times(Calls.all, rows))(
    "to a later one like $call when $behaviour is the same, and the upstream is not asked",
    ({ path, request, expected, script }) =>
      Effect.gen(function* () {
        yield* TestGateway.fetch(Setup.models)

        assert.deepStrictEqual(yield* answer({ path, request }), expected)
        assert.lengthOf(yield* Setup.requests, 3)
      }).pipe(Effect.provide(Setup.layer(script, { keys: 3 })))
  )
})

describe("An exhaustion without an attempt", () => {
  it.effect("is recorded with no attempt and no key", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(Setup.models)

      yield* TestGateway.fetch(Setup.messages, Setup.blocking)

      const [end] = yield* Setup.ended
      assert.deepInclude(end, { reason: "exhausted", attempts: 0, credentialHint: undefined })
    }).pipe(Effect.provide(Setup.layer([Fixture.error(429, "5")], { keys: 1 })))
  )

  it.effect("names what remains of the rest, rounded up", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(Setup.models)
      yield* TestClock.adjust(1_001)

      assert.deepStrictEqual(yield* answer(Calls.blocking), limited("4", "3.999s"))
    }).pipe(Effect.provide(Setup.layer([Fixture.error(429, "5")], { keys: 1 })))
  )
})
