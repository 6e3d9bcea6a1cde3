import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"
import type { Environment } from "../../src/service/ServiceConfig.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"

const prefix = "AIBRIDGE_PROVIDER_0"

/** An anthropic provider with these fields, by the end of their names. */
const fields = (values: Readonly<Record<string, string>>): Environment => ({
  [`${prefix}_TYPE`]: "anthropic",
  ...Object.fromEntries(Object.entries(values).map(([field, value]) => [`${prefix}_${field}`, value]))
})

const models = { BEDROCK_MODEL: "anthropic.big", BEDROCK_SMALL_FAST_MODEL: "anthropic.small" }
const region = { BEDROCK_REGION: "us-west-2" }
const minimal = { ...models, ...region }
const noAdditions = {
  requiresAdaptiveThinking: [],
  supportsAdaptiveThinking: [],
  betaFlags: [],
  exemptFields: []
}

const read = (values: Readonly<Record<string, string>>) =>
  Effect.map(ServiceConfig.fromEnvironment(fields(values)), ({ providers }) => providers[0]?.bedrock)

const exposed = Effect.fnUntraced(function* (values: Readonly<Record<string, string>>) {
  const bedrock = yield* read({ ...minimal, ...values })
  return bedrock?.credentials?.map((each) => [each.accessKeyId, Redacted.value(each.secretAccessKey)])
})

