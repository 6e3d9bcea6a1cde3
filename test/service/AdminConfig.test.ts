import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Environment } from "../../src/service/ServiceConfig.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"

const problems = (environment: Environment) =>
  Effect.map(Effect.flip(ServiceConfig.fromEnvironment(environment)), (error) => error.problems)

const anthropic = { AIBRIDGE_PROVIDER_0_TYPE: "anthropic", AIBRIDGE_PROVIDER_0_KEYS: "sk-NEVER-SHOWN-key" }
const readFile = () => Result.fail("ENOENT")

describe("The settings of the admin API", () => {
  it.effect("are read", () =>
    Effect.gen(function* () {
      const { admin } = yield* ServiceConfig.fromEnvironment({
        AIBRIDGE_ADMIN_HOST: "0.0.0.0",
        AIBRIDGE_ADMIN_PORT: "9000",
        AIBRIDGE_ADMIN_TOKEN: "the-admin-token"
      })

      assert.deepStrictEqual(
        { ...admin, token: admin.token && Redacted.value(admin.token) },
        {
          host: "0.0.0.0",
          port: 9000,
          token: "the-admin-token"
        }
      )
    })
  )

  it.effect.each([
    {
      what: "an address that others reach, without a token",
      environment: { AIBRIDGE_ADMIN_HOST: "0.0.0.0" },
      says: /^AIBRIDGE_ADMIN_TOKEN: must be set while AIBRIDGE_ADMIN_HOST is 0\.0\.0\.0/
    },
    {
      what: "the port of the gateway",
      environment: { AIBRIDGE_ADMIN_PORT: "8787" },
      says: /^AIBRIDGE_ADMIN_PORT: is the port of the gateway itself, 8787: the admin API needs one of its own$/
    },
    {
      what: "a token that no header can carry",
      environment: { AIBRIDGE_ADMIN_TOKEN: "NEVER SHOWN" },
      says: /^AIBRIDGE_ADMIN_TOKEN: is empty or has a space/
    },
    {
      what: "the token of a caller",
      environment: { AIBRIDGE_ADMIN_TOKEN: "NEVER-SHOWN-token", AIBRIDGE_TOKENS: "ada=NEVER-SHOWN-token" },
      says: /^AIBRIDGE_ADMIN_TOKEN: is also the token of a caller/
    },
    {
      what: "a provider's key",
      environment: { ...anthropic, AIBRIDGE_ADMIN_TOKEN: "sk-NEVER-SHOWN-key" },
      says: /^AIBRIDGE_ADMIN_TOKEN: is also a provider key/
    }
  ])("must not be $what", ({ environment, says }) =>
    Effect.gen(function* () {
      const found = yield* problems(environment)

      assert.lengthOf(found, 1)
      assert.match(String(found[0]), says)
      assert.notMatch(String(found[0]), /NEVER.SHOWN/)
    })
  )

  it.effect("are found by themselves, whatever else is wrong", () =>
    Effect.gen(function* () {
      const environment = { ...anthropic, AIBRIDGE_PORT: "http", AIBRIDGE_ADMIN_PORT: "9001" }

      assert.strictEqual((yield* ServiceConfig.loadAdmin({ environment, readFile })).port, 9001)
    })
  )

  it.effect.each([
    { environment: { AIBRIDGE_ADMIN_PORT: "http" }, file: undefined, says: "AIBRIDGE_ADMIN_PORT: must be a number" },
    {
      environment: { AIBRIDGE_ADMIN_TOKEN_FILE: "t" },
      file: undefined,
      says: "AIBRIDGE_ADMIN_TOKEN_FILE: cannot read t"
    },
    { environment: {}, file: "a.yaml", says: "a.yaml: cannot be read (ENOENT)" }
  ])("by themselves say what is wrong with them: $says", ({ environment, file, says }) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(ServiceConfig.loadAdmin({ environment, file, readFile }))

      assert.include(error.message, says)
    })
  )
})
