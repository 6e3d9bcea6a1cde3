import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as EffectiveConfig from "../../src/service/EffectiveConfig.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"

describe("The settings of records", () => {
  it.effect("are read", () =>
    Effect.gen(function* () {
      const url = "postgres://ada:NEVER-SHOWN@db.example:5432/records"
      const config = yield* ServiceConfig.fromEnvironment({
        AIBRIDGE_DATABASE_URL: url,
        AIBRIDGE_RECORD_CONTENT: "false",
        AIBRIDGE_RECORD_FAILURE: "continue",
        AIBRIDGE_CLIENT_GONE: "drain",
        AIBRIDGE_RETENTION: "7d"
      })

      const { record } = config
      assert.deepStrictEqual(
        { ...record, url: Redacted.value(record.url) },
        { url, content: false, failure: "continue", clientGone: "drain", retention: Duration.days(7) }
      )
      assert.deepInclude(EffectiveConfig.mask(config), {
        databaseUrl: "postgres://...@db.example:5432/records",
        recordContent: false,
        recordFailure: "continue",
        clientGone: "drain",
        retention: "7d"
      })
    })
  )

  it.effect.each([
    { text: "sqlite:/var/lib/aibridge.db", shown: "sqlite:/var/lib/aibridge.db" },
    { text: "none", shown: "none" }
  ])("show $text as it is", ({ text, shown }) =>
    Effect.gen(function* () {
      const config = yield* ServiceConfig.fromEnvironment({ AIBRIDGE_DATABASE_URL: text, AIBRIDGE_RETENTION: "0s" })

      assert.deepInclude(EffectiveConfig.mask(config), { databaseUrl: shown, retention: "for ever" })
    })
  )

  it.effect.each([
    { variable: "AIBRIDGE_DATABASE_URL", text: "mysql://ada:NEVER-SHOWN@db", says: /must be sqlite:<path>, postgres:/ },
    { variable: "AIBRIDGE_RECORD_FAILURE", text: "NEVER-SHOWN", says: /must be refuse or continue$/ },
    { variable: "AIBRIDGE_CLIENT_GONE", text: "NEVER-SHOWN", says: /must be abort or drain$/ },
    { variable: "AIBRIDGE_RECORD_CONTENT", text: "NEVER-SHOWN", says: /must be true or false$/ }
  ])("refuse what $variable cannot be, without repeating it", ({ variable, text, says }) =>
    Effect.gen(function* () {
      const { problems } = yield* Effect.flip(ServiceConfig.fromEnvironment({ [variable]: text }))

      assert.lengthOf(problems, 1)
      assert.match(String(problems[0]), says)
      assert.isTrue(problems[0]?.startsWith(`${variable}: `))
      assert.notInclude(String(problems[0]), "NEVER-SHOWN")
    })
  )
})
