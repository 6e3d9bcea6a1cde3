import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as CircuitBreakers from "../../src/upstream/CircuitBreakers.ts"
import * as Callers from "../../src/service/Callers.ts"
import { ConfigFiles } from "../../src/service/ConfigFiles.ts"
import * as ProviderSet from "../../src/service/ProviderSet.ts"
import * as Reload from "../../src/service/Reload.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"
import * as Logs from "../gateway/Logs.ts"

const environment = { AIBRIDGE_PROVIDER_0_TYPE: "anthropic", AIBRIDGE_PROVIDER_0_KEYS: "sk-first" }

describe("A defect in a reload", () => {
  it.effect("is a refusal that the log has, and not the end of all reloads", () =>
    Effect.gen(function* () {
      const config = yield* ServiceConfig.fromEnvironment(environment)
      const replaced: Array<string> = []
      let isBroken = true
      const signals = Stream.make("SIGHUP", "SIGHUP")
      const source = { environment, files: new ConfigFiles(), signals }
      const reload = yield* Reload.make({
        config,
        set: yield* ProviderSet.make(config),
        providers: {
          all: () => [],
          replace: () =>
            Effect.suspend(() => {
              if (isBroken) return Effect.die(new Error("broken"))
              return Effect.sync(() => void replaced.push("replaced"))
            })
        },
        callers: yield* Callers.make(config),
        breakers: yield* CircuitBreakers.make(),
        source,
        simulated: undefined
      })

      const lines = yield* Logs.of(reload.reload("first"))
      const outcome = reload.last()?.outcome
      isBroken = false
      yield* Effect.raceFirst(Reload.whenAsked(source, reload), Effect.yieldNow.pipe(Effect.repeat({ times: 50 })))

      assert.strictEqual(outcome?._tag, "Refused")
      assert.deepStrictEqual(
        lines.slice(0, 2).map(({ level, message }) => [level, message]),
        [
          ["ERROR", "reload failed by a defect"],
          ["ERROR", "configuration not reloaded: the one before goes on"]
        ]
      )
      assert.strictEqual(reload.last()?.outcome._tag, "Applied")
      assert.lengthOf(replaced, 2)
    })
  )
})
