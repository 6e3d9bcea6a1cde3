import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as UpstreamError from "../../src/domain/UpstreamError.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import type { Fixture } from "./Fixture.ts"
import * as Setup from "./Setup.ts"

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const passing = {
  "request-id": "req_011",
  "anthropic-organization-id": "org",
  "anthropic-ratelimit-requests-remaining": "49",
  "anthropic-ratelimit-tokens-reset": "2026-01-01T00:00:00Z",
  "retry-after": "3",
  "retry-after-ms": "3000",
  "x-should-retry": "true",
  "cf-ray": "8a",
  "cache-control": "no-cache",
  date: "Thu, 01 Jan 1970 00:00:00 GMT",
  "x-custom": "kept"
}

const staying = {
  connection: "keep-alive, X-Hop",
  "x-hop": "1",
  "keep-alive": "timeout=5",
  "proxy-authenticate": "Basic",
  "set-cookie": "session=1",
  "x-aibridge-error": "rate_limited",
  trailer: "x",
  "transfer-encoding": "chunked",
  upgrade: "h2c"
}

const answers = Calls.all.flatMap((call) => [
  { ...call, behaviour: "a good answer", status: 200, answer: call.good },
  { ...call, behaviour: "an error answer", status: 529, answer: call.fixture.error(529) },
  {
    ...call,
    behaviour: "an answer in pieces",
    status: 200,
    answer: ScriptedUpstream.streamed(200, ["{", "}"], { "content-type": "application/json" })
  }
])

describe("The headers of an upstream's answer", () => {
  it.effect.each(answers)(
    "reach the client with $behaviour to $call, but for cookies and those of one connection",
    ({ path, request, isBridged, isStreaming, behaviour, status, answer }) =>
      Effect.gen(function* () {
        const response = yield* TestGateway.fetch(path, request)

        const {
          "content-type": type,
          "content-length": _,
          "x-aibridge-interception-id": id,
          ...headers
        } = response.headers
        assert.strictEqual(response.status, status)
        assert.deepStrictEqual(headers, passing)
        assert.match(type ?? "", isStreaming && behaviour === "a good answer" ? /event-stream/ : /json/)
        assert.strictEqual(id !== undefined, isBridged)
      }).pipe(
        Effect.provide(
          Setup.layer([
            Effect.map(answer, (response) => ({
              ...response,
              headers: { ...response.headers, ...passing, ...staying }
            }))
          ])
        )
      )
  )

  it.effect.each(Calls.all)("that are repeated reach the client joined, on $call", ({ path, request, good }) =>
    Effect.gen(function* () {
      const { headers } = yield* TestGateway.fetch(path, request)

      assert.strictEqual(headers["x-many"], "a, b")
      assert.isUndefined(headers["set-cookie"])
    }).pipe(
      Effect.provide(
        Setup.layer([
          Effect.map(good, (response) => ({
            ...response,
            headers: { ...response.headers, "x-many": ["a", "b"], "set-cookie": ["a=1", "b=2"] }
          }))
        ])
      )
    )
  )

  it.effect.each(Calls.streams)(
    "do not bring a length for a stream of events, to which some may be added: $call",
    ({ path, request, fixture }) =>
      Effect.gen(function* () {
        const { headers } = yield* TestGateway.fetch(path, request)

        assert.isUndefined(headers["content-length"])
      }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.events(fixture.events, { "content-length": "9" })])))
  )

  it.effect("bring the length of what cannot be read, as after HEAD", () =>
    Effect.gen(function* () {
      const { headers, text } = yield* TestGateway.fetch(Calls.passthrough.path, { method: "HEAD" })

      assert.strictEqual(headers["content-length"], "1234")
      assert.strictEqual(text, "")
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.text(200, "", { "content-length": "1234" })])))
  )
})

const outcomesIn = ({ answer200, stream200, error }: Fixture) => [
  { behaviour: "a good answer", script: [answer200] },
  { behaviour: "a stream", script: [stream200] },
  { behaviour: "an upstream's error", script: [error(400)] },
  { behaviour: "an answer after a failover", script: [error(429), answer200] },
  { behaviour: "an exhaustion", script: [error(429), error(429)] },
  {
    behaviour: "an upstream that cannot be reached",
    script: [ScriptedUpstream.failure(UpstreamError.unreachable("ECONNREFUSED"))]
  }
]

describe("The interception's id", () => {
  const rows = Calls.streams.flatMap((call) => Table.times([call], outcomesIn(call.fixture)))

  it.effect.each(rows)("is a UUID, the recorded one, on $behaviour to $call", ({ path, request, script }) =>
    Effect.gen(function* () {
      const { headers } = yield* TestGateway.fetch(path, request)

      const ids = [...(yield* Setup.started), ...(yield* Setup.ended)].map((event) => event.id)
      assert.match(headers["x-aibridge-interception-id"] ?? "none", uuid)
      assert.deepStrictEqual(ids, [headers["x-aibridge-interception-id"], headers["x-aibridge-interception-id"]])
    }).pipe(Effect.provide(Setup.layer(script)))
  )

  it.effect.each(Calls.bridged)("is another one for each like $call, and not the upstream's", ({ path, request }) =>
    Effect.gen(function* () {
      const first = yield* TestGateway.fetch(path, request)
      const second = yield* TestGateway.fetch(path, request)

      const ids = [first, second].map(({ headers }) => headers["x-aibridge-interception-id"])
      assert.strictEqual(new Set([...ids, "of the upstream"]).size, 3)
    }).pipe(
      Effect.provide(
        Setup.layer(() => ScriptedUpstream.text(200, "{}", { "x-aibridge-interception-id": "of the upstream" }))
      )
    )
  )
})
