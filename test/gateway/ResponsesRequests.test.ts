import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Responses from "./Responses.ts"
import * as Setup from "./Setup.ts"

const headers = { authorization: "Bearer any" }
const { fixture } = Responses

const routes = Calls.everyones.filter((call) => call.fixture === fixture)

/** The request of a call with this member. */
const withMember = ({ request }: Calls.Call, background: string) =>
  JSON.stringify(request.body).replace(/\}$/, `, "background": ${background}}`)

describe("A request in the background", () => {
  const meant = ["true", `"true"`, `"TRUE"`, `"t"`, `"1"`, "1", "2"].map((background) => ({ background }))
  const notMeant = ["false", `"false"`, `"yes"`, `"on"`, `""`, "0", "null", "{}", "[true]"].map((background) => ({
    background
  }))

  it.effect.each(Table.times(routes, meant))(
    "is 501, not sent upstream and not recorded: $background with $call",
    ({ background, ...call }) =>
      Effect.gen(function* () {
        const response = yield* TestGateway.fetch(call.path, { headers, body: withMember(call, background) })

        const text = fixture.errorText(
          501,
          `background requests are currently not supported: leave out "background", or set it to false`
        )
        assert.deepStrictEqual(response, {
          status: 501,
          headers: { "content-type": "application/json", "content-length": String(text.length) },
          text
        })
        assert.deepStrictEqual(yield* Setup.traces, Setup.nothing)
      }).pipe(Effect.provide(Setup.layer([])))
  )

  it.effect.each(Table.times(routes, notMeant))(
    "is none if it only looks like one: $background with $call",
    ({ background, ...call }) =>
      Effect.gen(function* () {
        const body = withMember(call, background)
        const { status, text } = yield* TestGateway.fetch(call.path, { headers, body })

        assert.deepStrictEqual({ status, text }, { status: 200, text: call.text })
        assert.deepStrictEqual(
          (yield* Setup.requests).map((request) => request.text),
          [body]
        )
      }).pipe(Effect.provide(Setup.layer([call.good])))
  )

  it.effect.each(Calls.bridged.filter((call) => call.fixture !== fixture))(
    "is nothing that a dialect without such a member knows: $call",
    (call) =>
      Effect.gen(function* () {
        const { status } = yield* TestGateway.fetch(call.path, { body: withMember(call, "true") })

        assert.strictEqual(status, 200)
      }).pipe(Effect.provide(Setup.layer([call.good])))
  )
})

describe("A response that follows another", () => {
  const members = [
    { member: `"previous_response_id": "resp_00"` },
    { member: `"previous_response_id":null` },
    { member: `"conversation":{"id":"conv_1"},"store":true,"include":["reasoning.encrypted_content"]` },
    { member: `"input":[{"type":"function_call_output","call_id":"call_a","output":"\\u00fc 1.0"}]` }
  ]

  it.effect.each(Table.times(routes, members))(
    "passes byte for byte, there and back: $member with $call",
    ({ path, member, isStreaming, ...call }) =>
      Effect.gen(function* () {
        const body = `{ "model":"gpt-5.1" , "stream": ${isStreaming},\n${member} }\n`
        const { text } = yield* TestGateway.fetch(path, { headers, body })

        assert.strictEqual(text, call.text)
        assert.include(text, `"previous_response_id":"resp_00"`)
        assert.include(text, `"id":"resp_01"`)
        assert.deepStrictEqual(
          (yield* Setup.requests).map((request) => request.text),
          [body]
        )
      }).pipe(Effect.provide(Setup.layer([call.good])))
  )

  it.effect.each([
    { method: "GET", below: "resp_1" },
    { method: "GET", below: "resp_1?stream=true&starting_after=3" },
    { method: "DELETE", below: "resp_1" },
    { method: "POST", below: "resp_1/cancel" },
    { method: "GET", below: "resp_1/input_items" },
    { method: "POST", below: "input_tokens" }
  ])("can be asked for, and the like: $method responses/$below", ({ method, below }) =>
    Effect.gen(function* () {
      const { status, text } = yield* TestGateway.fetch(`/openai/v1/responses/${below}`, { method })

      assert.deepStrictEqual({ status, text }, { status: 200, text: fixture.answerText })
      assert.deepStrictEqual(
        (yield* Setup.requests).map((request) => [request.method, request.path]),
        [[method, `/v1/responses/${below}`]]
      )
      assert.deepStrictEqual(yield* Setup.records, [])
    }).pipe(Effect.provide(Setup.layer([fixture.answer200])))
  )
})
