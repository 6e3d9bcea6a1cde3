import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { inspect } from "node:util"
import type { Environment } from "../../src/service/ServiceConfig.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"

/** What is read out of these files, the first of which is the configuration, and these variables. */
const load = (files: Readonly<Record<string, string>>, environment: Environment = {}) =>
  ServiceConfig.load({
    environment,
    file: Object.keys(files)[0],
    readFile: (path) => {
      const text = files[path]
      return text === undefined ? Result.fail("ENOENT") : Result.succeed(text)
    }
  })

const variables = (environment: Environment, files: Readonly<Record<string, string>> = {}) =>
  ServiceConfig.load({
    environment,
    readFile: (path) => {
      const text = files[path]
      return text === undefined ? Result.fail("ENOENT") : Result.succeed(text)
    }
  })

const problemsOf = (config: ReturnType<typeof load>) => Effect.map(Effect.flip(config), ({ problems }) => problems)

const keysOf = ({ providers }: ServiceConfig.ServiceConfig) => providers.map(({ keys }) => keys?.map(Redacted.value))

const yaml = `
host: 127.0.0.2
port: 0
tokens: [ada=token-1, "bob=token-2"]
sendActorHeaders: true
dumpDir: /dumps
httpsProxy: proxy.test:1
circuitBreaker: { enabled: true, timeout: 5s }
providers:
  - type: anthropic
    name: main
    keys: [sk-a, sk-b]
    keyFailurePolicy: lenient
    dumpDir: ./own
    circuitBreaker: { failureThreshold: 2 }
  - type: anthropic
    name: aws
    bedrock:
      region: eu-west-1
      model: big
      smallFastModel: small
      accessKeys: AKIA1
      accessKeySecrets: secret-1
`

const toml = `
host = "127.0.0.2"
port = "0"
tokens = "ada=token-1,bob=token-2"
sendActorHeaders = "true"
dumpDir = "/dumps"
httpsProxy = "proxy.test:1"
[circuitBreaker]
enabled = true
timeout = "5s"
[[providers]]
type = "anthropic"
name = "main"
keys = "sk-a, sk-b"
keyFailurePolicy = "lenient"
dumpDir = "./own"
circuitBreaker = { failureThreshold = "2" }
[[providers]]
type = "anthropic"
name = "aws"
[providers.bedrock]
region = "eu-west-1"
model = "big"
smallFastModel = "small"
accessKeys = ["AKIA1"]
accessKeySecrets = ["secret-1"]
`

const environment: Environment = {
  AIBRIDGE_HOST: "127.0.0.2",
  AIBRIDGE_PORT: "0",
  AIBRIDGE_TOKENS: "ada=token-1,bob=token-2",
  AIBRIDGE_SEND_ACTOR_HEADERS: "true",
  AIBRIDGE_DUMP_DIR: "/dumps",
  HTTPS_PROXY: "proxy.test:1",
  AIBRIDGE_CIRCUIT_BREAKER_ENABLED: "true",
  AIBRIDGE_CIRCUIT_BREAKER_TIMEOUT: "5s",
  AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
  AIBRIDGE_PROVIDER_0_NAME: "main",
  AIBRIDGE_PROVIDER_0_KEYS: "sk-a,sk-b",
  AIBRIDGE_PROVIDER_0_KEY_FAILURE_POLICY: "lenient",
  AIBRIDGE_PROVIDER_0_DUMP_DIR: "./own",
  AIBRIDGE_PROVIDER_0_CIRCUIT_BREAKER_FAILURE_THRESHOLD: "2",
  AIBRIDGE_PROVIDER_1_TYPE: "anthropic",
  AIBRIDGE_PROVIDER_1_NAME: "aws",
  AIBRIDGE_PROVIDER_1_BEDROCK_REGION: "eu-west-1",
  AIBRIDGE_PROVIDER_1_BEDROCK_MODEL: "big",
  AIBRIDGE_PROVIDER_1_BEDROCK_SMALL_FAST_MODEL: "small",
  AIBRIDGE_PROVIDER_1_BEDROCK_ACCESS_KEYS: "AKIA1",
  AIBRIDGE_PROVIDER_1_BEDROCK_ACCESS_KEY_SECRETS: "secret-1"
}

