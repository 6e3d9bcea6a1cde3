import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import * as FailurePolicy from "../../src/keys/KeyFailurePolicy.ts"
import * as KeyPool from "../../src/keys/KeyPool.ts"
import { mark, verdict } from "../../src/upstream/MarkKeyOnStatus.ts"
import * as TestPool from "../keys/TestPool.ts"

const policies = { strict: FailurePolicy.strict, lenient: FailurePolicy.lenient, none: FailurePolicy.none }

const answer = (status: number, headers: Readonly<Record<string, string>> = {}) => ({ status, headers })

describe("MarkKeyOnStatus.verdict", () => {
  it.each([
    { policy: "strict", status: 401, verdict: "Permanent" },
    { policy: "strict", status: 403, verdict: "Permanent" },
    { policy: "strict", status: 429, verdict: "Temporary" },
    { policy: "lenient", status: 401, verdict: "Temporary" },
    { policy: "lenient", status: 403, verdict: "NotTheKey" },
    { policy: "lenient", status: 429, verdict: "Temporary" },
    { policy: "none", status: 401, verdict: "NotTheKey" },
    { policy: "none", status: 403, verdict: "NotTheKey" },
    { policy: "none", status: 429, verdict: "NotTheKey" }
  ] as const)("under the $policy policy $status is $verdict", ({ policy, status, verdict: expected }) => {
    assert.strictEqual(verdict(status, {}, policies[policy], 0)._tag, expected)
  })

  it.each([200, 201, 204, 304, 307, 399])("%d served under every policy", (status) => {
    for (const policy of Object.values(policies)) assert.strictEqual(verdict(status, {}, policy, 0)._tag, "Served")
  })

  it.each([400, 402, 404, 408, 413, 422, 428, 430, 500, 502, 503, 504, 529])(
    "%d is never about the key, whatever its headers and the policy",
    (status) => {
      for (const policy of Object.values(policies)) {
        assert.strictEqual(verdict(status, { "retry-after": "5" }, policy, 0)._tag, "NotTheKey")
      }
    }
  )

  it("reads the cooldown of 429, and of 401 where it rests the key", () => {
    const headers = { "retry-after": "5" }
    const expected = { _tag: "Temporary", cooldown: Duration.seconds(5) } as const

    assert.deepStrictEqual(verdict(429, headers, FailurePolicy.strict, 0), expected)
    assert.deepStrictEqual(verdict(401, headers, FailurePolicy.lenient, 0), expected)
  })

  it("takes each status's reaction on its own", () => {
    const policy = { ...FailurePolicy.strict, unauthorized: "ignore", forbidden: "cooldown" } as const

    assert.strictEqual(verdict(401, {}, policy, 0)._tag, "NotTheKey")
    assert.strictEqual(verdict(403, {}, policy, 0)._tag, "Temporary")
  })
})

