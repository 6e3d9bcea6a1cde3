import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { createHash } from "node:crypto"
import { inspect } from "node:util"
import type { Environment } from "../../src/service/ServiceConfig.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"

const hashOf = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`
const hash = hashOf("token-never-shown")

const load = (text: string, environment: Environment = {}, file = "a.yaml") =>
  ServiceConfig.load({
    environment,
    file,
    readFile: (path) => (path === file ? Result.succeed(text) : Result.fail("ENOENT"))
  })

const problemsOf = (config: ReturnType<typeof load>) =>
  Effect.map(Effect.flip(config), ({ problems }) => {
    assert.notInclude(inspect(problems), "never-shown")
    assert.notInclude(inspect(problems), hash.slice(7))
    return problems
  })

/** Each token as it is used, its secret included. */
const tokensOf = (config: ReturnType<typeof load>) =>
  Effect.map(config, ({ tokens }) =>
    tokens.map(({ token, expires, ...others }) => ({
      token: Redacted.value(token),
      ...(expires && { expires: DateTime.formatIso(expires) }),
      ...others
    }))
  )

describe("A token in the configuration", () => {
  it.effect("may be its hash, in variables as well", () =>
    Effect.gen(function* () {
      const environment = {
        AIBRIDGE_TOKENS: `ada=${hash}, ada = token-2 ,bob=${hashOf("b").toUpperCase().toLowerCase()}`
      }

      assert.deepStrictEqual(yield* tokensOf(ServiceConfig.fromEnvironment(environment)), [
        { name: "ada", token: hash },
        { name: "ada", token: "token-2" },
        { name: "bob", token: hashOf("b") }
      ])
    })
  )

  const all = { expires: "2027-01-31T18:00:00.000Z", providers: ["anthropic", "eu"], models: ["claude-*", "gpt-5"] }
  const files = [
    {
      file: "a.yaml",
      text: `
providers: [{ type: anthropic }, { type: openai, name: eu }]
tokens:
  - ada=token-1
  - { name: " ada ", token: " token-2 " }
  - name: bob
    hash: ${hash}
    expires: 2027-01-31T18:00:00Z
    providers: [anthropic, eu]
    models: claude-*, gpt-5
`
    },
    {
      file: "a.json",
      text: JSON.stringify({
        providers: [{ type: "anthropic" }, { type: "openai", name: "eu" }],
        tokens: ["ada=token-1", { name: "ada", token: "token-2" }, { name: "bob", hash, ...all }]
      })
    },
    {
      file: "a.toml",
      text: `