/** All that a configuration holds, secrets included. */
const shown = (config: ServiceConfig.ServiceConfig): unknown =>
  JSON.parse(
    JSON.stringify(config, (_, value) => (Redacted.isRedacted(value) ? { secret: Redacted.value(value) } : value))
  )

describe("A configuration file", () => {
  it.effect.each([
    { file: "aibridge.yaml", text: yaml },
    { file: "/etc/aibridge.YML", text: yaml },
    { file: "aibridge.toml", text: toml },
    { file: "aibridge.json", text: JSON.stringify(asJson()) }
  ])("$file says the same as variables do", ({ file, text }) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(shown(yield* load({ [file]: text })), shown(yield* variables(environment)))
    })
  )

  it.effect("gives way to variables, setting by setting", () =>
    Effect.gen(function* () {
      const config = yield* load(
        { "aibridge.yaml": yaml },
        {
          AIBRIDGE_PORT: "9000",
          AIBRIDGE_PROVIDER_0_KEYS: "sk-c",
          AIBRIDGE_PROVIDER_0_CIRCUIT_BREAKER_TIMEOUT: "7s",
          AIBRIDGE_PROVIDER_2_TYPE: "copilot",
          AIBRIDGE_HOST: " "
        }
      )

      assert.deepInclude(config, { host: "127.0.0.2", port: 9000 })
      assert.deepStrictEqual(keysOf(config), [["sk-c"], undefined, undefined])
      assert.deepStrictEqual(config.providers[0]?.circuitBreaker, { failureThreshold: 2, timeout: Duration.seconds(7) })
      assert.deepStrictEqual(
        config.providers.map(({ name }) => name),
        ["main", "aws", "copilot"]
      )
    })
  )

  it.effect.each(["aibridge.yaml", "aibridge.toml", "aibridge.json"])("%s may be empty, or nearly", (file) =>
    Effect.gen(function* () {
      const text = file.endsWith("json") ? "{}" : "# nothing\n"

      assert.deepStrictEqual(yield* load({ [file]: text }), yield* variables({}))
    })
  )

  it.effect("is told about with its names, everything that is wrong at once", () =>
    Effect.gen(function* () {
      const text = `
port: [1]
sendActorHeaders: 3
circuitBreaker: on
tokens: [ada, never-shown-0]
providers:
  - type: gemini
  - keys: [sk-never-shown-1, sk-never-shown-1]
  - type: openai
    name: one
    circuitBreaker: { statuses: [503, 429] }
  - type: openai
    name: one
    baseUrl: https://user:never-shown-2@api.test
`
      const problems = yield* problemsOf(load({ "a.yaml": text }, { AIBRIDGE_PROVIDER_3_RECHECK: "soon" }))

      assert.deepStrictEqual(problems, [
        "a.yaml: port: must be a number from 0 to 65535",
        "a.yaml: tokens: entry at index 0 is not of the form name=token",
        "a.yaml: sendActorHeaders: must be true or false",
        "a.yaml: circuitBreaker: must hold settings by their names",
        "a.yaml: providers[0].type: unknown TYPE, use anthropic, openai, copilot",
        "a.yaml: providers[1].keys: duplicate key at index 1",
        "a.yaml: providers[2].circuitBreaker.statuses: status 429 is about a key and cannot be a failure of the provider",
        "a.yaml: providers[3].baseUrl: must not hold a user name or password",
        "AIBRIDGE_PROVIDER_3_RECHECK: must be a positive number (at most 99999) with a unit: 30s, 5m, 2h or 1d",
        "a.yaml: providers[1].type: TYPE is required, use anthropic, openai, copilot",
        `a.yaml: providers[3].name: duplicate NAME "one", a.yaml: providers[2] has it too`
      ])
      assert.notInclude(inspect(problems), "never-shown")
    })
  )

  it.effect("is not named for what only variables have set", () =>
    Effect.gen(function* () {
      const file = { "a.yaml": "providers: [{ type: openai }]" }

      assert.deepStrictEqual(yield* problemsOf(load(file, { AIBRIDGE_PROVIDER_1_NAME: "x" })), [
        "AIBRIDGE_PROVIDER_1_TYPE: TYPE is required, use anthropic, openai, copilot"
      ])
    })
  )

  it.effect("may be wrong where variables are right", () =>
    Effect.gen(function* () {
      const problems = yield* problemsOf(load({ "a.yaml": "providers: 3" }, { AIBRIDGE_PROVIDER_0_TYPE: "openai" }))

      assert.lengthOf(problems, 1)
      assert.match(problems[0] ?? "", /^a\.yaml: providers: /)
    })
  )

  it.effect("is no unknown option where a variable names it", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* variables({ AIBRIDGE_CONFIG: "a.yaml" })).warnings, [])
    })
  )

  it.effect("is warned about for names that are none", () =>
    Effect.gen(function* () {
      const { warnings } = yield* load({
        "a.yaml": `hots: x\nproviders: [{ type: openai, keyz: 1, circuitBreaker: { x: 1 } }]`
      })

      assert.deepStrictEqual(warnings, [
        "ignoring unknown option a.yaml: hots (check for typos)",
        "ignoring unknown option a.yaml: providers[0].keyz (check for typos)",
        "ignoring unknown option a.yaml: providers[0].circuitBreaker.x (check for typos)"
      ])
    })
  )

  it.effect.each([
    { file: "a.yaml", text: "tokens: [never-shown\n" },
    { file: "a.json", text: `{"tokens": "never-shown` },
    { file: "a.toml", text: `tokens = never-shown` }
  ])("$file that cannot be read is told about without what it holds", ({ file, text }) =>
    Effect.gen(function* () {
      const [problem = "", ...others] = yield* problemsOf(load({ [file]: text }))

      assert.match(problem, new RegExp(`^${file}: cannot be read( \\(line \\d+.*\\))?$`))
      assert.deepStrictEqual(others, [])
    })
  )

  it.effect.each([
    { file: "a.yaml", text: "- 1", problem: "a.yaml: must hold settings by their names" },
    { file: "a.yaml", text: "text", problem: "a.yaml: must hold settings by their names" },
    { file: "a.ini", text: "", problem: "a.ini: must end in .yaml, .yml, .toml or .json" },
    { file: "aibridge", text: "", problem: "aibridge: must end in .yaml, .yml, .toml or .json" }
  ])("$file with $text is refused", ({ file, text, problem }) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* problemsOf(load({ [file]: text })), [problem])
    })
  )

  it.effect("that is not there is told about", () =>
    Effect.gen(function* () {
      const missing = ServiceConfig.load({ environment: {}, file: "a.yaml", readFile: () => Result.fail("ENOENT") })

      assert.deepStrictEqual(yield* problemsOf(missing), ["a.yaml: cannot be read (ENOENT)"])
    })
  )

  it("has a JSON Schema that knows every setting and nothing else", () => {
    const text = JSON.stringify(ServiceConfig.jsonSchema)

    for (const name of ["failureThreshold", "accessKeySecretsFile", "keyFailurePolicy", "httpProxy", "tokensFile"]) {
      assert.include(text, `"${name}":{`)
    }
    assert.include(text, `"additionalProperties":false`)
    assert.notInclude(text, `"additionalProperties":true`)
    assert.include(text, "So many failures in a row open a circuit. Default 5.")
  })
})

