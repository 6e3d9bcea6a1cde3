import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Fixture from "./Fixture.ts"
import * as Setup from "./Setup.ts"

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

describe("A message request whose body", () => {
  it.effect.each(rows)("$behaviour is 400, not sent upstream and not recorded", ({ body, detail }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(Setup.messages, { method: "POST", body })

      const text = Fixture.errorText("invalid_request_error", `invalid request body: ${detail}`)
      assert.deepStrictEqual(response, {
        status: 400,
        headers: { "content-type": "application/json", "content-length": String(text.length) },
        text
      })
      assert.deepStrictEqual(yield* Setup.requests, [])
      assert.deepStrictEqual(yield* Setup.records, [])
    }).pipe(Effect.provide(Setup.layer([])))
  )

  it.effect("is missing altogether is 400", () =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(Setup.messages, { method: "POST" })

      assert.strictEqual(response.status, 400)
      assert.include(response.text, empty)
    }).pipe(Effect.provide(Setup.layer([])))
  )

  it.effect.each([
    { behaviour: "has only a model", body: `{"model":"claude"}` },
    { behaviour: "has members that nobody knows", body: `{"model":"claude","x":{"y":[1,2]},"messages":7}` },
    { behaviour: "is of another media type", body: `{"model":"claude"}`, headers: { "content-type": "text/plain" } },
    { behaviour: "begins with blanks", body: `\r\n  {"model":"claude"} ` }
  ])("$behaviour goes upstream as it is", ({ body, headers = {} }) =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(Setup.messages, { body, headers })

      assert.strictEqual(response.status, 200)
      assert.deepStrictEqual(
        (yield* Setup.requests).map((request) => request.text),
        [body]
      )
    }).pipe(Effect.provide(Setup.layer([Fixture.message200])))
  )

  it.effect.each([
    { stream: "true", recorded: true },
    { stream: "false", recorded: false },
    { stream: `"true"`, recorded: false },
    { stream: "1", recorded: false },
    { stream: "null", recorded: false }
  ])("has $stream as stream is recorded as a stream: $recorded", ({ stream, recorded }) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(Setup.messages, { body: `{"model":"claude-x","stream":${stream}}` })

      const [start] = yield* Setup.started
      assert.deepInclude(start, { model: "claude-x", stream: recorded, provider: "anthropic" })
    }).pipe(Effect.provide(Setup.layer([Fixture.message200])))
  )
})

describe("A passthrough request", () => {
  it.effect("may have any body", () =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch("/anthropic/v1/messages/count_tokens", { body: "no JSON at all" })

      assert.strictEqual(response.status, 200)
      assert.deepStrictEqual(
        (yield* Setup.requests).map((request) => request.text),
        ["no JSON at all"]
      )
    }).pipe(Effect.provide(Setup.layer([Fixture.message200])))
  )
})
