import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import type { Fixture } from "./Fixture.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

/** The whole answer, but for the interception's id. */
const answer = Effect.fnUntraced(function* ({ path, request }: Pick<Calls.Call, "path" | "request">) {
  const { status, headers, text } = yield* TestGateway.fetch(path, request)
  const { "x-aibridge-interception-id": _, ...rest } = headers
  return { status, text, headers: rest }
})

const limited = (retryAfter: string, text: string) => (fixture: Fixture) => {
  const body = fixture.errorText(429, `all configured keys are rate-limited (retry after ${text})`)
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

const refused = (fixture: Fixture) => {
  const body = fixture.errorText(502, "all configured keys failed authentication")
  return {
    status: 502,
    text: body,
    headers: {
      "content-type": "application/json",
      "content-length": String(body.length),
      "x-should-retry": "false"
    }
  }
}

const rows: ReadonlyArray<{
  readonly behaviour: string
  readonly script: ReadonlyArray<readonly [status: number, retryAfter?: string]>
  readonly expected: typeof refused | ReturnType<typeof limited>
}> = [
  {
    behaviour: "all keys are limited",
    script: [
      [429, "5"],
      [429, "3"],
      [429, "10"]
    ],
    expected: limited("3", "3s")
  },
  {
    behaviour: "all keys are limited without a time",
    script: [[429], [429], [429]],
    expected: limited("60", "1m0s")
  },
  {
    behaviour: "the soonest key is back in a part of a second",
    script: [
      [429, "5"],
      [429, "0.2"],
      [429, "10"]
    ],
    expected: limited("1", "200ms")
  },
  {
    behaviour: "the soonest key is back in seconds and a part",
    script: [
      [429, "5"],
      [429, "2.5"],
      [429, "10"]
    ],
    expected: limited("3", "2.5s")
  },
  {
    behaviour: "all keys are refused",
    script: [[401], [403], [401, "60"]],
    expected: refused
  },
  {
    behaviour: "one key is limited and the others are refused",
    script: [[401], [429, "4"], [403]],
    expected: limited("4", "4s")
  }
]

describe("The answer", () => {
  it.effect.each(Table.times(Calls.all, rows))(
    "to $call when $behaviour is exact",
    ({ path, request, fixture, expected, script }) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* answer({ path, request }), expected(fixture))
        assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, 2])
      }).pipe(
        Effect.provide(
          Setup.layer(
            script.map((refusal) => fixture.error(...refusal)),
            { keys: 3 }
          )
        )
      )
  )

  it.effect.each(Table.times(Calls.all, rows))(
    "to a later one like $call when $behaviour is the same, and the upstream is not asked",
    ({ path, request, vendor, fixture, expected, script }) =>
      Effect.gen(function* () {
        yield* TestGateway.fetch(vendor.prefix + vendor.models)

        assert.deepStrictEqual(yield* answer({ path, request }), expected(fixture))
        assert.lengthOf(yield* Setup.requests, 3)
      }).pipe(
        Effect.provide(
          Setup.layer(
            script.map((refusal) => fixture.error(...refusal)),
            { keys: 3 }
          )
        )
      )
  )
})

describe("The body of an exhaustion", () => {
  const limitedText = "all configured keys are rate-limited (retry after 5s)"
  const refusedText = "all configured keys failed authentication"
  const openai = Calls.all.filter(({ vendor }) => vendor.fixture !== Vendors.anthropic.fixture)
  const anthropic = Calls.all.filter(({ vendor }) => vendor.fixture === Vendors.anthropic.fixture)

  it.effect.each([
    ...Table.times(anthropic, [
      { status: 429, body: `{"type":"error","error":{"type":"rate_limit_error","message":"${limitedText}"}}` },
      { status: 401, body: `{"type":"error","error":{"type":"api_error","message":"${refusedText}"}}` }
    ]),
    ...Table.times(openai, [
      {
        status: 429,
        body: `{"error":{"message":"${limitedText}","param":null,"type":"rate_limit_error","code":"rate_limit_exceeded"}}`
      },
      {
        status: 401,
        body: `{"error":{"message":"${refusedText}","param":null,"type":"api_error","code":"server_error"}}`
      }
    ])
  ])("of $call after $status is the provider's, byte for byte", ({ path, request, fixture, status, body }) =>
    Effect.gen(function* () {
      const { text } = yield* TestGateway.fetch(path, request)

      assert.strictEqual(text, body)
    }).pipe(Effect.provide(Setup.layer([fixture.error(status, "5")], { keys: 1 })))
  )
})

describe("An exhaustion without an attempt", () => {
  it.effect.each(Calls.bridged)("is recorded with no attempt and no key, after $call", ({ path, request, fixture }) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)

      yield* TestGateway.fetch(path, request)

      const [, end] = yield* Setup.ended
      assert.deepInclude(end, { reason: "exhausted", attempts: 0, credentialHint: undefined })
    }).pipe(Effect.provide(Setup.layer([fixture.error(429, "5")], { keys: 1 })))
  )

  it.effect.each(Calls.all)("names what remains of the rest, rounded up, to $call", ({ path, request, fixture }) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)
      yield* TestClock.adjust(1_001)

      assert.deepStrictEqual(yield* answer({ path, request }), limited("4", "3.999s")(fixture))
    }).pipe(Effect.provide(Setup.layer([fixture.error(429, "5")], { keys: 1 })))
  )
})