describe("A secret", () => {
  const anthropic = { AIBRIDGE_PROVIDER_0_TYPE: "anthropic" }

  it.effect.each([{ text: "sk-a,sk-b" }, { text: "sk-a\nsk-b\n" }, { text: " sk-a , sk-b \r\n\n" }])(
    "may be in a file that a variable names: $text",
    ({ text }) =>
      Effect.gen(function* () {
        const config = yield* variables(
          { ...anthropic, AIBRIDGE_PROVIDER_0_KEYS_FILE: "/run/keys" },
          { "/run/keys": text }
        )

        assert.deepStrictEqual(keysOf(config), [["sk-a", "sk-b"]])
      })
  )

  it.effect("may be in a file that the configuration file names", () =>
    Effect.gen(function* () {
      const config = yield* load({
        "a.yaml": `tokensFile: t\nproviders: [{ type: anthropic, keyFile: k }]`,
        t: "ada=token-1\n",
        k: "sk-a\n"
      })

      assert.deepStrictEqual(
        config.tokens.map(({ name, token }) => [name, Redacted.value(token)]),
        [["ada", "token-1"]]
      )
      assert.deepStrictEqual(keysOf(config), [["sk-a"]])
    })
  )

  it.effect("of Bedrock may be in a file", () =>
    Effect.gen(function* () {
      const { AIBRIDGE_PROVIDER_1_BEDROCK_ACCESS_KEY_SECRETS: _, ...others } = environment
      const from = { AIBRIDGE_PROVIDER_1_BEDROCK_ACCESS_KEY_SECRETS_FILE: "/run/secret" }

      const config = yield* variables({ ...others, ...from }, { "/run/secret": "secret-1\n" })

      assert.deepStrictEqual(shown(config), shown(yield* variables(environment)))
    })
  )

  it.effect.each([
    {
      given: "twice",
      values: { AIBRIDGE_TOKENS: "ada=never-shown", AIBRIDGE_TOKENS_FILE: "t" },
      problem: "AIBRIDGE_TOKENS_FILE: tokens and tokensFile are mutually exclusive"
    },
    {
      given: "in a file that is not there",
      values: { AIBRIDGE_TOKENS_FILE: "/run/none" },
      problem: "AIBRIDGE_TOKENS_FILE: cannot read /run/none (ENOENT)"
    },
    {
      given: "wrong in its file",
      values: { AIBRIDGE_TOKENS_FILE: "t" },
      problem: "AIBRIDGE_TOKENS_FILE: entry at index 0 is not of the form name=token"
    },
    {
      given: "in an empty file",
      values: { ...anthropic, AIBRIDGE_PROVIDER_0_KEYS_FILE: "empty" },
      problem: "AIBRIDGE_PROVIDER_0_KEYS_FILE: the file empty is empty"
    }
  ])("that is $given is refused by the name of its variable", ({ values, problem }) =>
    Effect.gen(function* () {
      const problems = yield* problemsOf(variables(values, { t: "never-shown", empty: "\n" }))

      assert.deepStrictEqual(problems, [problem])
    })
  )
})

