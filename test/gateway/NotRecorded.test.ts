/** A recorder that has no room left. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { RecordEvent } from "../../src/domain/RecordEvent.ts"
import * as Gateway from "../../src/Gateway.ts"
import * as GatewayOptions from "../../src/GatewayOptions.ts"
import * as Authenticator from "../../src/inbound/Authenticator.ts"
import * as Anthropic from "../../src/providers/Anthropic.ts"
import * as Providers from "../../src/providers/Providers.ts"
import { Recorder } from "../../src/record/Recorder.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"

describe("A request whose start is not recorded", () => {
  it.effect.each([
    { recordFailure: "refuse", status: 503, calls: 0, says: "the gateway cannot record requests at the moment" },
    { recordFailure: "continue", status: 200, calls: 1, says: "{}" }
  ] as const)("is answered $status if the option is $recordFailure, and nothing else is recorded", (row) => {
    const offered: Array<RecordEvent["_tag"]> = []
    const full = Layer.succeed(Recorder, {
      record: ({ _tag }) =>
        Effect.sync(() => {
          offered.push(_tag)
          return false
        }),
      keeps: true,
      isUsable: () => false
    })
    const { recordFailure } = row
    const gateway = Gateway.layer.pipe(
      Layer.provideMerge(
        Layer.mergeAll(
          Providers.layer([Anthropic.make({ keys: [Redacted.make("first-key")] })]),
          Authenticator.layerLoopback,
          full,
          ScriptedUpstream.layer([ScriptedUpstream.json(200, {})])
        )
      ),
      Layer.provide(Layer.succeed(GatewayOptions.GatewayOptions, { ...GatewayOptions.defaults, recordFailure }))
    )
    return Effect.gen(function* () {
      const { status, headers, text } = yield* TestGateway.fetch("/anthropic/v1/messages", {
        body: { model: "claude" }
      })
      const upstream = yield* ScriptedUpstream.ScriptedUpstream

      assert.strictEqual(status, row.status)
      assert.include(text, row.says)
      assert.strictEqual(headers["retry-after"], row.status === 503 ? "1" : undefined)
      assert.lengthOf(yield* upstream.requests, row.calls)
      assert.deepStrictEqual(offered, ["InterceptionStarted"])
    }).pipe(Effect.provide(gateway))
  })
})
