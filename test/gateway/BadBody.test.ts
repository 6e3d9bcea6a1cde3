import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

const empty = "it is empty, a JSON object is needed"
const noJson = "it is not JSON"
const noObject = "it is not a JSON object"
const noModel = `"model" is missing`
const noText = `"model" must be a non-empty string`

const rows: ReadonlyArray<{ readonly behaviour: string; readonly body: string; readonly detail: string }> = [
  { behaviour: "is empty", body: "", detail: empty },
  { behaviour: "is blank", body: "  \n ", detail: noJson },
  { behaviour: "is no JSON", body: "hello", detail: noJson },
  { behaviour: "is JSON that breaks off", body: `{"model":"claude"`, detail: noJson },
  { behaviour: "is two objects", body: `{"model":"a"}{"model":"b"}`, detail: noJson },
  { behaviour: "is an array", body: `[{"model":"claude"}]`, detail: noObject },
  { behaviour: "is a string", body: `"claude"`, detail: noObject },
  { behaviour: "is a number", body: "1", detail: noObject },
  { behaviour: "is null", body: "null", detail: noObject },
  { behaviour: "has no model", body: `{"messages":[]}`, detail: noModel },
  { behaviour: "has a null model", body: `{"model":null}`, detail: noText },
  { behaviour: "has an empty model", body: `{"model":""}`, detail: noText },
  { behaviour: "has a number as model", body: `{"model":1}`, detail: noText },
  { behaviour: "has an object as model", body: `{"model":{"name":"claude"}}`, detail: noText }
]

describe("A bridged request whose body", () => {
  it.effect.each(Table.times(Calls.blockings, rows))(
    "$behaviour is 400, not sent upstream and not recorded, like $call",
    ({ path, fixture, body, detail }) =>
      Effect.gen(function* () {
        const response = yield* TestGateway.fetch(path, { method: "POST", body })

        const text = fixture.errorText(400, `invalid request body: ${detail}`)
        assert.deepStrictEqual(response, {
          status: 400,
          headers: { "content-type": "application/json", "content-length": String(text.length) },
          text
        })
        assert.deepStrictEqual(yield* Setup.requests, [])
        assert.deepStrictEqual(yield* Setup.records, [])
      }).pipe(Effect.provide(Setup.layer([])))
  )

  it.effect.each(Calls.blockings)("is compressed is 400 and says why, like $call", ({ path, request }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(path, { ...request, headers: { "content-encoding": "zstd" } })

      assert.strictEqual(response.status, 400)
      assert.include(response.text, `it has the content-encoding \\"zstd\\", send it without one`)
      assert.deepStrictEqual(yield* Setup.traces, Setup.nothing)
    }).pipe(Effect.provide(Setup.layer([])))
  )

  it.effect.each(Calls.blockings)("says that it is not compressed is served, like $call", ({ path, request, good }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(path, { ...request, headers: { "content-encoding": "identity" } })

      assert.strictEqual(response.status, 200)
    }).pipe(Effect.provide(Setup.layer(() => good)))
  )

  it.effect.each(Calls.blockings)("is missing altogether is 400, like $call", ({ path }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(path, { method: "POST" })

      assert.strictEqual(response.status, 400)
      assert.include(response.text, empty)
    }).pipe(Effect.provide(Setup.layer([])))
  )

  const fine = [
    { behaviour: "has only a model", body: `{"model":"claude"}` },
    { behaviour: "has members that nobody knows", body: `{"model":"claude","x":{"y":[1,2]},"messages":7}` },
    { behaviour: "is of another media type", body: `{"model":"claude"}`, headers: { "content-type": "text/plain" } },
    { behaviour: "begins with blanks", body: `\r\n  {"model":"claude"} ` }
  ]

  it.effect.each(Table.times(Calls.unchangedBlockings, fine))(
    "$behaviour goes upstream as it is, like $call",
    ({ path, body, headers = {} }) =>
      Effect.gen(function* () {
        const response = yield* TestGateway.fetch(path, { body, headers })

        assert.strictEqual(response.status, 200)
        assert.deepStrictEqual(
          (yield* Setup.requests).map((request) => request.text),
          [body]
        )
      }).pipe(Effect.provide(Setup.layer([Calls.blocking.good])))
  )

  const streamMembers = [
    { stream: "true", anthropic: true, openai: true },
    { stream: "false", anthropic: false, openai: false },
    { stream: `"true"`, anthropic: false, openai: true },
    { stream: "1", anthropic: false, openai: true },
    { stream: "0", anthropic: false, openai: false },
    { stream: `"yes"`, anthropic: false, openai: false },
    { stream: "null", anthropic: false, openai: false }
  ]

  it.effect.each(Table.times(Calls.unchangedBlockings, streamMembers))(
    "has $stream as stream is recorded as its vendor reads it, like $call",
    ({ path, vendor, stream, anthropic, openai }) =>
      Effect.gen(function* () {
        yield* TestGateway.fetch(path, { body: `{"model":"any-x","stream":${stream}}` })

        const [start] = yield* Setup.started
        const isStream = vendor.name === "anthropic" ? anthropic : openai
        assert.deepInclude(start, { model: "any-x", stream: isStream, provider: vendor.name })
      }).pipe(Effect.provide(Setup.layer([Calls.blocking.good])))
  )
})

describe("A passthrough request", () => {
  it.effect.each(Vendors.pooled)("to $name may have any body", ({ prefix, models }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(prefix + models, { body: "no JSON at all" })

      assert.strictEqual(response.status, 200)
      assert.deepStrictEqual(
        (yield* Setup.requests).map((request) => request.text),
        ["no JSON at all"]
      )
    }).pipe(Effect.provide(Setup.layer([Calls.blocking.good])))
  )
})