describe("The names of the reference system", () => {
  it.effect("are understood", () =>
    Effect.gen(function* () {
      const renamed = Object.fromEntries(
        Object.entries(environment).map(([name, value]) => [name.replace(/^AIBRIDGE/, "CODER_AIBRIDGE"), value])
      )

      assert.deepStrictEqual(shown(yield* variables(renamed)), shown(yield* variables(environment)))
    })
  )

  it.effect("are used in messages, and warned about like others", () =>
    Effect.gen(function* () {
      const problems = yield* problemsOf(variables({ CODER_AIBRIDGE_PORT: "x" }))
      const { warnings } = yield* variables({ CODER_AIBRIDGE_PROT: "1" })

      assert.deepStrictEqual(problems, ["CODER_AIBRIDGE_PORT: must be a number from 0 to 65535"])
      assert.deepStrictEqual(warnings, ["ignoring unknown option CODER_AIBRIDGE_PROT (check for typos)"])
    })
  )

  it.effect("may stand beside ours if they say the same", () =>
    Effect.gen(function* () {
      const both = { AIBRIDGE_PORT: "1", CODER_AIBRIDGE_PORT: "1" }

      assert.strictEqual((yield* variables(both)).port, 1)
      assert.deepStrictEqual(yield* problemsOf(variables({ ...both, CODER_AIBRIDGE_PORT: "2" })), [
        "CODER_AIBRIDGE_PORT: AIBRIDGE_PORT says something else, remove one of them"
      ])
    })
  )
})

