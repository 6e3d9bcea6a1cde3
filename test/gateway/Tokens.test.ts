import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import type { Token } from "../../src/inbound/Authenticator.ts"
import * as Authenticator from "../../src/inbound/Authenticator.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import * as Credentials from "./Credentials.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

const layer = (limits: Omit<Token, "name" | "token">, script: Parameters<typeof Setup.layer>[0] = []) =>
  Setup.layer(script, {
    authenticator: Authenticator.layerTokens([
      { name: "alice", token: Redacted.make(Credentials.hashed(Credentials.alice)), ...limits },
      { name: "bob", token: Redacted.make(Credentials.bob) }
    ])
  })

const ask = ({ path, request, vendor }: Calls.Call, token = Credentials.alice) =>
  TestGateway.fetch(path, {
    ...request,
    headers: { "x-aibridge-token": token, ...vendor.credential("sk-own-key-of-the-caller") }
  })

const askFor = (call: Calls.Call, model: string) =>
  ask({ ...call, request: { ...call.request, body: { ...Object(call.request.body), model } } })

const answered = ({ status, text }: { readonly status: number; readonly text: string }) => ({ status, text })

describe("A hash that differs from a token's", () => {
  const flipped = Array.from({ length: 64 }, (_, digit) => {
    const [head, digits = ""] = Credentials.hashed(Credentials.alice).split(":")
    const other = (15 - Number.parseInt(digits.charAt(digit), 16)).toString(16)
    return { name: "eve", token: Redacted.make(`${head}:${digits.slice(0, digit)}${other}${digits.slice(digit + 1)}`) }
  })

  it.effect("in any one digit is not the token's", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* ask(Calls.blocking)).status, 401)
    }).pipe(Effect.provide(Setup.layer([], { authenticator: Authenticator.layerTokens(flipped) })))
  )
})

describe("A gateway token that expires", () => {
  const expires = DateTime.makeUnsafe("2027-01-31T18:00:00Z")
  const until = (millis: number) => TestClock.setTime(expires.epochMilliseconds + millis)

  it.effect.each(Calls.everyones)("is valid up to its last moment and not from then on, on $call", (call) =>
    Effect.gen(function* () {
      yield* until(-1)
      const before = yield* ask(call)
      yield* until(0)
      const after = yield* ask(call)
      const other = yield* ask(call, Credentials.bob)

      assert.deepStrictEqual([before.status, other.status], [200, 200])
      assert.deepStrictEqual(answered(after), {
        status: 401,
        text: call.fixture.errorText(401, "the gateway token has expired")
      })
      assert.lengthOf(yield* Setup.requests, 2)
    }).pipe(Effect.provide(layer({ expires }, () => call.good)))
  )

  it.effect("stays expired", () =>
    Effect.gen(function* () {
      yield* until(365 * 86_400_000)

      assert.strictEqual((yield* ask(Calls.blocking)).status, 401)
      assert.deepStrictEqual(yield* Setup.traces, Setup.nothing)
    }).pipe(Effect.provide(layer({ expires })))
  )

  it.effect("is refused as expired before anything else is said about it", () =>
    Effect.gen(function* () {
      yield* until(0)

      assert.include((yield* ask(Calls.blocking)).text, "has expired")
    }).pipe(Effect.provide(layer({ expires, providers: ["openai"] })))
  )

  it.effect("may go on with what it has begun", () =>
    Effect.gen(function* () {
      yield* until(-1)
      const { path, request, fixture } = Calls.streaming
      const response = yield* TestGateway.request(path, { ...request, headers: { "x-api-key": Credentials.alice } })
      yield* until(1)

      assert.strictEqual(yield* response.text, fixture.streamText)
      assert.isAbove(yield* Clock.currentTimeMillis, expires.epochMilliseconds)
    }).pipe(Effect.scoped, Effect.provide(layer({ expires }, [Calls.streaming.good])))
  )
})

describe("A gateway token for some providers", () => {
  const others = Calls.everyones.filter(({ vendor }) => vendor.name !== "openai")
  const allowed = Calls.everyones.filter(({ vendor }) => vendor.name === "openai")

  it.effect.each(others)("is refused on $call, and nothing goes upstream", (call) =>
    Effect.gen(function* () {
      const detail = `this gateway token may not be used for the provider "${call.vendor.name}"`

      assert.deepStrictEqual(answered(yield* ask(call)), { status: 403, text: call.fixture.errorText(403, detail) })
      assert.deepStrictEqual(yield* Setup.traces, Setup.nothing)
    }).pipe(Effect.provide(layer({ providers: ["openai", "other"] })))
  )

  it.effect.each(allowed)("is good for $call", (call) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* ask(call)).status, 200)
    }).pipe(Effect.provide(layer({ providers: ["openai", "other"] }, [call.good])))
  )

  it.effect("says nothing about other tokens", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* ask(Calls.blocking, Credentials.bob)).status, 200)
    }).pipe(Effect.provide(layer({ providers: ["openai"], models: ["none"] }, [Calls.blocking.good])))
  )
})

describe("A gateway token for some models", () => {
  const models = ["claude-opus-4-7", "gpt-5*"]

  it.effect.each(["claude-opus-4-7", "gpt-5", "gpt-5-mini"])("is good for %s", (model) =>
    Effect.gen(function* () {
      const answers = yield* Effect.forEach(Calls.unchangedBlockings, (call) => askFor(call, model))

      assert.deepStrictEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
    }).pipe(Effect.provide(layer({ models }, () => Calls.blocking.good)))
  )

  it.effect.each(["claude-opus-4-7-20260101", "claude-opus-4-", "Claude-Opus-4-7", "GPT-5", "gpt-4", "xgpt-5", "pt-5"])(
    "is refused for %s, and nothing goes upstream or is recorded",
    (model) =>
      Effect.gen(function* () {
        for (const call of Calls.bridged) {
          const detail = `this gateway token may not be used for the model "${model}"`

          const answer = yield* askFor(call, model)

          assert.deepStrictEqual(answered(answer), { status: 403, text: call.fixture.errorText(403, detail) })
        }
        assert.deepStrictEqual(yield* Setup.traces, Setup.nothing)
      }).pipe(Effect.provide(layer({ models })))
  )

  it.effect.each(Calls.of(Vendors.bedrock))("is asked about the client's name of the model on $call", (call) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* askFor(call, "claude-sonnet-4-5")).status, 200)
    }).pipe(Effect.provide(layer({ models: ["claude-*"] }, [call.good])))
  )

  it.effect("is good for every model by a * alone", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* ask(Calls.blocking)).status, 200)
    }).pipe(Effect.provide(layer({ models: ["*"] }, [Calls.blocking.good])))
  )

  it.effect("is not asked about models where requests are not read", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* ask(Calls.passthrough)).status, 200)
    }).pipe(Effect.provide(layer({ models }, [Calls.passthrough.good])))
  )

  it.effect("is told about a bad body first, and repeats no more than the beginning of a long name", () =>
    Effect.gen(function* () {
      const { path } = Calls.blocking
      const bad = yield* TestGateway.fetch(path, { body: "{}", headers: { "x-api-key": Credentials.alice } })
      const long = yield* askFor(Calls.blocking, "m".repeat(1_000_000))

      assert.strictEqual(bad.status, 400)
      assert.strictEqual(long.status, 403)
      assert.isBelow(long.text.length, 500)
    }).pipe(Effect.provide(layer({ models })))
  )
})
