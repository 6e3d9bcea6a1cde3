import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as UpstreamError from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import * as Logs from "./Logs.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

describe("A defect", () => {
  it.effect.each(Calls.all)(
    "in an embedder's layer is logged and answered with a 500, on $call",
    ({ path, request, fixture }) =>
      Effect.gen(function* () {
        let status = 0
        let text = ""
        const lines = yield* Logs.of(
          Effect.gen(function* () {
            const answer = yield* TestGateway.fetch(path, request)
            status = answer.status
            text = answer.text
          })
        )

        assert.strictEqual(status, 500)
        assert.strictEqual(text, fixture.errorText(500, "internal error"))
        assert.deepStrictEqual(
          lines.map(({ level }) => level),
          ["ERROR"]
        )
      }).pipe(Effect.provide(Setup.layer([Effect.die(new Error("broken"))])))
  )
})

describe("An upstream that fails on a passthrough route", () => {
  it.effect.each(Vendors.pooled)("is logged with the provider and the short code: $name", ({ name, prefix, models }) =>
    Effect.gen(function* () {
      const lines = yield* Logs.of(TestGateway.fetch(prefix + models))

      assert.deepStrictEqual(lines, [
        {
          level: "WARN",
          message: "upstream unreachable (ECONNREFUSED)",
          annotations: { provider: name, path: models, code: "ECONNREFUSED" }
        }
      ])
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.failure(UpstreamError.unreachable("ECONNREFUSED"))])))
  )

  it.effect.each(Vendors.pooled)("within its answer is logged, too: $name", ({ prefix, models }) =>
    Effect.gen(function* () {
      const lines = yield* Logs.of(Effect.exit(TestGateway.fetch(prefix + models)))

      assert.deepStrictEqual(
        lines.map(({ message }) => message),
        ["upstream closed the stream early"]
      )
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.streamed(200, ["half", UpstreamError.cut("ECONNRESET")])])))
  )
})
