import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"
import type { Environment } from "../../src/service/ServiceConfig.ts"
import * as KeyFailurePolicy from "../../src/keys/KeyFailurePolicy.ts"
import * as ProviderSet from "../../src/service/ProviderSet.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"

const configured = ServiceConfig.fromEnvironment

/** One provider with one key, and whatever else is set. */
const withProvider = (variables: Environment = {}): Environment => ({
  AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
  AIBRIDGE_PROVIDER_0_KEYS: "sk-first",
  ...variables
})

const keysOf = (provider: ServiceConfig.ProviderConfig | undefined) => provider?.keys?.map(Redacted.value)

describe("ServiceConfig.fromEnvironment", () => {
  it.effect("has a default for everything", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* configured({ PATH: "/usr/bin", HOME: "/root", ANTHROPIC_API_KEY: "sk-other" }), {
        host: "127.0.0.1",
        port: 8787,
        tokens: [],
        admin: { host: "127.0.0.1", port: 8788, token: undefined },
        providers: [],
        proxy: {},
        sendActorHeaders: false,
        maxConcurrency: 0,
        rateLimit: 0,
        allowByok: true,
        dumpDir: undefined,
        structuredLogging: false,
        shutdownTimeout: Duration.seconds(30),
        limits: {
          requestTimeout: Duration.minutes(5),
          upstreamTimeout: Duration.minutes(10),
          idleTimeout: Duration.minutes(10),
          totalTimeout: Duration.hours(1),
          maximumBodySize: 33_554_432,
          maximumHeaderSize: 65_536
        },
        circuitBreaker: undefined,
        record: {
          url: Redacted.make("sqlite:data/aibridge.db"),
          content: true,
          failure: "refuse",
          clientGone: "abort",
          retention: Duration.days(60)
        },
        telemetry: {
          endpoint: undefined,
          headers: [],
          signals: ["traces", "metrics"],
          serviceName: "aibridge",
          propagate: false,
          actorLabel: false,
          maximumModels: 100
        },
        tools: { servers: [], iterations: 10, timeout: Duration.seconds(60), resultSize: 1_048_576 },
        warnings: []
      })
    })
  )

  it.effect("takes a variable that is empty or blank as absent", () =>
    Effect.gen(function* () {
      const config = yield* configured({
        AIBRIDGE_HOST: "",
        AIBRIDGE_PORT: " ",
        AIBRIDGE_TOKENS: "",
        AIBRIDGE_PROVIDER_0_TYPE: "",
        HTTPS_PROXY: ""
      })

      assert.deepStrictEqual(config, yield* configured({}))
    })
  )

  it.effect.each([
    { text: "0", port: 0 },
    { text: " 8080 ", port: 8080 },
    { text: "65535", port: 65_535 }
  ])("takes the port $text", ({ text, port }) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* configured({ AIBRIDGE_PORT: text })).port, port)
    })
  )

  it.effect.each(["127.0.0.1", "127.8.9.10", "localhost", "::1", "[::1]"])("may be open on %s", (host) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* configured({ AIBRIDGE_HOST: host })).host, host)
    })
  )

  it.effect.each(["0.0.0.0", "::", "[::]", "192.0.2.1", "gateway.test"])("may listen on %s with a token", (host) =>
    Effect.gen(function* () {
      const config = yield* configured({ AIBRIDGE_HOST: host, AIBRIDGE_TOKENS: "ada=token-1" })

      assert.strictEqual(config.host, host)
    })
  )

  it.effect("reads tokens with their names; a token may hold an equals sign", () =>
    Effect.gen(function* () {
      const { tokens } = yield* configured({ AIBRIDGE_TOKENS: "ada=token-1, grace hopper = token==2 ,ada=token-3" })

      assert.deepStrictEqual(
        tokens.map(({ name, token }) => [name, Redacted.value(token)]),
        [
          ["ada", "token-1"],
          ["grace hopper", "token==2"],
          ["ada", "token-3"]
        ]
      )
    })
  )

  it.effect("reads a provider", () =>
    Effect.gen(function* () {
      const { providers } = yield* configured({
        AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
        AIBRIDGE_PROVIDER_0_NAME: "anthropic-eu",
        AIBRIDGE_PROVIDER_0_KEYS: " sk-b , sk-a\n",
        AIBRIDGE_PROVIDER_0_BASE_URL: "https://eu.example.test/base/"
      })

      assert.lengthOf(providers, 1)
      assert.deepInclude(providers[0], {
        type: "anthropic",
        name: "anthropic-eu",
        baseUrl: "https://eu.example.test/base/"
      })
      assert.deepStrictEqual(keysOf(providers[0]), ["sk-b", "sk-a"])
    })
  )

  it.effect("takes KEY for KEYS", () =>
    Effect.gen(function* () {
      const { providers } = yield* configured({
        AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
        AIBRIDGE_PROVIDER_0_KEY: "sk-a,sk-b"
      })

      assert.deepStrictEqual(keysOf(providers[0]), ["sk-a", "sk-b"])
    })
  )

  it.effect("takes a provider without keys as one whose callers bring theirs", () =>
    Effect.gen(function* () {
      const { providers } = yield* configured({ AIBRIDGE_PROVIDER_0_TYPE: "anthropic" })

      assert.deepStrictEqual(providers, [
        {
          type: "anthropic",
          name: "anthropic",
          baseUrl: undefined,
          keys: undefined,
          allowByok: true,
          keyFailurePolicy: KeyFailurePolicy.strict,
          cooldown: undefined,
          recheck: undefined,
          dumpDir: undefined,
          upstreamTimeout: undefined,
          idleTimeout: undefined,
          totalTimeout: undefined,
          extraHeaders: [],
          circuitBreaker: undefined,
          bedrock: undefined
        }
      ])
    })
  )

  it.effect.each([
    { all: undefined, own: undefined, dumpDir: undefined },
    { all: "/all", own: undefined, dumpDir: "/all" },
    { all: "/all", own: "own dir", dumpDir: "own dir" },
    { all: undefined, own: "~/own", dumpDir: "~/own" },
    { all: "/all", own: " ", dumpDir: "/all" }
  ])("reads where dumps go: $own rather than $all", ({ all, own, dumpDir }) =>
    Effect.gen(function* () {
      const config = yield* configured(
        withProvider({ CODER_AIBRIDGE_DUMP_DIR: all, CODER_AIBRIDGE_PROVIDER_0_DUMP_DIR: own })
      )

      assert.strictEqual(config.dumpDir, all)
      assert.strictEqual(config.providers[0]?.dumpDir, dumpDir)
      assert.deepStrictEqual(config.warnings, [])
    })
  )

  it.effect("dumps the only provider of a type where all are dumped", () =>
    Effect.gen(function* () {
      const { providers } = yield* configured({ AIBRIDGE_OPENAI_KEY: "sk-first", AIBRIDGE_DUMP_DIR: "/all" })

      assert.deepStrictEqual(
        providers.map(({ dumpDir }) => dumpDir),
        ["/all"]
      )
    })
  )

  it.effect("reads what becomes of a refused key", () =>
    Effect.gen(function* () {
      const { providers } = yield* configured(
        withProvider({ AIBRIDGE_PROVIDER_0_KEY_FAILURE_POLICY: "lenient", AIBRIDGE_PROVIDER_0_RECHECK: "90s" })
      )

      assert.deepStrictEqual(providers[0]?.keyFailurePolicy, KeyFailurePolicy.lenient)
      assert.deepStrictEqual(providers[0]?.recheck, Duration.seconds(90))
    })
  )

  it.effect.each([
    { text: "5m", recheck: Duration.minutes(5) },
    { text: "2h", recheck: Duration.hours(2) },
    { text: "1d", recheck: Duration.days(1) }
  ])("reads a time of $text", ({ text, recheck }) =>
    Effect.gen(function* () {
      const { providers } = yield* configured(withProvider({ AIBRIDGE_PROVIDER_0_RECHECK: text }))

      assert.deepStrictEqual(providers[0]?.recheck, recheck)
    })
  )

  it.effect("reads how long keys rest, for each limit of a row", () =>
    Effect.gen(function* () {
      const config = yield* configured(withProvider({ AIBRIDGE_PROVIDER_0_COOLDOWN: "5s, 1m" }))
      assert.deepStrictEqual(config.providers[0]?.cooldown, [Duration.seconds(5), Duration.minutes(1)])

      const [member] = yield* ProviderSet.make(config)
      const pool = member?.provider.keyFailover.pool
      const [key] = pool?.keys ?? []
      const rests: Array<number | undefined> = []
      for (let times = 0; times < 3; times++) {
        if (pool !== undefined && key !== undefined) rests.push(yield* pool.markTemporary(key))
        yield* TestClock.adjust("1 hour")
      }
      assert.deepStrictEqual(rests, [5_000, 3_600_000 + 60_000, 7_200_000 + 60_000])
    })
  )

  it.effect("reads how long things may take, for all and for one provider", () =>
    Effect.gen(function* () {
      const config = yield* configured(
        withProvider({
          AIBRIDGE_TOTAL_TIMEOUT: "2h",
          AIBRIDGE_PROVIDER_0_UPSTREAM_TIMEOUT: "31s",
          AIBRIDGE_PROVIDER_0_IDLE_TIMEOUT: "32s",
          AIBRIDGE_PROVIDER_0_TOTAL_TIMEOUT: "33s"
        })
      )
      const [member] = yield* ProviderSet.make(config)

      assert.deepStrictEqual(config.limits.totalTimeout, Duration.hours(2))
      assert.deepStrictEqual(member?.provider.timeouts, { headers: 31_000, idle: 32_000 })
      assert.deepStrictEqual(member?.provider.totalTimeout, Duration.seconds(33))
    })
  )

  it.effect("takes 100 keys", () =>
    Effect.gen(function* () {
      const keys = Array.from({ length: 100 }, (_, index) => `sk-${index}`)

      const { providers } = yield* configured(withProvider({ AIBRIDGE_PROVIDER_0_KEYS: keys.join(",") }))

      assert.deepStrictEqual(keysOf(providers[0]), keys)
    })
  )

  it.effect("orders providers by number, 10 after 2, wherever they stand", () =>
    Effect.gen(function* () {
      const environment: Record<string, string> = {}
      for (const index of [10, 2, 0, 7, 1, 9, 3, 8, 4, 6, 5]) {
        environment[`AIBRIDGE_PROVIDER_${index}_NAME`] = `instance-${index}`
        environment[`AIBRIDGE_PROVIDER_${index}_TYPE`] = "anthropic"
      }

      const { providers } = yield* configured(environment)

      assert.deepStrictEqual(
        providers.map(({ name }) => name),
        Array.from({ length: 11 }, (_, index) => `instance-${index}`)
      )
    })
  )

  it.effect("allows the same base URL and the same keys under two names", () =>
    Effect.gen(function* () {
      const second = {
        AIBRIDGE_PROVIDER_1_TYPE: "anthropic",
        AIBRIDGE_PROVIDER_1_NAME: "second",
        AIBRIDGE_PROVIDER_1_KEYS: "sk-first"
      }

      assert.lengthOf((yield* configured(withProvider(second))).providers, 2)
    })
  )

  it.effect("takes every vendor, each called by its type unless it has a name", () =>
    Effect.gen(function* () {
      const { providers } = yield* configured({
        AIBRIDGE_PROVIDER_0_TYPE: "openai",
        AIBRIDGE_PROVIDER_0_KEY: "sk-first",
        AIBRIDGE_PROVIDER_1_TYPE: "copilot",
        AIBRIDGE_PROVIDER_2_TYPE: "copilot",
        AIBRIDGE_PROVIDER_2_NAME: "copilot-business",
        AIBRIDGE_PROVIDER_3_TYPE: "anthropic"
      })

      assert.deepStrictEqual(
        providers.map(({ type, name }) => [type, name]),
        [
          ["openai", "openai"],
          ["copilot", "copilot"],
          ["copilot", "copilot-business"],
          ["anthropic", "anthropic"]
        ]
      )
      assert.deepStrictEqual(keysOf(providers[0]), ["sk-first"])
    })
  )

  it.effect.each([
    { text: "true", sent: true },
    { text: " True ", sent: true },
    { text: "FALSE", sent: false },
    { text: "", sent: false }
  ])("sends actor headers if told '$text': $sent", ({ text, sent }) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* configured({ AIBRIDGE_SEND_ACTOR_HEADERS: text })).sendActorHeaders, sent)
    })
  )

  it.effect("warns of an unknown field and goes on", () =>
    Effect.gen(function* () {
      const { providers, warnings } = yield* configured(
        withProvider({ AIBRIDGE_PROVIDER_0_KEYZ: "sk-never-shown", AIBRIDGE_PROVIDER_0: "x" })
      )

      assert.lengthOf(providers, 1)
      assert.deepStrictEqual(warnings, [
        "ignoring unknown provider field AIBRIDGE_PROVIDER_0_KEYZ (check for typos)",
        "ignoring unknown provider field AIBRIDGE_PROVIDER_0 (check for typos)"
      ])
    })
  )

  it.effect("warns of an unknown option and goes on", () =>
    Effect.gen(function* () {
      const { warnings } = yield* configured({ AIBRIDGE_TOKEN: "ada=never-shown", AIBRIDGE_: "x", OTHER: "y" })

      assert.deepStrictEqual(warnings, [
        "ignoring unknown option AIBRIDGE_TOKEN (check for typos)",
        "ignoring unknown option AIBRIDGE_ (check for typos)"
      ])
    })
  )

  it.effect.each([
    { environment: { HTTP_PROXY: "http://upper:1" }, proxy: { httpProxy: "http://upper:1" } },
    {
      environment: { HTTP_PROXY: "http://upper:1", http_proxy: "http://lower:1" },
      proxy: { httpProxy: "http://lower:1" }
    },
    {
      environment: { http_proxy: "http://lower:1", HTTP_PROXY: "http://upper:1" },
      proxy: { httpProxy: "http://lower:1" }
    },
    { environment: { http_proxy: " ", HTTP_PROXY: "http://upper:1" }, proxy: { httpProxy: "http://upper:1" } },
    { environment: { HTTP_PROXY: "proxy.test:3128" }, proxy: { httpProxy: "http://proxy.test:3128" } },
    {
      environment: { https_proxy: "http://secure:1", NO_PROXY: "localhost,.test" },
      proxy: { httpsProxy: "http://secure:1", noProxy: "localhost,.test" }
    }
  ])("takes the proxies of $environment", ({ environment, proxy }) =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* configured(environment)).proxy, proxy)
    })
  )

  it.effect("shows no secret when it is printed", () =>
    Effect.gen(function* () {
      const config = yield* configured(
        withProvider({ AIBRIDGE_PROVIDER_0_KEYS: "sk-never-shown", AIBRIDGE_TOKENS: "ada=token-never-shown" })
      )

      for (const text of [JSON.stringify(config), inspect(config, { depth: 10 })])
        assert.notInclude(text, "never-shown")
    })
  )
})
