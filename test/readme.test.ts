/** README's code blocks: TypeScript is a file that is checked and run, shell lines do what they say. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import { globSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as SimulatedProvider from "../src/demo/SimulatedProvider.ts"
import * as Service from "../src/service/Service.ts"
import * as ServiceConfig from "../src/service/ServiceConfig.ts"
import * as Embedding from "./examples/embedding.ts"

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
  const config = yield* ServiceConfig.fromEnvironment({ ...environment, AIBRIDGE_PORT: "0" })
  let url = ""
  const onListening = (banner: string) =>
    Effect.sync(() => {
      url = /listens on (\S+)/.exec(banner)?.[1] ?? ""
    })
  yield* Layer.build(
    Service.layer({ config, nodeVersion: process.version, simulated: SimulatedProvider.start, onListening })
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

/** What matches, sorted and once each. */
const matches = (text: string, pattern: RegExp): ReadonlyArray<string> => [...new Set(text.match(pattern))].toSorted()

const question = JSON.stringify({ model: "claude", messages: [] })

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
      assert.include(answer.text, body.includes(`"stream":true`) ? "event: message_stop" : `"type":"message"`)
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

        const url = yield* simulated({ AIBRIDGE_TOKENS: "ada=a-long-random-token" })
        const answer = yield* ask(`${base.replace("http://127.0.0.1:8787", url)}/v1/messages`, headers, question)

        assert.strictEqual(answer.status, 200)
      }).pipe(Effect.scoped)
  )

  it.effect.each(commands.filter((command) => command.includes("AIBRIDGE_")))(
    "has settings that are valid: %s",
    (command) =>
      Effect.gen(function* () {
        const config = yield* ServiceConfig.fromEnvironment(assignments(command))

        assert.deepStrictEqual(config.warnings, [])
        assert.lengthOf(config.providers, 1)
      })
  )

  it("names no npm script that does not exist", () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(read("package.json"))

    const named = Array.from(readme.matchAll(/npm (?:run )?(start|test|(?<=run )[a-z]+)/g), ([, name = ""]) => name)

    assert.includeMembers(Object.keys(scripts), named)
    assert.includeMembers(named, ["start", "test", "check", "build", "bench"])
  })

  it("has no shell line that nothing checks", () => {
    const checked = /^(?:npm (?:ci && npm )?(?:run )?[a-z]+|curl .*|.*\b(?:AIBRIDGE|ANTHROPIC)_.*)$/

    assert.deepStrictEqual(
      commands.filter((command) => !checked.test(command)),
      []
    )
  })

  it("names exactly the settings that are read", () => {
    const source = read("src/service/ServiceConfig.ts")
    const [, fields = ""] = /const fields = new Set\(\[(.*)\]\)/.exec(source) ?? []

    assert.deepStrictEqual(matches(readme, /AIBRIDGE_[A-Z]+\b/g), matches(source, /AIBRIDGE_[A-Z]+\b/g))
    assert.sameMembers(
      matches(readme, /(?<=AIBRIDGE_PROVIDER_<N>)_[A-Z_]+|`_KEY`/g).map((name) => name.replaceAll("`", "")),
      matches(fields, /[A-Z_]+/g).map((name) => `_${name}`)
    )
  })

  it("shows the folders that there are", () => {
    const tree = blocks.find(({ text }) => text.startsWith("src/\n"))?.text ?? ""

    const shown = Array.from(tree.matchAll(/^ {2}(\S+)/gm), ([, name = ""]) => name.replace(/\/$/, ""))

    assert.sameMembers(shown, globSync("*", { cwd: `${root}src` }))
  })
})
