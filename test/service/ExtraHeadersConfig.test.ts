import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { inspect } from "node:util"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as EffectiveConfig from "../../src/service/EffectiveConfig.ts"
import * as LiveCheck from "../../src/service/LiveCheck.ts"
import * as ProviderSet from "../../src/service/ProviderSet.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"

type Files = Readonly<Record<string, string>>

/** What is read out of these variables and files; one that is `a.yaml` is the configuration. */
const load = (environment: ServiceConfig.Environment, files: Files = {}) =>
  ServiceConfig.load({
    environment,
    file: Object.keys(files).find((name) => name === "a.yaml"),
    readFile: (path) => Result.fromNullishOr(files[path], () => "ENOENT")
  })

const yaml = (extraHeaders: string): Files => ({
  "a.yaml": `providers: [{ type: openai, keys: sk-first, extraHeaders: ${extraHeaders} }]`
})

const openai = { AIBRIDGE_PROVIDER_0_TYPE: "openai", AIBRIDGE_PROVIDER_0_KEYS: "sk-first" }
const withHeaders = (text: string) => ({ ...openai, AIBRIDGE_PROVIDER_0_EXTRA_HEADERS: text })
const fromFile = { ...openai, AIBRIDGE_PROVIDER_0_EXTRA_HEADERS_FILE: "h" }

const headersOf = ({ providers }: ServiceConfig.ServiceConfig) =>
  providers[0]?.extraHeaders.map(([name, value]) => [name, Redacted.value(value)])

const both = [
  ["x-team", "abc"],
  ["x-two", "d=e=="]
]

