/** README's code blocks: TypeScript is a file that is checked and run, shell lines do what they say. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Toml from "effect/encoding/Toml"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import OpenAI from "openai"
import * as SimulatedProvider from "../src/demo/SimulatedProvider.ts"
import * as Gateway from "../src/Gateway.ts"
import * as Authenticator from "../src/inbound/Authenticator.ts"
import * as Recorder from "../src/record/Recorder.ts"
import * as Service from "../src/service/Service.ts"
import * as ServiceConfig from "../src/service/ServiceConfig.ts"
import * as ScriptedUpstream from "../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../src/testing/TestGateway.ts"
import * as ToolTalk from "./gateway/ToolTalk.ts"
import * as Embedding from "./examples/embedding.ts"
import * as Tools from "./examples/tools.ts"
import * as Vendor from "./examples/vendor.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const read = (path: string) => readFileSync(root + path, "utf8")
const readme = read("README.md")

const blocks = Array.from(readme.matchAll(/^```(\w*)\n([^]*?)^```$/gm), ([, language = "", text = ""]) => ({
  language,
  text
}))

/** Shell lines, continued ones joined. */
const commands = blocks
  .filter(({ language }) => language === "sh")
  .flatMap(({ text }) => text.replaceAll("\\\n", " ").trim().split("\n"))

const assignments = (command: string): Record<string, string> =>
  Object.fromEntries(
    Array.from(command.matchAll(/(?:^|\s)([A-Z][A-Z_\d]*)=(\S+)/g), ([, name = "", value = ""]) => [name, value])
  )

/** A service with the simulated provider on a free port; its URL. */
const simulated = Effect.fnUntraced(function* (environment: ServiceConfig.Environment) {
  const config = yield* ServiceConfig.fromEnvironment({
    ...environment,
    AIBRIDGE_PORT: "0",
    AIBRIDGE_ADMIN_PORT: "0",
    AIBRIDGE_DATABASE_URL: "none"
  })
  let url = ""
  const onListening = (banner: string) =>
    Effect.sync(() => {
      url = /listens on (\S+)/.exec(banner)?.[1] ?? ""
    })
  yield* Layer.build(
    Service.layer({
      config,
      version: "0.0.0",
      nodeVersion: process.version,
      simulated: SimulatedProvider.start,
      onListening
    })
  )
  return url
})

const ask = (url: string, headers: Record<string, string>, body: string) =>
  Effect.promise(async () => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body
    })
    return { status: response.status, text: await response.text() }
  })

/** A URL of README at the place where the gateway really is. */
const at = (url: string, shown: string): string => shown.replace("http://127.0.0.1:8787", url)

const Codex = Schema.Struct({
  model_provider: Schema.String,
  model_providers: Schema.Record(
    Schema.String,
    Schema.Struct({ base_url: Schema.String, env_key: Schema.String, wire_api: Schema.String })
  )
})

const OpenCodeProvider = Schema.Struct({
  options: Schema.Struct({ baseURL: Schema.String, apiKey: Schema.Literal("{env:GATEWAY_TOKEN}") })
})
const OpenCode = Schema.Struct({
  provider: Schema.Struct({ anthropic: OpenCodeProvider, openai: OpenCodeProvider })
})

const question = JSON.stringify({ model: "claude", messages: [] })

/** The names that match, by the pattern's groups. */
const names = (pattern: RegExp) =>
  new Set(Array.from(readme.matchAll(pattern), ([, name, other = ""]) => name ?? other))

// Said once for all: secrets may be in files, and one provider of a type needs no list. What is not offered is no setting.
const each = (all: ReadonlyArray<string>) =>
  new Set(
    all.filter((name) => !/^AIBRIDGE_(?:OPENAI|ANTHROPIC|BEDROCK)_|_FILE$|_MAX_REQUESTS$|^AIBRIDGE_CONFIG$/.test(name))
  )

const tokens = { AIBRIDGE_TOKENS: "ada=a-long-random-token" }