describe("Bedrock", () => {
  it.effect("is off if nothing of it is set", () =>
    Effect.gen(function* () {
      assert.isUndefined(yield* read({}))
    })
  )

  it.effect.each([
    { by: "a region", values: region, is: { region: "us-west-2" } },
    {
      by: "a base URL",
      values: { BEDROCK_BASE_URL: "https://bedrock.test/x" },
      is: { baseUrl: "https://bedrock.test/x" }
    },
    {
      by: "both",
      values: { ...region, BEDROCK_BASE_URL: "https://bedrock.test" },
      is: { region: "us-west-2", baseUrl: "https://bedrock.test" }
    }
  ])("is on by $by and two models, with the default chain", ({ values, is }) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read({ ...models, ...values }), {
        model: "anthropic.big",
        smallFastModel: "anthropic.small",
        models: noAdditions,
        ...is
      })
    })
  )

  it.effect.each([
    { values: { BEDROCK_ACCESS_KEY: "AKIA1", BEDROCK_ACCESS_KEY_SECRET: "s1" }, are: [["AKIA1", "s1"]] },
    {
      values: { BEDROCK_ACCESS_KEYS: " AKIA1 , AKIA2", BEDROCK_ACCESS_KEY_SECRETS: "s1, s2" },
      are: [
        ["AKIA1", "s1"],
        ["AKIA2", "s2"]
      ]
    },
    { values: { BEDROCK_ACCESS_KEYS: "AKIA1", BEDROCK_ACCESS_KEY_SECRET: "s1" }, are: [["AKIA1", "s1"]] },
    { values: { BEDROCK_ACCESS_KEY: "", BEDROCK_ACCESS_KEY_SECRETS: " " }, are: undefined }
  ])("has the credentials of $values", ({ values, are }) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* exposed(values), are)
    })
  )

  it.effect("warns of a temporary key, which needs what cannot be set", () =>
    Effect.gen(function* () {
      const { warnings } = yield* ServiceConfig.fromEnvironment(
        fields({ ...minimal, BEDROCK_ACCESS_KEY: "ASIA1", BEDROCK_ACCESS_KEY_SECRET: "s1" })
      )

      assert.deepStrictEqual(warnings, [
        `${prefix}_BEDROCK_ACCESS_KEY: a temporary key (ASIA...) needs a session token, which only the default chain has`
      ])
    })
  )

  it.effect("may be told what its models are and what they accept", () =>
    Effect.gen(function* () {
      const bedrock = yield* read({
        ...minimal,
        BEDROCK_MODEL_FAMILY: "anthropic.claude-opus-9",
        BEDROCK_SMALL_FAST_MODEL_FAMILY: "anthropic.claude-haiku-9",
        BEDROCK_REQUIRES_ADAPTIVE_THINKING: "anthropic.claude-opus-9, anthropic.claude-sonnet-9",
        BEDROCK_SUPPORTS_ADAPTIVE_THINKING: "haiku-9",
        BEDROCK_BETA_FLAGS: "new-2027-01-01, effort-2025-11-24:anthropic.claude-opus-9",
        BEDROCK_EXEMPT_FIELDS: "context_management:anthropic.claude-opus-9"
      })

      assert.strictEqual(bedrock?.modelFamily, "anthropic.claude-opus-9")
      assert.strictEqual(bedrock?.smallFastModelFamily, "anthropic.claude-haiku-9")
      assert.deepStrictEqual(bedrock?.models, {
        requiresAdaptiveThinking: ["anthropic.claude-opus-9", "anthropic.claude-sonnet-9"],
        supportsAdaptiveThinking: ["haiku-9"],
        betaFlags: [{ flag: "new-2027-01-01" }, { flag: "effort-2025-11-24", models: ["anthropic.claude-opus-9"] }],
        exemptFields: [{ field: "context_management", models: ["anthropic.claude-opus-9"] }]
      })
    })
  )

  const mutuallyExclusive = "KEY/KEYS and BEDROCK_* fields are mutually exclusive"
  const together = "both access key and access key secret must be provided together"

  it.effect.each([
    { given: "no region and no base URL", values: models, problems: ["BEDROCK_REGION: region or base url required"] },
    {
      given: "no models",
      values: region,
      problems: ["BEDROCK_MODEL: model required", "BEDROCK_SMALL_FAST_MODEL: small fast model required"]
    },
    {
      given: "a base URL that is none",
      values: { ...models, BEDROCK_BASE_URL: "bedrock.test" },
      problems: ["BEDROCK_BASE_URL: not a URL"]
    },
    {
      given: "a region that is none",
      values: { ...models, BEDROCK_REGION: "Frankfurt" },
      problems: ["BEDROCK_REGION: region must be one of AWS, such as us-east-1"]
    },
    {
      given: "a key without its secret",
      values: { ...minimal, BEDROCK_ACCESS_KEY: "AKIA1" },
      problems: [`BEDROCK_ACCESS_KEY_SECRET: ${together}`]
    },
    {
      given: "a secret without its key",
      values: { ...minimal, BEDROCK_ACCESS_KEY_SECRET: "never-shown" },
      problems: [`BEDROCK_ACCESS_KEY: ${together}`]
    },
    {
      given: "more keys than secrets",
      values: { ...minimal, BEDROCK_ACCESS_KEYS: "AKIA1,AKIA2", BEDROCK_ACCESS_KEY_SECRETS: "never-shown" },
      problems: ["BEDROCK_ACCESS_KEYS: BEDROCK_ACCESS_KEYS count (2) must match BEDROCK_ACCESS_KEY_SECRETS count (1)"]
    },
    {
      given: "one key and several",
      values: {
        ...minimal,
        BEDROCK_ACCESS_KEY: "AKIA1",
        BEDROCK_ACCESS_KEYS: "AKIA2",
        BEDROCK_ACCESS_KEY_SECRET: "never-shown"
      },
      problems: ["BEDROCK_ACCESS_KEYS: BEDROCK_ACCESS_KEY and BEDROCK_ACCESS_KEYS are mutually exclusive"]
    },
    {
      given: "one secret and several",
      values: {
        ...minimal,
        BEDROCK_ACCESS_KEY: "AKIA1",
        BEDROCK_ACCESS_KEY_SECRET: "never-shown",
        BEDROCK_ACCESS_KEY_SECRETS: "never-shown-2"
      },
      problems: [
        "BEDROCK_ACCESS_KEY_SECRETS: BEDROCK_ACCESS_KEY_SECRET and BEDROCK_ACCESS_KEY_SECRETS are mutually exclusive"
      ]
    },
    {
      given: "too many keys",
      values: {
        ...minimal,
        BEDROCK_ACCESS_KEYS: Array.from({ length: 101 }, (_, index) => `AKIA${index}`).join(","),
        BEDROCK_ACCESS_KEY_SECRETS: Array.from({ length: 101 }, (_, index) => `never-shown-${index}`).join(",")
      },
      problems: [
        "BEDROCK_ACCESS_KEYS: too many keys (101), maximum is 100",
        "BEDROCK_ACCESS_KEY_SECRETS: too many keys (101), maximum is 100"
      ]
    },
    {
      given: "a key twice",
      values: { ...minimal, BEDROCK_ACCESS_KEYS: "AKIA1,AKIA1", BEDROCK_ACCESS_KEY_SECRETS: "never-shown,other" },
      problems: ["BEDROCK_ACCESS_KEYS: duplicate key at index 1"]
    },
    {
      given: "an empty entry",
      values: { ...minimal, BEDROCK_ACCESS_KEYS: "AKIA1,", BEDROCK_ACCESS_KEY_SECRETS: "never-shown,other" },
      problems: ["BEDROCK_ACCESS_KEYS: key at index 1 is empty"]
    },
    {
      given: "a key of Anthropic's",
      values: { ...minimal, KEY: "sk-never-shown" },
      problems: [`KEY: ${mutuallyExclusive}`]
    },
    {
      given: "keys of Anthropic's",
      values: { ...minimal, KEYS: "sk-never-shown" },
      problems: [`KEYS: ${mutuallyExclusive}`]
    },
    {
      given: "a base URL of Anthropic's",
      values: { ...minimal, BASE_URL: "https://api.test" },
      problems: ["BASE_URL: is not used with BEDROCK_* fields: use BEDROCK_BASE_URL"]
    },
    {
      given: "another type",
      values: { ...minimal, TYPE: "openai" },
      problems: ["BEDROCK_MODEL: BEDROCK_* fields are only supported with TYPE anthropic"]
    },
    {
      given: "an exempt field without a model",
      values: { ...minimal, BEDROCK_EXEMPT_FIELDS: "context_management" },
      problems: [`BEDROCK_EXEMPT_FIELDS: entry "context_management" is not of the form name:model`]
    },
    {
      given: "a flag with an empty model",
      values: { ...minimal, BEDROCK_BETA_FLAGS: "new-1, new-2: " },
      problems: [`BEDROCK_BETA_FLAGS: entry "new-2:" is not of the form name:model`]
    },
    ...["REQUIRES_ADAPTIVE_THINKING", "SUPPORTS_ADAPTIVE_THINKING", "BETA_FLAGS", "EXEMPT_FIELDS"].map((field) => ({
      given: `an empty entry in ${field}`,
      values: { ...minimal, [`BEDROCK_${field}`]: "a:b,,c:d" },
      problems: [`BEDROCK_${field}: entry at index 1 is empty`]
    }))
  ])("is refused with $given, and no secret is told", ({ values, problems }) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(ServiceConfig.fromEnvironment(fields(values)))

      const wanted = problems.map((problem) => `${prefix}_${problem}`)
      const beginnings = error.problems.map((problem, index) => problem.slice(0, wanted[index]?.length))
      assert.deepStrictEqual(beginnings, wanted)
      assert.notInclude(inspect(error, { depth: 10 }) + JSON.stringify(error), "never-shown")
    })
  )

  it.effect("may share no secret with a caller's token", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        ServiceConfig.fromEnvironment({
          ...fields({ ...minimal, BEDROCK_ACCESS_KEY: "AKIA1", BEDROCK_ACCESS_KEY_SECRET: "one-secret" }),
          AIBRIDGE_TOKENS: "ada=one-secret"
        })
      )

      assert.match(error.message, /^AIBRIDGE_TOKENS: the token of ada is also a provider key/)
    })
  )
})
