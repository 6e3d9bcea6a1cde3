import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as UpstreamError from "../../src/domain/UpstreamError.ts"
import * as KeyFailurePolicy from "../../src/keys/KeyFailurePolicy.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"
import type { Vendor } from "./Vendors.ts"

const untouched = Effect.fnUntraced(function* (vendor: Vendor) {
  assert.deepStrictEqual(yield* Setup.keysSeen, [0])
  assert.deepStrictEqual(yield* Setup.states(vendor), ["Valid", "Valid"])
})

describe("An answer that is not about the key", () => {
  const statuses = [400, 402, 404, 405, 408, 409, 413, 415, 422, 424, 500, 502, 503, 504, 529]

  it.effect.each(
    Table.times(
      Calls.all,
      statuses.map((status) => ({ status }))
    )
  )("to $call is relayed as it is: $status", ({ path, request, vendor, fixture, status }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(path, request)

      assert.strictEqual(response.status, status)
      assert.strictEqual(response.text, fixture.upstreamErrorText(status))
      assert.strictEqual(response.headers["retry-after"], "9")
      assert.strictEqual(response.headers["content-type"], "application/json")
      yield* untouched(vendor)
    }).pipe(Effect.provide(Setup.layer([fixture.error(status, "9")])))
  )
})

describe("A call without an answer", () => {
  const failures = [
    { failure: UpstreamError.unreachable("ECONNREFUSED"), status: 502, text: "upstream unreachable (ECONNREFUSED)" },
    { failure: UpstreamError.unreachable("ENOTFOUND"), status: 502, text: "upstream unreachable (ENOTFOUND)" },
    { failure: UpstreamError.unreachable("ECONNRESET"), status: 502, text: "upstream unreachable (ECONNRESET)" },
    {
      failure: UpstreamError.unreachable("INVALID_STATUS"),
      status: 502,
      text: "upstream unreachable (INVALID_STATUS)"
    },
    { failure: UpstreamError.cut("UND_ERR_SOCKET"), status: 502, text: "upstream closed the stream early" },
    { failure: UpstreamError.timedOut(), status: 504, text: "upstream timed out" }
  ]

  it.effect.each(Table.times(Calls.all, failures))(
    "to $call is $status in the provider's shape: $text",
    ({ path, request, vendor, fixture, failure, status, text, isBridged }) =>
      Effect.gen(function* () {
        const response = yield* TestGateway.fetch(path, request)

        assert.strictEqual(response.status, status)
        assert.strictEqual(response.text, fixture.errorText(status, text))
        assert.strictEqual(response.headers["content-type"], "application/json")
        assert.strictEqual(response.headers["content-length"], String(response.text.length))
        assert.isUndefined(response.headers["retry-after"])
        yield* untouched(vendor)
        assert.deepStrictEqual(yield* Setup.reasons, isBridged ? ["upstream_error"] : [])
      }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.failure(failure)])))
  )
})

describe("The lenient policy", () => {
  const provider = { keyFailurePolicy: KeyFailurePolicy.lenient }

  it.effect.each(Calls.all)("relays a 403 to $call and marks nothing", ({ path, request, vendor, fixture }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(path, request)

      assert.strictEqual(response.status, 403)
      assert.strictEqual(response.text, fixture.upstreamErrorText(403))
      yield* untouched(vendor)
    }).pipe(Effect.provide(Setup.layer([fixture.error(403)], { provider })))
  )

  it.effect.each(Calls.all)(
    "rests a key after a 401 to $call and moves on",
    ({ path, request, vendor, fixture, good, text }) =>
      Effect.gen(function* () {
        const response = yield* TestGateway.fetch(path, request)

        assert.strictEqual(response.text, text)
        assert.deepStrictEqual(yield* Setup.keysSeen, [0, 1])
        assert.deepStrictEqual(yield* Setup.states(vendor), ["Temporary", "Valid"])
      }).pipe(Effect.provide(Setup.layer([fixture.error(401), good], { provider })))
  )

  it.effect.each(Calls.all)("answers 429 for a minute when all keys got 401 to $call", ({ path, request, fixture }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(path, request)

      assert.strictEqual(response.status, 429)
      assert.strictEqual(response.headers["retry-after"], "60")
    }).pipe(Effect.provide(Setup.layer([fixture.error(401), fixture.error(401)], { provider })))
  )
})
