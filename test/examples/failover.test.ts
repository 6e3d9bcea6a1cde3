import { assert, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { Anthropic, Authenticator, Gateway, Providers, Recorder } from "effect-aibridge"
import { ScriptedUpstream, TestGateway } from "effect-aibridge/testing"
import { TestClock } from "effect/testing"

const { json } = ScriptedUpstream

const gateway = Gateway.layer.pipe(
  Layer.provideMerge(
    Layer.mergeAll(
      Providers.layer([Anthropic.make({ keys: [Redacted.make("first-key"), Redacted.make("second-key")] })]),
      Authenticator.layerLoopback,
      Recorder.layerNoop,
      ScriptedUpstream.layer([json(429, {}, { "retry-after": "30" }), json(200, {}), json(200, {}), json(200, {})])
    )
  )
)

it.effect("rests a limited key for as long as the provider says", () =>
  Effect.gen(function* () {
    const ask = TestGateway.fetch("/anthropic/v1/messages", { body: { model: "claude" } })

    const answer = yield* ask
    yield* TestClock.adjust("29.999 seconds")
    yield* ask
    yield* TestClock.adjust("1 millis")
    yield* ask

    const upstream = yield* ScriptedUpstream.ScriptedUpstream
    const keys = (yield* upstream.requests).map((request) => request.headers["x-api-key"])
    assert.strictEqual(answer.status, 200)
    assert.deepStrictEqual(keys, ["first-key", "second-key", "second-key", "first-key"])
  }).pipe(Effect.provide(gateway))
)
