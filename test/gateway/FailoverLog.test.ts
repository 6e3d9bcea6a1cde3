import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as UpstreamError from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import type { Fixture } from "./Fixture.ts"
import * as Logs from "./Logs.ts"
import * as Setup from "./Setup.ts"

describe("The log of a failover", () => {
  it.effect.each(Calls.all)(
    "has one line for each key that changed, on $call",
    ({ path, request, vendor, fixture, good }) =>
      Effect.gen(function* () {
        const lines = yield* Logs.of(TestGateway.fetch(path, request))

        const facts = lines.map(({ level, message, annotations }) => [level, message.split(";")[0], annotations])
        const provider = vendor.name
        assert.deepStrictEqual(facts, [
          ["INFO", "key marked temporary", { provider, api_key_hint: Setup.hint(0), status: 429, cooldown: "5s" }],
          ["WARN", "key marked permanent", { provider, api_key_hint: Setup.hint(1), status: 401 }]
        ])
        assert.notInclude(JSON.stringify(lines), "NEVER-SHOWN")
      }).pipe(Effect.provide(Setup.layer([fixture.error(429, "5"), fixture.error(401), good], { keys: 3 })))
  )

  it.effect.each(Calls.all)("is silent about two like $call that need none", ({ path, request, fixture, good }) =>
    Effect.gen(function* () {
      const lines = yield* Logs.of(Effect.forEach([1, 2], () => TestGateway.fetch(path, request), { discard: true }))

      assert.deepStrictEqual(lines, [])
    }).pipe(Effect.provide(Setup.layer([good, fixture.error(500)])))
  )

  const failures = [
    {
      behaviour: "no answer to it came",
      script: () => ScriptedUpstream.failure(UpstreamError.unreachable("ECONNREFUSED")),
      message: "upstream unreachable (ECONNREFUSED)",
      code: "ECONNREFUSED"
    },
    {
      behaviour: "its answer broke off",
      script: ({ events }: Fixture) =>
        ScriptedUpstream.events([...events.slice(0, 2), UpstreamError.cut("UND_ERR_SOCKET")]),
      message: "upstream closed the stream early",
      code: "UND_ERR_SOCKET"
    }
  ]

  it.effect.each(Table.times(Calls.streams, failures))(
    "has a line for $call when $behaviour",
    ({ path, request, vendor, fixture, script, message, code }) =>
      Effect.gen(function* () {
        const lines = yield* Logs.of(TestGateway.fetch(path, request))

        const [start] = yield* Setup.started
        assert.deepStrictEqual(lines, [
          {
            level: "WARN",
            message,
            annotations: { provider: vendor.name, interception_id: start?.id, api_key_hint: Setup.hint(0), code }
          }
        ])
      }).pipe(Effect.provide(Setup.layer([script(fixture)])))
  )
})
