import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { EndReason } from "../../src/domain/Interception.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

interface Row {
  readonly behaviour: string
  /** The upstream's statuses with their `Retry-After`, call by call; 200 is the good answer. */
  readonly script: ReadonlyArray<readonly [status: number, retryAfter?: string]>
  readonly keys: number
  readonly status: number
  readonly retryAfter?: string
  readonly states: ReadonlyArray<string>
  readonly reason: EndReason
}

const rows: ReadonlyArray<Row> = [
  {
    behaviour: "uses the first key",
    script: [[200]],
    keys: 1,
    status: 200,
    states: ["Valid"],
    reason: "complete"
  },
  {
    behaviour: "moves to the second key on 429 and rests the first",
    script: [[429, "5"], [200]],
    keys: 2,
    status: 200,
    states: ["Temporary", "Valid"],
    reason: "complete"
  },
  {
    behaviour: "moves to the second key on 401 and sets the first aside",
    script: [[401], [200]],
    keys: 2,
    status: 200,
    states: ["Permanent", "Valid"],
    reason: "complete"
  },
  {
    behaviour: "moves to the second key on 403 and sets the first aside",
    script: [[403], [200]],
    keys: 2,
    status: 200,
    states: ["Permanent", "Valid"],
    reason: "complete"
  },
  {
    behaviour: "moves on until a key serves",
    script: [[429, "5"], [401], [429], [200]],
    keys: 5,
    status: 200,
    states: ["Temporary", "Permanent", "Temporary", "Valid", "Valid"],
    reason: "complete"
  },
  {
    behaviour: "answers 429 with the soonest recovery when all keys are limited",
    script: [
      [429, "5"],
      [429, "3"],
      [429, "10"]
    ],
    keys: 3,
    status: 429,
    retryAfter: "3",
    states: ["Temporary", "Temporary", "Temporary"],
    reason: "exhausted"
  },
  {
    behaviour: "answers 502 when all keys are refused",
    script: [[401], [403]],
    keys: 2,
    status: 502,
    states: ["Permanent", "Permanent"],
    reason: "exhausted"
  },
  {
    behaviour: "answers 429 when of two keys one is refused and the other limited",
    script: [[401], [429, "7"]],
    keys: 2,
    status: 429,
    retryAfter: "7",
    states: ["Permanent", "Temporary"],
    reason: "exhausted"
  },
  {
    behaviour: "relays a 500 and tries no other key",
    script: [[500]],
    keys: 2,
    status: 500,
    states: ["Valid", "Valid"],
    reason: "complete"
  },
  {
    behaviour: "relays a 500 of the second key and tries no third",
    script: [[429, "5"], [500]],
    keys: 3,
    status: 500,
    states: ["Temporary", "Valid", "Valid"],
    reason: "complete"
  }
]

describe("Failover", () => {
  it.effect.each(Table.times(Calls.all, rows))("of $call $behaviour", (row) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(row.path, row.request)

      assert.strictEqual(response.status, row.status)
      assert.strictEqual(response.headers["retry-after"], row.retryAfter)
      if (row.status === 200) assert.strictEqual(response.text, row.text)
      else assert.property(JSON.parse(response.text), "error")
      if (row.status === 500) assert.strictEqual(response.text, row.fixture.upstreamErrorText(500))
      assert.deepStrictEqual(
        yield* Setup.keysSeen,
        row.script.map((_, index) => index)
      )
      assert.deepStrictEqual(yield* Setup.states(row.vendor), row.states)
      const ends = (yield* Setup.ended).map(({ reason, attempts, credentialHint }) => ({
        reason,
        attempts,
        credentialHint
      }))
      const last = row.script.length - 1
      const end = { reason: row.reason, attempts: row.script.length, credentialHint: Setup.hint(last) }
      assert.deepStrictEqual(ends, row.isBridged ? [end] : [])
    }).pipe(
      Effect.provide(
        Setup.layer(
          row.script.map(([status, retryAfter]) => (status === 200 ? row.good : row.fixture.error(status, retryAfter))),
          { keys: row.keys }
        )
      )
    )
  )
})

describe("The attempts of one request", () => {
  const body = `{"model":"any",  "stream":false, "é": "\\u00e9", "x":1.0}`

  it.effect.each(Calls.unchanged.filter((call) => !call.isStreaming))(
    "send the same bytes to the same place with another key each, like $call",
    ({ path, fixture, good }) =>
      Effect.gen(function* () {
        const headers = { "anthropic-version": "2023-06-01" }
        yield* TestGateway.fetch(`${path}?beta=true`, { method: "POST", body, headers })

        const all = yield* Setup.requests
        assert.deepStrictEqual(
          all.map((request) => request.text),
          [body, body, body, body]
        )
        const rest = all.map((request) =>
          JSON.stringify([
            request.method,
            request.origin,
            request.path,
            { ...request.headers, "x-api-key": "any", authorization: "any" }
          ])
        )
        assert.strictEqual(new Set(rest).size, 1)
        assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1, 2, 3])
      }).pipe(
        Effect.provide(Setup.layer([fixture.error(429), fixture.error(401), fixture.error(403), good], { keys: 4 }))
      )
  )

  it.effect.each(Vendors.pooled)("of a request to $name without a body have none", ({ prefix, models, fixture }) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(prefix + models)

      assert.deepStrictEqual(
        (yield* Setup.requests).map((request) => request.body),
        [undefined, undefined]
      )
    }).pipe(Effect.provide(Setup.layer([fixture.error(429), fixture.models200])))
  )
})
