import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as KeyPoolError from "../../src/keys/KeyPoolError.ts"

describe("KeyPoolError", () => {
  it("says that every key was refused", () => {
    const error = KeyPoolError.permanent("openai")

    assert.strictEqual(error._tag, "KeyPoolError")
    assert.strictEqual(error.provider, "openai")
    assert.strictEqual(error.reason._tag, "PermanentExhaustion")
    assert.strictEqual(error.message, "all configured keys failed authentication")
  })

  it.each([
    { millis: 0, text: "0s" },
    { millis: 1, text: "1ms" },
    { millis: 999, text: "999ms" },
    { millis: 1000, text: "1s" },
    { millis: 2500, text: "2.5s" },
    { millis: 5000, text: "5s" },
    { millis: 59_999, text: "59.999s" },
    { millis: 60_000, text: "1m0s" },
    { millis: 61_500, text: "1m1.5s" },
    { millis: 3_599_000, text: "59m59s" },
    { millis: 3_600_000, text: "1h0m0s" },
    { millis: 7_205_000, text: "2h0m5s" },
    { millis: 86_400_000, text: "24h0m0s" }
  ])("says that the keys are back after $text", ({ millis, text }) => {
    const error = KeyPoolError.transient("openai", Duration.millis(millis))

    assert.strictEqual(error.reason._tag, "TransientExhaustion")
    assert.strictEqual(error.message, `all configured keys are rate-limited (retry after ${text})`)
    assert.strictEqual(KeyPoolError.formatDelay(Duration.millis(millis)), text)
  })

  it("carries the soonest recovery as a duration", () => {
    const { reason } = KeyPoolError.transient("openai", Duration.seconds(10))

    assert.isTrue(reason._tag === "TransientExhaustion" && Duration.equals(reason.retryAfter, Duration.seconds(10)))
  })
})
