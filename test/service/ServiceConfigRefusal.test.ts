import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { inspect } from "node:util"
import type { Environment } from "../../src/service/ServiceConfig.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"

interface Refusal {
  readonly behaviour: string
  readonly environment: Environment
  /** The problems, each by its beginning. */
  readonly problems: ReadonlyArray<string>
}

const anthropic = { AIBRIDGE_PROVIDER_0_TYPE: "anthropic" }
const keys = (text: string): Environment => ({ ...anthropic, AIBRIDGE_PROVIDER_0_KEYS: text })
const malformed = (index: number) =>
  `AIBRIDGE_PROVIDER_0_KEYS: key at index ${index} is empty or has a space, a line break or a character outside ASCII`
const loopbackOnly = (host: string) => `AIBRIDGE_TOKENS: must be set while AIBRIDGE_HOST is ${host}: `

const refusals: ReadonlyArray<Refusal> = [
  ...["http", "-1", "1.5", "65536", "0x50", "8787,8788", "1e3"].map((port) => ({
    behaviour: `a port that is ${port}`,
    environment: { AIBRIDGE_PORT: port },
    problems: ["AIBRIDGE_PORT: must be a number from 0 to 65535"]
  })),
  ...["0.0.0.0", "::", "[::]", "192.0.2.1", "gateway.test", "127.0.0.1.test", "localhost.test"].map((host) => ({
    behaviour: `no tokens on ${host}`,
    environment: { AIBRIDGE_HOST: host },
    problems: [loopbackOnly(host)]
  })),
  {
    behaviour: "tokens that are blank on an address that is not loopback",
    environment: { AIBRIDGE_HOST: "0.0.0.0", AIBRIDGE_TOKENS: " " },
    problems: [loopbackOnly("0.0.0.0")]
  },
  {
    behaviour: "a token without a name before it",
    environment: { AIBRIDGE_TOKENS: "ada=t-never-shown-1,t-never-shown-2" },
    problems: ["AIBRIDGE_TOKENS: entry at index 1 is not of the form name=token"]
  },
  {
    behaviour: "a token with an empty name",
    environment: { AIBRIDGE_TOKENS: "=t-never-shown" },
    problems: ["AIBRIDGE_TOKENS: entry at index 0 has no name"]
  },
  ...["ada=", "ada= ", "ada=t never-shown", "ada=t\nnever-shown", "ada=t\u00e9-never-shown"].map((tokens) => ({
    behaviour: `the token of ${JSON.stringify(tokens)}`,
    environment: { AIBRIDGE_TOKENS: tokens },
    problems: ["AIBRIDGE_TOKENS: entry at index 0 has no token, or one with a space, a line break"]
  })),
  {
    behaviour: "the same token twice",
    environment: { AIBRIDGE_TOKENS: "ada=t-never-shown,grace=t-other,eve=t-never-shown" },
    problems: ["AIBRIDGE_TOKENS: entry at index 2 repeats the token of an earlier one"]
  },
  {
    behaviour: "an empty entry among the tokens",
    environment: { AIBRIDGE_TOKENS: "ada=t-never-shown," },
    problems: ["AIBRIDGE_TOKENS: entry at index 1 is not of the form name=token"]
  },
  {
    behaviour: "an empty list of keys",
    environment: keys(""),
    problems: ["AIBRIDGE_PROVIDER_0_KEYS: no keys provided"]
  },
  {
    behaviour: "a blank list of keys",
    environment: keys(" \n"),
    problems: ["AIBRIDGE_PROVIDER_0_KEYS: no keys provided"]
  },
  {
    behaviour: "a KEY that is empty",
    environment: { ...anthropic, AIBRIDGE_PROVIDER_0_KEY: "" },
    problems: ["AIBRIDGE_PROVIDER_0_KEY: no keys provided"]
  },
  { behaviour: "a list of nothing but a comma", environment: keys(","), problems: [malformed(0)] },
  { behaviour: "an empty key among keys", environment: keys("sk-never-shown,,sk-b"), problems: [malformed(1)] },
  { behaviour: "a key with a space", environment: keys("sk-a,sk-never shown"), problems: [malformed(1)] },
  { behaviour: "a key with a newline", environment: keys("sk-never\nshown"), problems: [malformed(0)] },
  { behaviour: "a key with a tab", environment: keys("sk-never\tshown"), problems: [malformed(0)] },
  { behaviour: "a key outside ASCII", environment: keys("sk-never-sh\u00f6wn"), problems: [malformed(0)] },
  {
    behaviour: "a key twice",
    environment: keys("sk-never-shown,sk-b, sk-never-shown "),
    problems: ["AIBRIDGE_PROVIDER_0_KEYS: duplicate key at index 2"]
  },
  {
    behaviour: "101 keys",
    environment: keys(Array.from({ length: 101 }, (_, index) => `sk-never-shown-${index}`).join(",")),
    problems: ["AIBRIDGE_PROVIDER_0_KEYS: too many keys (101), maximum is 100"]
  },
  {
    behaviour: "both KEY and KEYS",
    environment: { ...keys("sk-never-shown-1"), AIBRIDGE_PROVIDER_0_KEY: "sk-never-shown-2" },
    problems: ["AIBRIDGE_PROVIDER_0_KEYS: KEY and KEYS are mutually exclusive"]
  },
  {
    behaviour: "an unknown type",
    environment: { AIBRIDGE_PROVIDER_0_TYPE: "gemini" },
    problems: ["AIBRIDGE_PROVIDER_0_TYPE: unknown TYPE, use anthropic, openai, copilot"]
  },
  ...["toString", "__proto__", "OpenAI"].map((type) => ({
    behaviour: `the type ${type}`,
    environment: { AIBRIDGE_PROVIDER_0_TYPE: type },
    problems: ["AIBRIDGE_PROVIDER_0_TYPE: unknown TYPE"]
  })),
  ...["KEY", "KEYS"].map((field) => ({
    behaviour: `${field} for copilot`,
    environment: { AIBRIDGE_PROVIDER_0_TYPE: "copilot", [`AIBRIDGE_PROVIDER_0_${field}`]: "gho-never-shown" },
    problems: [`AIBRIDGE_PROVIDER_0_${field}: KEY/KEYS are not supported for TYPE copilot`]
  })),
  ...["yes", "1", "on", "tru"].map((text) => ({
    behaviour: `a flag that is ${text}`,
    environment: { AIBRIDGE_SEND_ACTOR_HEADERS: text },
    problems: ["AIBRIDGE_SEND_ACTOR_HEADERS: must be true or false"]
  })),
  {
    behaviour: "a missing type",
    environment: { AIBRIDGE_PROVIDER_0_KEYS: "sk-never-shown" },
    problems: ["AIBRIDGE_PROVIDER_0_TYPE: TYPE is required"]
  },
  {
    behaviour: "an index that is no number",
    environment: { AIBRIDGE_PROVIDER_A_TYPE: "anthropic" },
    problems: ["AIBRIDGE_PROVIDER_A_TYPE: what follows AIBRIDGE_PROVIDER_ must be a number"]
  },
  ...["socks5://proxy.test:1080", "user:never-shown@proxy.test:3128:1", "http://"].map((url) => ({
    behaviour: `a proxy that is ${url.slice(0, 4)}...`,
    environment: { HTTPS_PROXY: url },
    problems: ["HTTPS_PROXY: must be the URL of a proxy, such as http://proxy.example:3128"]
  })),
  {
    behaviour: "a token that is a provider's key",
    environment: { ...anthropic, AIBRIDGE_PROVIDER_0_KEYS: "sk-never-shown", AIBRIDGE_TOKENS: "ada=sk-never-shown" },
    problems: ["AIBRIDGE_TOKENS: the token of ada is also a provider key: a token must be one of its own"]
  },
  ...["99999999999999999999999d", "5", "m", "0s", "-1m", "1.5h", "5 minutes", "1w"].map((time) => ({
    behaviour: `a time that is ${time}`,
    environment: { ...anthropic, AIBRIDGE_PROVIDER_0_RECHECK: time },
    problems: ["AIBRIDGE_PROVIDER_0_RECHECK: must be a positive number (at most 99999) with a unit: 30s, 5m, 2h or 1d"]
  })),
  ...["TOTAL_TIMEOUT", "PROVIDER_0_UPSTREAM_TIMEOUT", "PROVIDER_0_IDLE_TIMEOUT", "PROVIDER_0_TOTAL_TIMEOUT"].map(
    (name) => ({
      behaviour: `a ${name} of nothing`,
      environment: { ...anthropic, [`AIBRIDGE_${name}`]: "0s" },
      problems: [`AIBRIDGE_${name}: must be a positive number (at most 99999) with a unit: 30s, 5m, 2h or 1d`]
    })
  ),
  {
    behaviour: "a rest that is no time",
    environment: { ...anthropic, AIBRIDGE_PROVIDER_0_COOLDOWN: "5s,0s" },
    problems: ["AIBRIDGE_PROVIDER_0_COOLDOWN: entry at index 1 must be a positive number (at most 99999) with a unit"]
  },
  {
    behaviour: "a policy that is not known",
    environment: { ...anthropic, AIBRIDGE_PROVIDER_0_KEY_FAILURE_POLICY: "Lenient" },
    problems: ["AIBRIDGE_PROVIDER_0_KEY_FAILURE_POLICY: unknown policy, use strict or lenient"]
  },
  {
    behaviour: "an index with a leading zero",
    environment: { AIBRIDGE_PROVIDER_00_TYPE: "anthropic" },
    problems: ["AIBRIDGE_PROVIDER_00_TYPE: what follows AIBRIDGE_PROVIDER_ must be a number"]
  },
  {
    behaviour: "no index",
    environment: { AIBRIDGE_PROVIDER_KEYS: "sk-never-shown" },
    problems: ["AIBRIDGE_PROVIDER_KEYS: what follows AIBRIDGE_PROVIDER_ must be a number"]
  },
  {
    behaviour: "an index that was skipped",
    environment: { ...anthropic, AIBRIDGE_PROVIDER_2_TYPE: "anthropic", AIBRIDGE_PROVIDER_2_NAME: "two" },
    problems: ["AIBRIDGE_PROVIDER_1_TYPE: index 1 was skipped"]
  },
  {
    behaviour: "indexes that begin at 1",
    environment: { AIBRIDGE_PROVIDER_1_TYPE: "anthropic" },
    problems: ["AIBRIDGE_PROVIDER_0_TYPE: index 0 was skipped"]
  },
  {
    behaviour: "a default name twice",
    environment: { ...anthropic, AIBRIDGE_PROVIDER_1_TYPE: "anthropic" },
    problems: [`AIBRIDGE_PROVIDER_1_NAME: duplicate NAME "anthropic", AIBRIDGE_PROVIDER_0 has it too`]
  },
  {
    behaviour: "an explicit name twice",
    environment: {
      AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
      AIBRIDGE_PROVIDER_0_NAME: "eu",
      AIBRIDGE_PROVIDER_1_TYPE: "anthropic",
      AIBRIDGE_PROVIDER_1_NAME: "eu"
    },
    problems: [`AIBRIDGE_PROVIDER_1_NAME: duplicate NAME "eu", AIBRIDGE_PROVIDER_0 has it too`]
  },
  ...["EU", "eu_west", "eu/west", "eu west", "-eu", "eu--west", "eu-", "../eu"].map((name) => ({
    behaviour: `the name ${name}`,
    environment: { ...anthropic, AIBRIDGE_PROVIDER_0_NAME: name },
    problems: ["AIBRIDGE_PROVIDER_0_NAME: must contain only lowercase alphanumeric characters and hyphens"]
  })),
  ...["api.example.test", "ftp://example.test", "https://u:never-shown@example.test", "https://example.test/?a=b"].map(
    (url) => ({
      behaviour: `the base URL ${url.replace("never-shown", "...")}`,
      environment: { ...anthropic, AIBRIDGE_PROVIDER_0_BASE_URL: url },
      problems: ["AIBRIDGE_PROVIDER_0_BASE_URL: "]
    })
  ),
  {
    behaviour: "several things, all named at once",
    environment: {
      AIBRIDGE_HOST: "0.0.0.0",
      AIBRIDGE_PORT: "http",
      AIBRIDGE_TOKENS: "t-never-shown",
      AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
      AIBRIDGE_PROVIDER_0_NAME: "EU",
      AIBRIDGE_PROVIDER_0_KEYS: "sk-never shown",
      AIBRIDGE_PROVIDER_1_TYPE: "gemini"
    },
    problems: [
      "AIBRIDGE_PORT: ",
      "AIBRIDGE_TOKENS: entry at index 0 ",
      "AIBRIDGE_PROVIDER_0_NAME: ",
      malformed(0),
      "AIBRIDGE_PROVIDER_1_TYPE: ",
      loopbackOnly("0.0.0.0")
    ]
  }
]

describe("ServiceConfig.fromEnvironment", () => {
  it.effect.each(refusals)("refuses $behaviour, naming the option and no secret", ({ environment, problems }) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(ServiceConfig.fromEnvironment(environment))

      const beginnings = error.problems.map((problem, index) => problem.slice(0, problems[index]?.length))
      assert.deepStrictEqual(beginnings, problems)
      for (const text of [error.message, JSON.stringify(error), inspect(error, { depth: 10 })]) {
        assert.notMatch(text, /never.{0,2}sh/)
      }
    })
  )

  it.effect("says what to set when it may not be open", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(ServiceConfig.fromEnvironment({ AIBRIDGE_HOST: "0.0.0.0" }))

      assert.match(error.message, /Set AIBRIDGE_TOKENS=name=token, or listen on 127\.0\.0\.1$/)
    })
  )
})
