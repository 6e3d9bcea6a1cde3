import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as UpstreamError from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import * as Fixture from "./Fixture.ts"
import * as Logs from "./Logs.ts"
import * as Setup from "./Setup.ts"

describe("The log of a failover", () => {
  it.effect.each(Calls.all)("has one line for each key that changed, on $call", ({ path, request, good }) =>
    Effect.gen(function* () {
      const lines = yield* Logs.of(TestGateway.fetch(path, request))

      const facts = lines.map(({ level, message, annotations }) => [level, message.split(";")[0], annotations])
      const provider = "anthropic"
      assert.deepStrictEqual(facts, [
        ["INFO", "key marked temporary", { provider, api_key_hint: Setup.hint(0), status: 429, cooldown: "5s" }],
        ["WARN", "key marked permanent", { provider, api_key_hint: Setup.hint(1), status: 401 }]
      ])
      assert.notInclude(JSON.stringify(lines), "NEVER-SHOWN")
    }).pipe(Effect.provide(Setup.layer([Fixture.error(429, "5"), Fixture.error(401), good], { keys: 3 })))
  )

  it.effect("is silent about requests that need none", () =>
    Effect.gen(function* () {
      const lines = yield* Logs.of(
        Effect.forEach([1, 2], () => TestGateway.fetch(Setup.messages, Setup.blocking), { discard: true })
      )

      assert.deepStrictEqual(lines, [])
    }).pipe(Effect.provide(Setup.layer([Fixture.message200, Fixture.error(500)])))
  )

  it.effect.each([
    {
      behaviour: "no answer came",
      answer: ScriptedUpstream.failure(UpstreamError.unreachable("ECONNREFUSED")),
      message: "upstream unreachable (ECONNREFUSED)",
      code: "ECONNREFUSED"
    },
    {
      behaviour: "an answer broke off",
      answer: ScriptedUpstream.events([...Fixture.events.slice(0, 2), UpstreamError.cut("UND_ERR_SOCKET")]),
      message: "upstream closed the stream early",
      code: "UND_ERR_SOCKET"
    }
  ])("has a line when $behaviour", ({ answer, message, code }) =>
    Effect.gen(function* () {
      const lines = yield* Logs.of(TestGateway.fetch(Setup.messages, Setup.streaming))

      const [start] = yield* Setup.started
      assert.deepStrictEqual(lines, [
        {
          level: "WARN",
          message,
          annotations: { provider: "anthropic", interception_id: start?.id, api_key_hint: Setup.hint(0), code }
        }
      ])
    }).pipe(Effect.provide(Setup.layer([answer])))
  )
})
