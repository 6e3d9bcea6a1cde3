import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"

describe("An answer without a content type", () => {
  it.effect.each(Calls.all)("that is here at once gets none, on $call", ({ path, request }) =>
    Effect.gen(function* () {
      const { headers } = yield* TestGateway.fetch(path, request)

      assert.notProperty(headers, "content-type")
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.text(200, "bytes")])))
  )

  it.effect.each(Calls.all)("that comes bit by bit gets none, on $call", ({ path, request }) =>
    Effect.gen(function* () {
      const { headers, text } = yield* TestGateway.fetch(path, request)

      assert.notProperty(headers, "content-type")
      assert.strictEqual(text, "bytes")
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.streamed(200, ["by", "tes"])])))
  )
})

describe("An answer with a status that HTTP does not have", () => {
  it.effect.each(Calls.all)("is no answer, on $call", ({ path, request }) =>
    Effect.gen(function* () {
      const { status, text } = yield* TestGateway.fetch(path, request)

      assert.strictEqual(status, 502)
      assert.include(text, "upstream unreachable (INVALID_STATUS)")
    }).pipe(Effect.provide(Setup.layer([ScriptedUpstream.text(700, "bytes")])))
  )
})