describe("MarkKeyOnStatus.mark", () => {
  it.effect.each([
    { behaviour: "rests a key for Retry-After", status: 429, headers: { "retry-after": "5" }, millis: 5000 },
    { behaviour: "rests a key for retry-after-ms", status: 429, headers: { "retry-after-ms": "1500" }, millis: 1500 },
    { behaviour: "rests a key for 60 s by default", status: 429, headers: {}, millis: 60_000 },
    { behaviour: "rests a key for 60 s on a bad header", status: 429, headers: { "retry-after": "x" }, millis: 60_000 },
    {
      behaviour: "rests a key until a date",
      status: 429,
      headers: { "retry-after": "Thu, 01 Jan 1970 00:00:10 GMT" },
      millis: 10_000
    }
  ])("$behaviour and asks for the next one", ({ status, headers, millis }) =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()

      assert.isTrue(yield* mark(pool, key, answer(status, headers)))

      yield* TestClock.adjust(millis - 1)
      assert.strictEqual(yield* TestPool.tag(pool), "Temporary")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* TestPool.tag(pool), "Valid")
    })
  )

  it.effect.each([
    { status: 401, policy: "strict", nextKey: true, tag: "Permanent" },
    { status: 403, policy: "strict", nextKey: true, tag: "Permanent" },
    { status: 401, policy: "lenient", nextKey: true, tag: "Temporary" },
    { status: 403, policy: "lenient", nextKey: false, tag: "Valid" },
    { status: 429, policy: "none", nextKey: false, tag: "Valid" },
    { status: 200, policy: "strict", nextKey: false, tag: "Valid" },
    { status: 400, policy: "strict", nextKey: false, tag: "Valid" },
    { status: 500, policy: "strict", nextKey: false, tag: "Valid" },
    { status: 503, policy: "strict", nextKey: false, tag: "Valid" },
    { status: 529, policy: "strict", nextKey: false, tag: "Valid" }
  ] as const)("$status under the $policy policy leaves the key $tag", ({ status, policy, nextKey, tag }) =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single({ keyFailurePolicy: policies[policy] })

      assert.strictEqual(yield* mark(pool, key, answer(status)), nextKey)
      assert.strictEqual(yield* TestPool.tag(pool), tag)
    })
  )

  it.effect("asks for the next key also when another request marked this one before", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single()

      const answers = [429, 429, 401, 401, 403, 429].map((status) => mark(pool, key, answer(status)))

      assert.deepStrictEqual(yield* Effect.all(answers), [true, true, true, true, true, true])
      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
    })
  )

  it.effect("ends a row of cooldowns by a success, not by an answer that is not about the key", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single({ cooldown: Schedule.exponential("1 second") })
      yield* mark(pool, key, answer(429))
      yield* TestClock.adjust("1 second")

      yield* mark(pool, key, answer(500))
      yield* mark(pool, key, answer(429))
      assert.deepStrictEqual(yield* pool.states, [{ _tag: "Temporary", until: 3000 }])
      yield* TestClock.adjust("2 seconds")
      yield* mark(pool, key, answer(200))
      yield* mark(pool, key, answer(429))

      assert.deepStrictEqual(yield* pool.states, [{ _tag: "Temporary", until: 4000 }])
    })
  )

  it.effect("neither marks nor gives up the caller's own key", () =>
    Effect.gen(function* () {
      const pool = KeyPool.byok("anthropic", TestPool.secret(0))

      const nextKey = yield* Effect.forEach([200, 401, 403, 429, 500], (status) =>
        mark(pool, TestPool.keyAt(pool, 0), answer(status))
      )

      assert.deepStrictEqual(nextKey, [false, false, false, false, false])
      assert.deepStrictEqual(yield* TestPool.tags(pool), ["Valid"])
    })
  )
})

describe("MarkKeyOnStatus.mark of a probe", () => {
  it.effect.each([
    { status: 200, nextKey: false, tag: "Valid", comesBackAs: "itself" },
    { status: 429, nextKey: true, tag: "Temporary", comesBackAs: "itself" },
    { status: 401, nextKey: true, tag: "Permanent", comesBackAs: "a probe" },
    { status: 403, nextKey: true, tag: "Permanent", comesBackAs: "a probe" },
    { status: 400, nextKey: false, tag: "Permanent", comesBackAs: "a probe" },
    { status: 500, nextKey: false, tag: "Permanent", comesBackAs: "a probe" },
    { status: 529, nextKey: false, tag: "Permanent", comesBackAs: "a probe" }
  ])("leaves the key $tag after $status, to come back as $comesBackAs", ({ status, nextKey, tag, comesBackAs }) =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single({ recheck: Schedule.spaced("1 minute") })
      yield* mark(pool, key, answer(401))
      yield* TestClock.adjust("1 minute")
      const probe = yield* pool.walker().next

      assert.strictEqual(yield* mark(pool, probe, answer(status)), nextKey)
      assert.strictEqual(yield* TestPool.tag(pool), tag)

      yield* TestClock.adjust(59_999)
      assert.lengthOf((yield* TestPool.drain(pool.walker())).indexes, tag === "Valid" ? 1 : 0)
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* pool.walker().next).isProbe, comesBackAs === "a probe")
    })
  )

  it.effect("does not revive the key by the success of a request from before its refusal", () =>
    Effect.gen(function* () {
      const { pool, key } = yield* TestPool.single({ recheck: Schedule.spaced("1 minute") })
      yield* mark(pool, key, answer(401))

      yield* mark(pool, key, answer(200))

      assert.strictEqual(yield* TestPool.tag(pool), "Permanent")
    })
  )
})
