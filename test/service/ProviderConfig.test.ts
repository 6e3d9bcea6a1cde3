import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Environment } from "../../src/service/ServiceConfig.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"

/** The providers, as variables set them: those of the list by number. */
const read = (environment: Environment) =>
  Effect.map(ServiceConfig.fromEnvironment(environment), ({ providers, warnings }) => {
    assert.deepStrictEqual(warnings, [])
    return providers.map(({ type, name, keys, baseUrl }) => [type, name, keys?.map(Redacted.value), baseUrl])
  })

const problemsOf = (environment: Environment) =>
  Effect.map(Effect.flip(ServiceConfig.fromEnvironment(environment)), ({ problems }) => problems)

/** Fields of providers, in their order. */
const listed = (...providers: ReadonlyArray<Readonly<Record<string, string>>>): Environment =>
  Object.fromEntries(
    providers.flatMap((fields, index) =>
      Object.entries(fields).map(([field, value]) => [`AIBRIDGE_PROVIDER_${index}_${field}`, value])
    )
  )

const hundred = (name: string) => Array.from({ length: 100 }, (_, index) => `${name}${index}`)

describe("Providers", () => {
  it.effect("of one type have their own names, keys and base URLs", () =>
    Effect.gen(function* () {
      const providers = yield* read(
        listed(
          { TYPE: "anthropic", NAME: "us", KEY: "sk-us", BASE_URL: "https://us.test" },
          { TYPE: "anthropic", NAME: "eu", KEYS: "sk-eu-1,sk-eu-2", BASE_URL: "https://eu.test" },
          { TYPE: "anthropic", KEY: "sk-default" }
        )
      )

      assert.deepStrictEqual(providers, [
        ["anthropic", "us", ["sk-us"], "https://us.test"],
        ["anthropic", "eu", ["sk-eu-1", "sk-eu-2"], "https://eu.test"],
        ["anthropic", "anthropic", ["sk-default"], undefined]
      ])
    })
  )

  it.effect("may have the same base URL", () =>
    Effect.gen(function* () {
      const same = { TYPE: "openai", KEY: "sk-a", BASE_URL: "https://api.test/v1" }

      const providers = yield* read(listed({ ...same, NAME: "one" }, { ...same, NAME: "two" }))

      assert.deepStrictEqual(providers, [
        ["openai", "one", ["sk-a"], "https://api.test/v1"],
        ["openai", "two", ["sk-a"], "https://api.test/v1"]
      ])
    })
  )

  it.effect.each([
    "PROVIDER_0_TYPE",
    "CODER_PROVIDER_0_TYPE",
    "MY_AIBRIDGE_PROVIDER_0_TYPE",
    "aibridge_provider_0_type",
    "AIBRIDGEPROVIDER_0_TYPE",
    "OPENAI_KEY",
    "ANTHROPIC_API_KEY",
    "AWS_REGION"
  ])("are not there because of %s, which is not a word about them", (name) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({ [name]: "openai" }), [])
    })
  )

  it.effect.each([
    { given: "the first", first: { TYPE: "anthropic" }, second: { TYPE: "openai", NAME: "anthropic" } },
    { given: "the second", first: { TYPE: "openai", NAME: "anthropic" }, second: { TYPE: "anthropic" } }
  ])("may not share a name that $given has because of its type", ({ first, second }) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* problemsOf(listed(first, second)), [
        `AIBRIDGE_PROVIDER_1_NAME: duplicate NAME "anthropic", AIBRIDGE_PROVIDER_0 has it too`
      ])
    })
  )

  it.effect("may not have a key that is blank among others", () =>
    Effect.gen(function* () {
      const [problem = "", ...others] = yield* problemsOf(listed({ TYPE: "openai", KEYS: "sk-a, ,sk-b" }))

      assert.match(problem, /^AIBRIDGE_PROVIDER_0_KEYS: key at index 1 is empty/)
      assert.deepStrictEqual(others, [])
    })
  )

  const fields = [
    "REGION",
    "BASE_URL",
    "MODEL",
    "SMALL_FAST_MODEL",
    "ACCESS_KEY",
    "ACCESS_KEYS",
    "ACCESS_KEY_SECRET",
    "ACCESS_KEY_SECRETS"
  ].map((field) => ({ field, value: field === "REGION" ? "us-east-1" : "https://bedrock.test" }))

  it.effect.each(fields)("have BEDROCK_$field only if their type is anthropic", ({ field, value }) =>
    Effect.gen(function* () {
      for (const TYPE of ["openai", "copilot"]) {
        assert.deepStrictEqual(yield* problemsOf(listed({ TYPE, [`BEDROCK_${field}`]: value })), [
          `AIBRIDGE_PROVIDER_0_BEDROCK_${field}: BEDROCK_* fields are only supported with TYPE anthropic`
        ])
      }
    })
  )

  it.effect("on Bedrock may have 100 access keys", () =>
    Effect.gen(function* () {
      const config = yield* ServiceConfig.fromEnvironment(
        listed({
          TYPE: "anthropic",
          BEDROCK_REGION: "us-east-1",
          BEDROCK_MODEL: "big",
          BEDROCK_SMALL_FAST_MODEL: "small",
          BEDROCK_ACCESS_KEYS: hundred("AKIA").join(","),
          BEDROCK_ACCESS_KEY_SECRETS: hundred("secret-").join(",")
        })
      )

      const credentials = config.providers[0]?.bedrock?.credentials ?? []
      assert.deepStrictEqual(
        credentials.map(({ accessKeyId }) => accessKeyId),
        hundred("AKIA")
      )
      assert.deepStrictEqual(
        credentials.map(({ secretAccessKey }) => Redacted.value(secretAccessKey)),
        hundred("secret-")
      )
    })
  )
})

describe("The only provider of a type", () => {
  it.effect.each(["openai", "anthropic"])("and a listed one exclude each other if that is called %s", (name) =>
    Effect.gen(function* () {
      const key = `AIBRIDGE_${name.toUpperCase()}_KEY`
      const problems = yield* problemsOf({ [key]: "sk-never-shown", ...listed({ TYPE: "copilot", NAME: name }) })

      assert.deepStrictEqual(problems, [
        `${key}: conflicts with indexed provider named "${name}"; remove one or the other`
      ])
    })
  )

  it.effect("goes with a listed one of its type that has another name, and comes first", () =>
    Effect.gen(function* () {
      const list = listed({ TYPE: "openai", NAME: "other", KEY: "sk-b" })

      assert.deepStrictEqual(yield* read({ ...list, AIBRIDGE_OPENAI_KEY: "sk-a" }), [
        ["openai", "openai", ["sk-a"], undefined],
        ["openai", "other", ["sk-b"], undefined]
      ])
    })
  )
})