describe("Extra headers", () => {
  it.effect.each<{ readonly written: string; readonly environment?: object; readonly files?: Files }>([
    { written: "in a variable", environment: withHeaders("X-Team=abc, x-two = d=e== ") },
    {
      written: "in a file of their own, one a line",
      environment: fromFile,
      files: { h: "X-Team=abc\r\n\n x-two=d=e==\n" }
    },
    { written: "as a mapping", files: yaml(`{ X-Team: abc, x-two: "d=e==" }`) },
    { written: "as a list", files: yaml(`[X-Team=abc, "x-two=d=e=="]`) },
    { written: "as text", files: yaml(`"X-Team=abc,x-two=d=e=="`) }
  ])("may stand $written", ({ environment, files }) =>
    Effect.gen(function* () {
      const config = yield* load({ ...environment }, files)

      assert.deepStrictEqual(headersOf(config), both)
      assert.deepStrictEqual(config.warnings, [])
    })
  )

  it.effect.each([
    { written: "a line of a file", environment: fromFile, files: { h: "x-list=a, b\n" } },
    { written: "a mapping", environment: {}, files: yaml(`{ x-list: "a, b" }`) }
  ])("may have a comma in their values in $written", ({ environment, files }) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(headersOf(yield* load(environment, files)), [["x-list", "a, b"]])
    })
  )

  const name = "AIBRIDGE_PROVIDER_0_EXTRA_HEADERS"
  const mistyped = "must be name=value, comma-separated, or hold texts by the names of headers"

  it.effect.each<{ readonly environment?: object; readonly files?: Files; readonly problem: string }>([
    { environment: withHeaders("never-shown"), problem: `${name}: entry at index 0 is not of the form name=value` },
    {
      environment: withHeaders("x-a=1,never-shown"),
      problem: `${name}: entry at index 1 is not of the form name=value`
    },
    { environment: withHeaders("x-a=1,"), problem: `${name}: entry at index 1 is not of the form name=value` },
    {
      environment: withHeaders("=never-shown"),
      problem: `${name}: entry at index 0 has a name that no header can have`
    },
    {
      environment: withHeaders("x-a=never\u00fcshown"),
      problem: `${name}: entry at index 0 has no value for x-a, or one with a line break or a character outside ASCII`
    },
    {
      environment: withHeaders("x-a=never-shown-1,X-A=never-shown-2"),
      problem: `${name}: entry at index 1 repeats the header x-a`
    },
    {
      environment: withHeaders("Authorization=Bearer never-shown"),
      problem: `${name}: entry at index 0 sets authorization, where the provider's key goes: use keys`
    },
    {
      environment: fromFile,
      files: { h: "host=never-shown" },
      problem: `${name}_FILE: entry at index 0 sets host, which belongs to the message itself`
    },
    { environment: fromFile, files: { h: "\n" }, problem: `${name}_FILE: the file h is empty` },
    { environment: fromFile, problem: `${name}_FILE: cannot read h (ENOENT)` },
    {
      environment: { ...withHeaders("x-a=never-shown"), ...fromFile },
      files: { h: "x-a=never-shown" },
      problem: `${name}_FILE: extraHeaders and extraHeadersFile are mutually exclusive`
    },
    { files: yaml("[]"), problem: "a.yaml: providers[0].extraHeaders: must hold at least one name=value" },
    {
      files: yaml("{ x-a: 12345 }"),
      problem: "a.yaml: providers[0].extraHeaders.x-a: must be text: put it in quotes"
    },
    { files: yaml("7"), problem: `a.yaml: providers[0].extraHeaders: ${mistyped}` },
    {
      files: yaml("{ connection: never-shown }"),
      problem:
        "a.yaml: providers[0].extraHeaders: entry at index 0 sets connection, which holds for one connection only"
    }
  ])("are refused by name, without what they hold: $problem", ({ environment, files, problem }) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(load({ ...environment }, files))

      assert.deepStrictEqual(error.problems, [problem])
      for (const text of [error.message, inspect(error, { depth: 10 })]) assert.notMatch(text, /never.{0,2}sh/)
    })
  )

  const aws = {
    AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
    AIBRIDGE_PROVIDER_0_BEDROCK_REGION: "eu-west-1",
    AIBRIDGE_PROVIDER_0_BEDROCK_MODEL: "big",
    AIBRIDGE_PROVIDER_0_BEDROCK_SMALL_FAST_MODEL: "small"
  }

  it.effect("of a signature are refused with Bedrock, and only there", () =>
    Effect.gen(function* () {
      const { AIBRIDGE_PROVIDER_0_EXTRA_HEADERS } = withHeaders("x-amzn-x=1,x-amz-date=never-shown")
      const error = yield* Effect.flip(load({ ...aws, AIBRIDGE_PROVIDER_0_EXTRA_HEADERS }))

      assert.deepStrictEqual(error.problems, [`${name}: entry at index 1 sets x-amz-date, the vendor's own`])
      assert.lengthOf((yield* load({ ...openai, AIBRIDGE_PROVIDER_0_EXTRA_HEADERS })).providers, 1)
      assert.deepStrictEqual(headersOf(yield* load({ ...aws, AIBRIDGE_PROVIDER_0_EXTRA_HEADERS: "x-amzn-x=1" })), [
        ["x-amzn-x", "1"]
      ])
    })
  )

  it.effect("are shown by their names and masked, and nowhere else", () =>
    Effect.gen(function* () {
      const config = yield* load(withHeaders("x-team=secret-never-shown-0001,x-two=b"))
      const lines = EffectiveConfig.render(EffectiveConfig.mask(config))

      assert.include(lines, "  extraHeaders: x-team=secr...0001, x-two=...")
      for (const text of [lines.join(), JSON.stringify(config), inspect(config, { depth: 10 })]) {
        assert.notInclude(text, "never-shown")
      }
      assert.include(EffectiveConfig.render(EffectiveConfig.mask(yield* load(openai))), "  extraHeaders: none")
    })
  )

  it.effect("become the provider's, and go with the question whether a key works", () =>
    Effect.gen(function* () {
      const config = yield* load(withHeaders("x-team=abc"))
      const [member] = yield* ProviderSet.make(config)
      yield* LiveCheck.ask(config)

      assert.deepStrictEqual(
        member?.provider.extraHeaders.map(([header, value]) => [header, Redacted.value(value)]),
        [["x-team", "abc"]]
      )
      const upstream = yield* ScriptedUpstream.ScriptedUpstream
      assert.deepInclude((yield* upstream.requests)[0]?.headers, { "x-team": "abc", authorization: "Bearer sk-first" })
    }).pipe(Effect.provide(ScriptedUpstream.layer([ScriptedUpstream.json(200, {})])))
  )
})