describe("The only provider of a type", () => {
  it.effect("needs no list", () =>
    Effect.gen(function* () {
      const { providers } = yield* variables({
        AIBRIDGE_OPENAI_KEY: "sk-a",
        AIBRIDGE_OPENAI_BASE_URL: "https://api.test/v1",
        AIBRIDGE_ANTHROPIC_KEY: "sk-b,sk-c",
        AIBRIDGE_PROVIDER_0_TYPE: "copilot"
      })

      assert.deepStrictEqual(
        providers.map(({ type, name, baseUrl, keys }) => [type, name, baseUrl, keys?.length]),
        [
          ["openai", "openai", "https://api.test/v1", 1],
          ["anthropic", "anthropic", undefined, 2],
          ["copilot", "copilot", undefined, undefined]
        ]
      )
    })
  )

  it.effect("may be Bedrock", () =>
    Effect.gen(function* () {
      const { providers } = yield* variables({
        AIBRIDGE_BEDROCK_REGION: "us-east-1",
        AIBRIDGE_BEDROCK_MODEL: "big",
        AIBRIDGE_BEDROCK_SMALL_FAST_MODEL: "small"
      })

      assert.deepStrictEqual(
        providers.map(({ name, bedrock }) => [name, bedrock?.region, bedrock?.model]),
        [["anthropic", "us-east-1", "big"]]
      )
    })
  )

  it.effect.each([
    { given: "a base URL alone", values: { AIBRIDGE_OPENAI_BASE_URL: "https://api.test" } },
    { given: "models alone", values: { AIBRIDGE_BEDROCK_MODEL: "big", AIBRIDGE_BEDROCK_SMALL_FAST_MODEL: "small" } }
  ])("is not there by $given", ({ values }) =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* variables(values)).providers, [])
    })
  )

  it.effect.each([
    {
      type: "openai",
      values: { AIBRIDGE_OPENAI_KEY: "sk-never-shown" },
      name: "AIBRIDGE_OPENAI_KEY"
    },
    {
      type: "anthropic",
      values: {
        AIBRIDGE_BEDROCK_REGION: "us-east-1",
        AIBRIDGE_BEDROCK_MODEL: "big",
        AIBRIDGE_BEDROCK_SMALL_FAST_MODEL: "small"
      },
      name: "AIBRIDGE_BEDROCK_REGION"
    }
  ])("and a listed one called $type exclude each other", ({ type, values, name }) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* problemsOf(variables({ ...values, AIBRIDGE_PROVIDER_0_TYPE: type })), [
        `${name}: conflicts with indexed provider named "${type}"; remove one or the other`
      ])
    })
  )

  it.effect("cannot have keys and Bedrock", () =>
    Effect.gen(function* () {
      const problems = yield* problemsOf(
        variables({ AIBRIDGE_ANTHROPIC_KEY: "sk-never-shown", AIBRIDGE_BEDROCK_REGION: "us-east-1" })
      )

      assert.deepStrictEqual(problems, [
        "AIBRIDGE_ANTHROPIC_KEY: KEY/KEYS and BEDROCK_* fields are mutually exclusive",
        "AIBRIDGE_BEDROCK_MODEL: model required: an id of Bedrock, an inference profile or its ARN",
        "AIBRIDGE_BEDROCK_SMALL_FAST_MODEL: small fast model required: it is asked for a Haiku"
      ])
    })
  )
})

function asJson() {
  return {
    host: "127.0.0.2",
    port: 0,
    tokens: ["ada=token-1", "bob=token-2"],
    sendActorHeaders: true,
    dumpDir: "/dumps",
    httpsProxy: "proxy.test:1",
    circuitBreaker: { enabled: true, timeout: "5s" },
    providers: [
      {
        type: "anthropic",
        name: "main",
        keys: ["sk-a", "sk-b"],
        keyFailurePolicy: "lenient",
        dumpDir: "./own",
        circuitBreaker: { failureThreshold: 2 }
      },
      {
        type: "anthropic",
        name: "aws",
        bedrock: {
          region: "eu-west-1",
          model: "big",
          smallFastModel: "small",
          accessKeys: ["AKIA1"],
          accessKeySecrets: ["secret-1"]
        }
      }
    ]
  }
}
