import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Net from "node:net"
import { hint } from "../../src/domain/Credential.ts"
import * as TestHttp from "../service/TestHttp.ts"
import * as TestSimulated from "./TestSimulated.ts"

const { anthropic, openai, copilot } = TestSimulated
const all = [anthropic, openai, copilot]
const withKeys = [anthropic, openai]

/** The error of each vendor, with what its shape has room for. */
const error = ({ type: vendor }: TestSimulated.Vendor, type: string, message: string, code: string | null) =>
  vendor === "anthropic" ? { type: "error", error: { type, message } } : { error: { type, message, param: null, code } }

const refused = (vendor: TestSimulated.Vendor) =>
  vendor.type === "anthropic"
    ? error(vendor, "authentication_error", "invalid x-api-key", null)
    : error(vendor, "invalid_request_error", "Incorrect API key provided.", "invalid_api_key")

describe("The simulated provider", () => {
  it.live("has all vendors on one port, and keys whose masked forms differ", () =>
    Effect.gen(function* () {
      const { url, providers } = yield* TestSimulated.start

      assert.deepStrictEqual(
        providers.map(({ name, type, baseUrl, keys, bedrock }) => [
          name,
          type,
          baseUrl ?? bedrock?.baseUrl,
          keys?.length
        ]),
        [
          ["anthropic", "anthropic", url, 3],
          ["openai", "openai", `${url}/openai/v1`, 3],
          ["copilot", "copilot", `${url}/copilot`, undefined],
          ["bedrock", "anthropic", `${url}/bedrock`, undefined]
        ]
      )
      const hints = providers.flatMap(({ keys = [] }) => keys.map((key) => hint(Redacted.value(key))))
      assert.lengthOf(new Set(hints), 6)
    })
  )

  it.live.each(all)("outlives a client of $type that leaves in the middle of its request", (vendor) =>
    Effect.gen(function* () {
      const { url, of, ask } = yield* TestSimulated.start
      const { baseUrl, key } = of(vendor)

      yield* Effect.callback<void>((resume) => {
        const socket = Net.connect(Number(new URL(url).port), "127.0.0.1", () => {
          const target = new URL(baseUrl + vendor.path).pathname
          socket.write(`POST ${target} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{`)
          setTimeout(() => socket.resetAndDestroy(), 20)
        })
        socket.on("close", () => resume(Effect.void))
      })
      const { status } = yield* ask(vendor, key(2))

      assert.strictEqual(status, 200)
    })
  )

  it.live.each(all)("outlives a client of $type that leaves in the middle of a stream", (vendor) =>
    Effect.gen(function* () {
      const { of, ask } = yield* TestSimulated.start
      const { key } = of(vendor)
      const body = TestHttp.message({ stream: true })

      const first = yield* Effect.scoped(Effect.flatMap(ask(vendor, key(2), { body }), ({ read }) => read))
      const whole = yield* Effect.flatMap(ask(vendor, key(2), { body }), ({ text }) => text)

      assert.isTrue(whole.startsWith(String(first)))
      assert.isAbove(whole.length, String(first).length)
    })
  )

  it.live.each(withKeys)(
    "limits the first key of $type on its second request and on every third one after that, for 10 seconds",
    (vendor) =>
      Effect.gen(function* () {
        const { of, ask } = yield* TestSimulated.start
        const { key } = of(vendor)
        const statuses: Array<number> = []
        const rests: Array<string | undefined> = []
        for (let use = 0; use < 9; use++) {
          const { status, headers } = yield* ask(vendor, key(0))
          statuses.push(status)
          rests.push(headers["retry-after"])
        }

        assert.deepStrictEqual(statuses, [200, 429, 200, 200, 429, 200, 200, 429, 200])
        assert.deepStrictEqual(
          rests,
          statuses.map((status) => (status === 429 ? "10" : undefined))
        )
      })
  )

  it.live.each([
    { vendor: anthropic, expected: error(anthropic, "rate_limit_error", "this key is over its limit", null) },
    { vendor: openai, expected: error(openai, "requests", "This key is over its limit.", "rate_limit_exceeded") }
  ])("says in the shape of $vendor.type that a key is limited", ({ vendor, expected }) =>
    Effect.gen(function* () {
      const { of, ask } = yield* TestSimulated.start
      const { key } = of(vendor)
      yield* ask(vendor, key(0))

      const { json } = yield* ask(vendor, key(0))

      assert.deepStrictEqual(yield* json, expected)
    })
  )

  it.live.each(withKeys)("revokes the second key of $type after its first request, and never the third", (vendor) =>
    Effect.gen(function* () {
      const { of, ask } = yield* TestSimulated.start
      const { key } = of(vendor)
      const statusesOf = (index: number) =>
        Effect.forEach([1, 2, 3, 4], () => Effect.map(ask(vendor, key(index)), ({ status }) => status))

      assert.deepStrictEqual(yield* statusesOf(1), [200, 401, 401, 401])
      assert.deepStrictEqual(yield* statusesOf(2), [200, 200, 200, 200])
      assert.deepStrictEqual(yield* Effect.flatMap(ask(vendor, key(1)), ({ json }) => json), refused(vendor))
    })
  )

  it.live("takes any bearer token at Copilot, however often", () =>
    Effect.gen(function* () {
      const { of, ask } = yield* TestSimulated.start
      const credentials = ["gho_anybody", of(openai).key(0), ...Array.from({ length: 4 }, () => of(openai).key(1))]

      const statuses = yield* Effect.forEach(credentials, (credential) =>
        Effect.map(ask(copilot, credential), ({ status }) => status)
      )

      assert.deepStrictEqual(statuses, [200, 200, 200, 200, 200, 200])
    })
  )

  it.live.each([
    ...[undefined, "sk-of-somebody", ""].flatMap((credential) =>
      withKeys.map((vendor) => ({ vendor, what: `the key ${credential}`, credential }))
    ),
    { vendor: copilot, what: "no token", credential: undefined },
    { vendor: copilot, what: "an empty token", credential: "" },
    { vendor: copilot, what: "two tokens", credential: "one two" }
  ])("refuses $what in the shape of $vendor.type", ({ vendor, credential }) =>
    Effect.gen(function* () {
      const { ask } = yield* TestSimulated.start

      const { status, json } = yield* ask(vendor, credential)

      assert.strictEqual(status, 401)
      assert.deepStrictEqual(yield* json, refused(vendor))
    })
  )

  it.live.each([
    { vendor: anthropic, other: openai },
    { vendor: openai, other: anthropic }
  ])("refuses at $vendor.type the keys of $other.type", ({ vendor, other }) =>
    Effect.gen(function* () {
      const { of, ask } = yield* TestSimulated.start

      assert.strictEqual((yield* ask(vendor, of(other).key(2))).status, 401)
    })
  )

  it.live.each([
    { vendor: anthropic, expected: error(anthropic, "not_found_error", "not found", null) },
    { vendor: openai, expected: error(openai, "invalid_request_error", "Invalid URL (POST /elsewhere)", null) },
    { vendor: copilot, expected: error(copilot, "invalid_request_error", "Invalid URL (POST /elsewhere)", null) }
  ])("answers another path with 404 in the shape of $vendor.type", ({ vendor, expected }) =>
    Effect.gen(function* () {
      const { of, ask } = yield* TestSimulated.start

      const { status, json } = yield* ask(vendor, of(vendor).key(2), { path: "/elsewhere" })

      assert.strictEqual(status, 404)
      assert.deepStrictEqual(yield* json, expected)
    })
  )

  it.live.each(all)("answers $type by the path alone, whatever the query", (vendor) =>
    Effect.gen(function* () {
      const { of, ask } = yield* TestSimulated.start

      const { status } = yield* ask(vendor, of(vendor).key(2), { path: `${vendor.path}?beta=true` })

      assert.strictEqual(status, 200)
    })
  )

  it.live.each(all.flatMap((vendor) => ["Hello", ""].map((body) => ({ vendor, body }))))(
    `answers "$body", which is no JSON, as any other request at $vendor.type`,
    ({ vendor, body }) =>
      Effect.gen(function* () {
        const { of, ask } = yield* TestSimulated.start

        const { status, json } = yield* ask(vendor, of(vendor).key(2), { body })

        assert.strictEqual(status, 200)
        assert.deepInclude(yield* json, { model: "unknown" })
      })
  )

  it.live("answers HEAD with the head of GET", () =>
    Effect.gen(function* () {
      const { of, ask } = yield* TestSimulated.start

      const answer = yield* ask(openai, of(openai).key(2), { path: "/models", method: "HEAD", body: "" })

      assert.strictEqual(answer.status, 200)
      assert.isAbove(Number(answer.headers["content-length"]), 0)
      assert.strictEqual(yield* answer.text, "")
    })
  )

  it.live("stops when its scope closes, and cuts the streams that are under way", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { url, of, ask } = yield* Scope.provide(TestSimulated.start, scope)
      const body = TestHttp.message({ stream: true })
      const streams = yield* Effect.forEach(all, (vendor) => ask(vendor, of(vendor).key(2), { body }))

      yield* Scope.close(scope, Exit.void)
      const errors = yield* Effect.forEach(streams, ({ text }) => Effect.flip(text))
      const left = yield* Effect.flip(TestHttp.send(url, { path: "/" }))

      assert.deepStrictEqual(
        errors.map(({ message }) => message),
        ["aborted", "aborted", "aborted"]
      )
      assert.include(left.message, "ECONNREFUSED")
    })
  )
})