tokens = [
  "ada=token-1",
  { name = "ada", token = "token-2" },
  { name = "bob", hash = "${hash}", expires = "2027-01-31T18:00:00Z", providers = "anthropic,eu", models = ["claude-*", "gpt-5"] }
]
[[providers]]
type = "anthropic"
[[providers]]
type = "openai"
name = "eu"
`
    }
  ]

  it.effect.each(files)("may have limits of its own in $file", ({ file, text }) =>
    Effect.gen(function* () {
      const config = load(text, {}, file)

      assert.deepStrictEqual(yield* tokensOf(config), [
        { name: "ada", token: "token-1" },
        { name: "ada", token: "token-2" },
        { name: "bob", token: hash, ...all }
      ])
      assert.deepStrictEqual((yield* config).warnings, [])
    })
  )

  it.effect.each([
    { written: "2027-01-31", means: "2027-01-31T00:00:00.000Z" },
    { written: "2028-02-29", means: "2028-02-29T00:00:00.000Z" },
    { written: "2027-01-31T18:00Z", means: "2027-01-31T18:00:00.000Z" },
    { written: "2027-01-31T18:00:00+02:00", means: "2027-01-31T16:00:00.000Z" },
    { written: "2027-01-31T18:00:00.5Z", means: "2027-01-31T18:00:00.500Z" }
  ])("expires at $means if it says $written", ({ written, means }) =>
    Effect.gen(function* () {
      const [token] = yield* tokensOf(load(`tokens: [{ name: ada, token: t, expires: ${JSON.stringify(written)} }]`))

      assert.strictEqual(token?.expires, means)
    })
  )

  it.effect.each([
    "soon",
    "2027-02-29",
    "2027-13-01",
    "2027-1-1",
    "2027-01-31T18:00:00",
    "2027-01-31 18:00:00Z",
    "2027-01-31T25:00:00Z",
    "1800000000"
  ])("cannot expire %s", (written) =>
    Effect.gen(function* () {
      const text = `tokens: [a=b, { name: ada, token: never-shown, expires: ${JSON.stringify(written)} }]`

      assert.deepStrictEqual(yield* problemsOf(load(text)), [
        "a.yaml: tokens[1].expires: must be a date, or a date and time with its zone, in quotes: 2027-01-31 or 2027-01-31T18:00:00Z"
      ])
    })
  )

  const at = "a.yaml: tokens: entry at index 0"
  const wrong: ReadonlyArray<{ readonly given: string; readonly problem: string }> = [
    { given: "{ token: never-shown }", problem: `${at} has no name` },
    { given: "{ name: ada }", problem: `${at} needs either a token or a hash` },
    {
      given: `{ name: ada, token: never-shown, hash: "${hash}" }`,
      problem: `${at} needs either a token or a hash`
    },
    {
      given: "{ name: ada, token: never shown }",
      problem: `${at} has no token, or one with a space, a line break or a character outside ASCII`
    },
    {
      given: `{ name: ada, hash: "${hash.slice(7)}" }`,
      problem: `${at} has a hash that is not sha256: and 64 hexadecimal digits`
    },
    {
      given: `{ name: ada, token: "sha256:never-shown" }`,
      problem: `${at} has a hash that is not sha256: and 64 hexadecimal digits`
    },
    {
      given: `"ada=${hash}0"`,
      problem: `${at} has a hash that is not sha256: and 64 hexadecimal digits`
    },
    {
      given: `ada=token-never-shown, { name: bob, hash: "${hash.toUpperCase().replace("SHA", "sha")}" }`,
      problem: "a.yaml: tokens: entry at index 1 repeats the token of an earlier one"
    },
    {
      given: "{ name: ada, token: t, providers: [] }",
      problem: "a.yaml: tokens[0].providers: must name at least one; without it all are allowed"
    },
    {
      given: "{ name: ada, token: t, providers: [anthropic, OpenAI] }",
      problem: "a.yaml: tokens[0].providers: entry at index 1 is no name of a provider"
    },
    {
      given: `{ name: ada, token: t, models: "" }`,
      problem: "a.yaml: tokens[0].models: must name at least one; without it all are allowed"
    },
    ...["[claude-opus, claude-*-4]", `[gpt, ""]`, "[a, '**']"].map((models) => ({
      given: `{ name: ada, token: t, models: ${models} }`,
      problem:
        "a.yaml: tokens[0].models: entry at index 1 must be a model's name, or the beginning of one with * at its end"
    })),
    { given: "{ name: 3, token: never-shown }", problem: "a.yaml: tokens[0].name: must be text" },
    { given: "3", problem: "a.yaml: tokens[0]: must be name=token, or hold a token's settings" }
  ]

  it.effect.each(wrong)("is refused as $given", ({ given, problem }) =>
    Effect.gen(function* () {
      const [first] = yield* problemsOf(load(`tokens: [${given}]`))

      assert.strictEqual(first, problem)
    })
  )

  it.effect("is told about once where it is no token at all, and what else is wrong is told, too", () =>
    Effect.gen(function* () {
      const text = "port: x\ntokens: [3, { name: ada, token: never-shown, expires: soon }]"

      assert.deepStrictEqual(
        (yield* problemsOf(load(text))).map((problem) => problem.slice(0, 29)),
        ["a.yaml: port: must be a number", "a.yaml: tokens[0]: must be name", "a.yaml: tokens[1].expires: must"].map(
          (each) => each.slice(0, 29)
        )
      )
    })
  )

  it.effect("with a setting that is none is refused: it could have been a limit", () =>
    Effect.gen(function* () {
      const problems = yield* problemsOf(load("tokens: [{ name: ada, token: t, expire: 2027-01-31 }]"))

      assert.deepStrictEqual(problems, ["a.yaml: tokens[0].expire: no setting of a token (check for typos)"])
    })
  )

  it.effect.each([
    { given: "as it is", token: "sk-never-shown" },
    { given: "by its hash", token: hashOf("sk-never-shown") }
  ])("that is a provider's key is refused, given $given", ({ token }) =>
    Effect.gen(function* () {
      const problems = yield* problemsOf(
        load("", {
          AIBRIDGE_TOKENS: `ada=${token}`,
          AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
          AIBRIDGE_PROVIDER_0_KEYS: "sk-first,sk-never-shown"
        })
      )

      assert.deepStrictEqual(problems, [
        "AIBRIDGE_TOKENS: the token of ada is also a provider key: a token must be one of its own"
      ])
    })
  )

  it.effect("for a provider that is not there is warned about", () =>
    Effect.gen(function* () {
      const tokens = "tokens: [{ name: ada, token: t, providers: [anthropic, openai] }]"

      assert.deepStrictEqual((yield* load(`${tokens}\nproviders: [{ type: openai }]`)).warnings, [
        `a.yaml: tokens: a token of ada is for the provider "anthropic", which is not configured`
      ])
      assert.deepStrictEqual((yield* load(tokens)).warnings, [])
    })
  )
})

describe("A token that expires", () => {
  const expires = "2027-01-31T18:00:00.000Z"
  const text = `tokens: [eve=t, { name: ada, token: never-shown, expires: "${expires}" }, { name: bob, hash: "${hash}" }]`
  const week = 7 * 86_400_000
  const about = "a.yaml: tokens[1].expires: the token of ada"
  const expired = `${about} has expired (${expires}) and is refused: give it a later date, or remove it`
  const soon = `${about} expires within 7d (${expires}): give its owner another one in time`

  it.effect.each([
    { when: "more than a week before", millis: -week - 1, warnings: [] },
    { when: "a week before", millis: -week, warnings: [soon] },
    { when: "up to its last moment", millis: -1, warnings: [soon] },
    { when: "when it is over", millis: 0, warnings: [expired] },
    { when: "long after", millis: 100 * week, warnings: [expired] }
  ])("is warned about with its owner, its date and its setting: $when", ({ millis, warnings }) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse(expires) + millis)

      assert.deepStrictEqual((yield* load(text)).warnings, warnings)
    })
  )
})

describe("The JSON Schema", () => {
  it("knows the settings of a token and nothing else of it", () => {
    const text = JSON.stringify(ServiceConfig.jsonSchema)

    const [token = ""] = /\{"type":"object","properties":\{"name":\{[^]*?"additionalProperties":false/.exec(text) ?? []
    for (const name of ["name", "token", "hash", "expires", "providers", "models"]) assert.include(token, `"${name}":{`)
  })
})

describe("Limits of callers", () => {
  it.effect("are read from variables and from a file", () =>
    Effect.gen(function* () {
      const environment = { AIBRIDGE_MAX_CONCURRENCY: "50", AIBRIDGE_RATE_LIMIT: "600", AIBRIDGE_ALLOW_BYOK: "false" }
      const expected = { maxConcurrency: 50, rateLimit: 600, allowByok: false }

      assert.deepInclude(yield* ServiceConfig.fromEnvironment(environment), expected)
      assert.deepInclude(yield* load("maxConcurrency: 50\nrateLimit: 600\nallowByok: false"), expected)
    })
  )

  it.effect("that are no numbers, or no flag, are refused", () =>
    Effect.gen(function* () {
      const environment = { AIBRIDGE_MAX_CONCURRENCY: "-1", AIBRIDGE_RATE_LIMIT: "1000001", AIBRIDGE_ALLOW_BYOK: "no" }

      assert.deepStrictEqual(yield* problemsOf(ServiceConfig.fromEnvironment(environment)), [
        "AIBRIDGE_MAX_CONCURRENCY: must be a number from 0 to 1000000",
        "AIBRIDGE_RATE_LIMIT: must be a number from 0 to 1000000",
        "AIBRIDGE_ALLOW_BYOK: must be true or false"
      ])
    })
  )
})

describe("Whether callers may bring a key of their own", () => {
  const providers = {
    AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
    AIBRIDGE_PROVIDER_0_KEYS: "sk-first",
    AIBRIDGE_PROVIDER_1_TYPE: "openai",
    AIBRIDGE_PROVIDER_1_KEYS: "sk-first",
    AIBRIDGE_PROVIDER_1_ALLOW_BYOK: "true",
    AIBRIDGE_PROVIDER_2_TYPE: "openai",
    AIBRIDGE_PROVIDER_2_NAME: "eu",
    AIBRIDGE_PROVIDER_2_KEYS: "sk-first",
    AIBRIDGE_PROVIDER_2_ALLOW_BYOK: "false"
  }

  it.effect.each([
    { all: undefined, allowed: [true, true, false] },
    { all: "true", allowed: [true, true, false] },
    { all: "false", allowed: [false, true, false] }
  ])("is what a provider says, else what is said for all: $all", ({ all, allowed }) =>
    Effect.gen(function* () {
      const config = yield* ServiceConfig.fromEnvironment({ ...providers, AIBRIDGE_ALLOW_BYOK: all })

      assert.deepStrictEqual(
        config.providers.map(({ allowByok }) => allowByok),
        allowed
      )
      assert.deepStrictEqual(config.warnings, [])
    })
  )

  it.effect.each([
    { option: "AIBRIDGE_ALLOW_BYOK", others: {} },
    { option: "AIBRIDGE_PROVIDER_0_ALLOW_BYOK", others: { AIBRIDGE_ALLOW_BYOK: "true" } }
  ])("is warned about where nobody has a key, by $option", ({ option, others }) =>
    Effect.gen(function* () {
      const { warnings } = yield* ServiceConfig.fromEnvironment({
        AIBRIDGE_PROVIDER_0_TYPE: "copilot",
        ...others,
        [option]: "false"
      })

      assert.deepStrictEqual(warnings, [
        `${option} is false, but provider "copilot" has no keys: it refuses all requests`
      ])
    })
  )

  it.effect("is no matter of Bedrock, whose credentials are never the caller's", () =>
    Effect.gen(function* () {
      const { warnings } = yield* ServiceConfig.fromEnvironment({
        AIBRIDGE_ALLOW_BYOK: "false",
        AIBRIDGE_BEDROCK_REGION: "us-east-1",
        AIBRIDGE_BEDROCK_MODEL: "big",
        AIBRIDGE_BEDROCK_SMALL_FAST_MODEL: "small"
      })

      assert.deepStrictEqual(warnings, [])
    })
  )
})
