import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as OpenAi from "../../src/providers/OpenAi.ts"
import type * as TimeLimits from "../../src/providers/TimeLimits.ts"

describe("The time limits of a provider", () => {
  it.effect.each<{ readonly options: TimeLimits.Options } & TimeLimits.Resolved>([
    { options: {}, timeouts: undefined, totalTimeout: undefined },
    { options: { upstreamTimeout: "30 seconds" }, timeouts: { headers: 30_000 }, totalTimeout: undefined },
    { options: { idleTimeout: 1500 }, timeouts: { idle: 1500 }, totalTimeout: undefined },
    { options: { idleTimeout: "100 micros" }, timeouts: { idle: 1 }, totalTimeout: undefined },
    {
      options: { upstreamTimeout: Duration.infinity, idleTimeout: "1 hour", totalTimeout: "2 hours" },
      timeouts: { headers: 0, idle: 3_600_000 },
      totalTimeout: Duration.hours(2)
    }
  ])("are milliseconds, and 0 for none: $options", ({ options, timeouts, totalTimeout }) =>
    Effect.gen(function* () {
      const provider = yield* OpenAi.make(options)

      assert.deepStrictEqual(provider.timeouts, timeouts)
      assert.deepStrictEqual(provider.totalTimeout, totalTimeout)
    })
  )

  it.effect.each(
    (["upstreamTimeout", "idleTimeout", "totalTimeout"] as const).flatMap((option) => [
      { option, limit: 0 },
      { option, limit: -1 }
    ])
  )("cannot be $limit: $option", ({ option, limit }) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(OpenAi.make({ [option]: limit }))

      assert.strictEqual(error.message, `provider "openai": ${option}: must be a positive time`)
    })
  )
})