describe("README", () => {
  it("has its TypeScript from the examples, and all of them", () => {
    const examples = globSync("test/examples/*.ts", { cwd: root }).toSorted()

    const shown = blocks.filter(({ language }) => language === "ts").map(({ text }) => text)

    assert.sameMembers(shown, examples.map(read))
  })

  it.live("serves what its embedding example says", () =>
    Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      const url = HttpServer.formatAddress(address)

      const hello = yield* Effect.promise(() => fetch(`${url}/hello`).then((response) => response.text()))
      const refused = yield* ask(`${url}/anthropic/v1/messages`, {}, question)
      const probe = yield* Effect.promise(() => fetch(`${url}/anthropic`))

      assert.strictEqual(hello, "hello")
      assert.strictEqual(refused.status, 401)
      assert.strictEqual(probe.status, 200)
    }).pipe(Effect.provide(Embedding.serve(0)), Effect.scoped)
  )

  it.live.each(commands.filter((command) => command.startsWith("curl ")))("can be pasted: %s", (command) =>
    Effect.gen(function* () {
      const [, path = ""] = /http:\/\/127\.0\.0\.1:8787(\S+)/.exec(command) ?? []
      const [, body = ""] = /-d '([^']+)'/.exec(command) ?? []

      const url = yield* simulated({})
      const answer = yield* ask(url + path, {}, body)

      assert.strictEqual(answer.status, 200)
      const [whole = "", lastEvent = ""] = path.startsWith("/openai")
        ? [`"object":"chat.completion"`, "data: [DONE]"]
        : [`"type":"message"`, "event: message_stop"]
      assert.include(answer.text, body.includes(`"stream":true`) ? lastEvent : whole)
    }).pipe(Effect.scoped)
  )

  it.live.each(commands.filter((command) => command.includes("ANTHROPIC_BASE_URL=")))(
    "points a client at the gateway: %s",
    (command) =>
      Effect.gen(function* () {
        const { ANTHROPIC_BASE_URL: base = "", ANTHROPIC_AUTH_TOKEN, ANTHROPIC_API_KEY } = assignments(command)
        const headers: Record<string, string> = ANTHROPIC_API_KEY
          ? { "x-api-key": ANTHROPIC_API_KEY }
          : { authorization: `Bearer ${ANTHROPIC_AUTH_TOKEN}` }

        const url = yield* simulated(tokens)
        const answer = yield* ask(`${at(url, base)}/v1/messages`, headers, question)

        assert.strictEqual(answer.status, 200)
      }).pipe(Effect.scoped)
  )

  it.live.each(commands.filter((command) => command.includes("OPENAI_BASE_URL=")))(
    "points the OpenAI SDK at the gateway: %s",
    (command) =>
      Effect.gen(function* () {
        const { OPENAI_BASE_URL: base = "", OPENAI_API_KEY: apiKey = "" } = assignments(command)

        const client = new OpenAI({ baseURL: at(yield* simulated(tokens), base), apiKey })
        const models = yield* Effect.promise(() => client.models.list())

        assert.isNotEmpty(models.data)
      }).pipe(Effect.scoped)
  )

  it.live("has settings of Codex that lead to the gateway", () =>
    Effect.gen(function* () {
      const [text = ""] = blocks.filter(({ language }) => language === "toml").map((block) => block.text)
      const settings = yield* Schema.decodeUnknownEffect(Codex)(yield* Effect.fromResult(Toml.parse(text)))
      const provider = settings.model_providers[settings.model_provider]
      assert.deepInclude(provider, { env_key: "GATEWAY_TOKEN", wire_api: "responses" })

      const url = at(yield* simulated(tokens), provider?.base_url ?? "")
      const headers = { authorization: "Bearer a-long-random-token", "user-agent": "codex_exec/0.169.0" }
      const answer = yield* ask(`${url}/responses`, headers, `{"model":"gpt","input":"Hi","stream":true}`)

      assert.strictEqual(answer.status, 200)
      assert.include(answer.text, "event: response.completed")
    }).pipe(Effect.scoped)
  )

  it.live("has settings of opencode that lead to the gateway", () =>
    Effect.gen(function* () {
      const [text = ""] = blocks.filter(({ language }) => language === "json").map((block) => block.text)
      const { provider } = yield* Schema.decodeUnknownEffect(OpenCode)(JSON.parse(text))

      const url = yield* simulated(tokens)
      const messages = yield* ask(
        `${at(url, provider.anthropic.options.baseURL)}/messages`,
        { "x-api-key": "a-long-random-token" },
        question
      )
      const responses = yield* ask(
        `${at(url, provider.openai.options.baseURL)}/responses`,
        { authorization: "Bearer a-long-random-token" },
        `{"model":"gpt","input":"Hi"}`
      )

      assert.deepStrictEqual([messages.status, responses.status], [200, 200])
    }).pipe(Effect.scoped)
  )

  it.effect("has a vendor of its own whose keys fail over", () =>
    Effect.gen(function* () {
      const answer = yield* TestGateway.fetch("/acme/v1/chat/completions", { body: { model: "acme-1" } })

      const seen = yield* Effect.flatMap(ScriptedUpstream.ScriptedUpstream, (upstream) => upstream.requests)
      assert.strictEqual(answer.status, 200)
      assert.deepStrictEqual(
        seen.map(({ origin, path, headers }) => [origin + path, headers["authorization"]]),
        ["acme-first", "acme-second"].map((key) => [
          "https://api.acme.example/openai/v1/chat/completions",
          `Bearer ${key}`
        ])
      )
    }).pipe(
      Effect.provide(
        Gateway.layer.pipe(
          Layer.provide([Vendor.providers, Authenticator.layerLoopback, Recorder.layerNoop]),
          Layer.provideMerge(ScriptedUpstream.layer([ScriptedUpstream.json(429, {}), ScriptedUpstream.json(200, {})]))
        )
      )
    )
  )

  it.effect("has tools that are run as it says", () => {
    const { path, request, calls, says, results } = ToolTalk.all[1] ?? assert.fail("no chat")
    const script = [calls(false, "", ["bmcp_ours_weather", `{"city":"Ulm"}`]), says(false, "Take an umbrella.")]
    return Effect.gen(function* () {
      const { text } = yield* TestGateway.fetch(path.replace("/openai", "/acme"), request(false))

      const upstream = yield* ScriptedUpstream.ScriptedUpstream
      const [, second] = yield* upstream.requests
      assert.include(text, "Take an umbrella.")
      assert.deepStrictEqual(results(JSON.parse(second?.text ?? "")), [["call_0", "It rains in Ulm."]])
    }).pipe(
      Effect.provide(
        Gateway.layer.pipe(
          Layer.provide([Vendor.providers, Authenticator.layerLoopback, Recorder.layerNoop, Tools.tools]),
          Layer.provideMerge(ScriptedUpstream.layer(script))
        )
      )
    )
  })

  it.effect.each(commands.filter((command) => command.includes("AIBRIDGE_")))(
    "has settings that are valid: %s",
    (command) =>
      Effect.gen(function* () {
        const config = yield* ServiceConfig.fromEnvironment(assignments(command))

        assert.deepStrictEqual(config.warnings, [])
        assert.lengthOf(config.providers, command.match(/_TYPE=/g)?.length ?? 0)
      })
  )

  it.effect.each(blocks.filter(({ language }) => language === "yaml"))(
    "has a configuration file that is valid",
    ({ text }) =>
      Effect.gen(function* () {
        const files: Record<string, string> = {
          "aibridge.yaml": text,
          "/run/secrets/tokens": "ada=a-long-random-token",
          "/run/secrets/anthropic": "sk-ant-first\nsk-ant-second",
          "/run/secrets/openai": "sk-first",
          "/run/secrets/issues": "authorization=Bearer a"
        }
        const config = yield* ServiceConfig.load({
          environment: {},
          file: "aibridge.yaml",
          readFile: (path) => Result.fromNullishOr(files[path], () => "ENOENT")
        })

        assert.deepStrictEqual(config.warnings, [])
        assert.deepStrictEqual(
          config.providers.map(({ type, keys }) => [type, keys?.length]),
          [
            ["anthropic", 2],
            ["openai", 1]
          ]
        )
      })
  )

  it("names no npm script that does not exist", () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(read("package.json"))

    const named = Array.from(readme.matchAll(/npm (?:run )?(start|test|(?<=run )[a-z]+)/g), ([, name = ""]) => name)

    assert.includeMembers(Object.keys(scripts), named)
    assert.includeMembers(named, ["start", "test", "check", "build", "bench"])
  })

  it("has no shell line that nothing checks", () => {
    const checked = /^(?:npm (?:ci && npm )?(?:run )?[a-z]+|curl .*|.*\b(?:AIBRIDGE|ANTHROPIC|OPENAI)_.*)$/

    assert.deepStrictEqual(
      commands.filter((command) => !checked.test(command)),
      []
    )
  })

  it("names exactly the settings that are read", () => {
    const option = /`(AIBRIDGE_(?!PROVIDER_)[A-Z_]+)`/g
    const ofServer = /`AIBRIDGE_MCP_<N>_([A-Z_]+)`/g
    const field = /`AIBRIDGE_PROVIDER_<N>_([A-Z_]+)`|`_([A-Z_]+)` for one/g
    const alsoForOne = /`AIBRIDGE_(CIRCUIT_BREAKER_[A-Z_]+)`/g

    const shown = [...names(option), ...names(alsoForOne)].filter((name) => name.startsWith("AIBRIDGE_"))
    assert.deepStrictEqual(each(shown), each(ServiceConfig.variables.all))
    assert.deepStrictEqual(new Set([...names(field), ...names(alsoForOne)]), each(ServiceConfig.variables.provider))
    assert.deepStrictEqual(names(ofServer), each(ServiceConfig.variables.mcpServer))
  })

  it("shows the folders that there are", () => {
    const tree = blocks.find(({ text }) => text.startsWith("src/\n"))?.text ?? ""

    const shown = Array.from(tree.matchAll(/^ {2}(\S+)/gm), ([, name = ""]) => name.replace(/\/$/, ""))

    assert.sameMembers(shown, globSync("*", { cwd: `${root}src` }))
  })
})
