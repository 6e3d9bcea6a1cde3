import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import process from "node:process"
import * as TestDump from "../upstream/TestDump.ts"
import * as TestServer from "../upstream/TestServer.ts"
import * as TestConfigFile from "./TestConfigFile.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestMessages from "./TestMessages.ts"
import * as TestProcess from "./TestProcess.ts"

const url = /listens on (\S+)/

/** A `curl` line as a request: what stands after `-H` and `-d` between single quotes, and the URL. */
const parseCurl = (line: string) => {
  const headers: Record<string, string> = {}
  for (const [, name = "", value = ""] of line.matchAll(/ -H '([^:']+): ([^']*)'/g)) headers[name] = value
  const target = new URL(/http:\S+/.exec(line)?.[0] ?? "")
  return {
    origin: target.origin,
    request: { path: target.pathname, headers, body: / -d '([^']*)'/.exec(line)?.[1] ?? "" }
  }
}

const assertParts = (line: string, parts: ReadonlyArray<string>) => {
  for (const part of parts) assert.include(line, part)
}

const twoKeys = (first: string) => ({
  providers: [{ type: "anthropic", keys: [first, "sk-second-never-shown-0002"] }]
})

// One process at a time, with time to spare: a busy machine takes seconds to start one.
describe("aibridge", { timeout: 60_000 }, () => {
  it.live("with nothing configured serves a simulated provider, and the lines of its banner work", () =>
    Effect.gen(function* () {
      const child = yield* TestProcess.serve({ AIBRIDGE_PORT: "0" })
      yield* child.says(/curl -N .*\n/)
      const banner = child.output()
      const lines = banner.split("\n").filter((line) => line.startsWith("curl "))
      assert.include(banner, `(Node ${process.version})`)
      assert.match(banner, /simulated/i)
      assert.lengthOf(lines, 2)

      const bodies: Array<string> = []
      // Four times, so that the first key is limited and the second one revoked on the way.
      for (const line of [...lines, ...lines, ...lines, ...lines]) {
        const { origin, request } = parseCurl(line)
        const answer = yield* TestHttp.send(origin, request)
        assert.strictEqual(answer.status, 200)
        bodies.push(yield* answer.text)
      }

      assert.match(String(bodies[0]), /^\{.*"type":"message".*\}$/)
      assert.match(String(bodies[1]), /^event: message_start\n[^]*event: message_stop\ndata: .*\n\n$/)
      const log = child.output().slice(banner.length)
      const [limited = "", revoked = "", ...more] = log.trimEnd().split("\n")
      assertParts(limited, ["level=INFO", "key marked temporary", "=sk-s...0001", "status=429", "cooldown="])
      assertParts(revoked, ["level=WARN", "key marked permanent", "=sk-s...0002", "status=401"])
      assert.deepStrictEqual(more, [])
      assert.notMatch(child.output() + child.errors(), /sk-simulated/)
      assert.strictEqual(child.errors(), "")
    })
  )

  it.live("logs a failover without the key, and an end by SIGTERM is no failure", () =>
    Effect.gen(function* () {
      const upstream = yield* TestServer.start
      yield* TestMessages.script(upstream, [TestMessages.limited(9), TestMessages.blocking("Hello")])
      const child = yield* TestProcess.serve({
        AIBRIDGE_PORT: "0",
        AIBRIDGE_TOKENS: "ada=token-never-shown",
        AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
        AIBRIDGE_PROVIDER_0_KEYS: "sk-first-never-shown-0001,sk-second-never-shown-0002",
        AIBRIDGE_PROVIDER_0_BASE_URL: upstream.origin,
        AIBRIDGE_PROVIDER_0_KEYZ: "sk-typo-never-shown"
      })
      const origin = yield* child.says(url)

      const headers = { authorization: "Bearer token-never-shown" }
      const answer = yield* TestHttp.send(origin, { body: TestHttp.message(), headers })
      yield* child.says(/key marked temporary.*\n/)
      yield* child.signal("SIGTERM")
      const end = yield* child.ended

      assert.strictEqual(answer.status, 200)
      assert.match(child.output(), /level=WARN .*AIBRIDGE_PROVIDER_0_KEYZ \(check for typos\)/)
      const failover =
        child
          .output()
          .split("\n")
          .findLast((line) => line.includes("key marked")) ?? ""
      assertParts(failover, ["level=INFO", "key marked temporary", "=sk-f...0001", "status=429", "cooldown="])
      assert.notMatch(child.output() + child.errors(), /never-shown/)
      assert.notInclude(child.output(), "SIMULATED")
      assert.strictEqual(end, 0)
    })
  )

  it.live("ends within seconds by SIGTERM or SIGINT, also with an open stream", () =>
    Effect.forEach(
      ["SIGTERM", "SIGINT"] as const,
      (signal) =>
        Effect.gen(function* () {
          const upstream = yield* TestServer.start
          const child = yield* TestProcess.serve({
            AIBRIDGE_PORT: "0",
            AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
            AIBRIDGE_PROVIDER_0_KEYS: "sk-first",
            AIBRIDGE_PROVIDER_0_BASE_URL: upstream.origin,
            AIBRIDGE_SHUTDOWN_TIMEOUT: "500ms"
          })
          const seen = yield* TestMessages.script(upstream, [TestMessages.unfinished])
          const origin = yield* child.says(url)
          const answer = yield* TestHttp.send(origin, { body: TestHttp.message({ stream: true }) })
          yield* answer.read

          yield* child.signal(signal)
          yield* Effect.forEach(seen, ({ socket }) =>
            Effect.callback<void>((resume) => {
              socket.once("close", () => resume(Effect.void))
            })
          )
          const end = yield* child.ended

          assert.strictEqual(end, 0)
          assert.strictEqual(child.errors(), "")
        }).pipe(Effect.scoped, Effect.timeout("40 seconds")),
      { concurrency: 2, discard: true }
    )
  )

  it.live("logs JSON if told to", () =>
    Effect.gen(function* () {
      const child = yield* TestProcess.serve({
        AIBRIDGE_PORT: "0",
        AIBRIDGE_STRUCTURED_LOGGING: "true",
        AIBRIDGE_PROVIDER_0_TYPE: "copilot",
        AIBRIDGE_TYPO: "x"
      })
      yield* child.says(/(\{.*\})\n/)

      const line: unknown = JSON.parse(/^\{.*\}$/m.exec(child.output())?.[0] ?? "")
      assert.deepInclude(line, { message: "ignoring unknown option AIBRIDGE_TYPO (check for typos)", level: "WARN" })
    })
  )

  it.live("ends at once by a second signal", () =>
    Effect.gen(function* () {
      const upstream = yield* TestServer.start
      const child = yield* TestProcess.serve({
        AIBRIDGE_PORT: "0",
        AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
        AIBRIDGE_PROVIDER_0_KEYS: "sk-first",
        AIBRIDGE_PROVIDER_0_BASE_URL: upstream.origin,
        AIBRIDGE_SHUTDOWN_TIMEOUT: "1h"
      })
      yield* TestMessages.script(upstream, [TestMessages.unfinished])
      const origin = yield* child.says(url)
      const answer = yield* TestHttp.send(origin, { body: TestHttp.message({ stream: true }) })
      yield* answer.read

      yield* child.signal("SIGTERM")
      yield* Effect.sleep("200 millis")
      yield* child.signal("SIGTERM")

      assert.strictEqual(yield* child.ended, 1)
    })
  )

  it.live("with a wrong configuration says what is wrong and ends with 1", () =>
    Effect.gen(function* () {
      const child = yield* TestProcess.serve({
        AIBRIDGE_HOST: "0.0.0.0",
        AIBRIDGE_PORT: "http",
        AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
        AIBRIDGE_PROVIDER_0_KEYS: "sk-never-shown,sk-never-shown"
      })

      const end = yield* child.ended

      assert.strictEqual(end, 1)
      assert.strictEqual(child.output(), "")
      const [title, ...problems] = child.errors().trimEnd().split("\n")
      assert.strictEqual(title, "aibridge: the configuration is not valid:")
      assert.deepStrictEqual(
        problems.map((problem) => problem.split(":")[0]),
        ["  AIBRIDGE_PORT", "  AIBRIDGE_PROVIDER_0_KEYS", "  AIBRIDGE_TOKENS"]
      )
      assert.notMatch(child.errors(), /never-shown|\n\s+at /)
    })
  )

  it.live("says that its port is taken and ends with 1", () =>
    Effect.gen(function* () {
      const other = yield* TestServer.start
      const child = yield* TestProcess.serve({ AIBRIDGE_PORT: String(other.port) })

      const end = yield* child.ended

      assert.strictEqual(end, 1)
      assert.strictEqual(
        child.errors(),
        `aibridge: cannot start:\n  cannot listen on 127.0.0.1:${other.port} (EADDRINUSE): another program does. Set AIBRIDGE_PORT to a free port\n`
      )
    })
  )

  it.live.each([
    {
      given: "fine",
      environment: {},
      code: 0,
      says: /^host: 127\.0\.0\.1\n[^]*the configuration is valid; no provider is configured/
    },
    {
      given: "fine but for a setting that is not offered",
      environment: { AIBRIDGE_CIRCUIT_BREAKER_MAX_REQUESTS: "3", AIBRIDGE_PROVIDER_0_TYPE: "openai" },
      code: 0,
      says: /\nwarning: ignoring AIBRIDGE_CIRCUIT_BREAKER_MAX_REQUESTS: .*\nthe configuration is valid\n$/
    },
    {
      given: "wrong",
      environment: { AIBRIDGE_PORT: "http" },
      code: 1,
      says: /^aibridge: the configuration is not valid:\n {2}AIBRIDGE_PORT: must be a number from 0 to 65535\n$/
    },
    {
      given: "in a file that is not there",
      environment: { AIBRIDGE_CONFIG: "/nonexistent/aibridge.yaml" },
      code: 1,
      says: /\n {2}\/nonexistent\/aibridge\.yaml: cannot be read \(ENOENT\)\n$/
    }
  ])("checks a configuration that is $given", ({ environment, code, says }) =>
    Effect.gen(function* () {
      const child = yield* TestProcess.run("check", environment)

      assert.strictEqual(yield* child.ended, code)
      assert.match(child.output() + child.errors(), says)
    })
  )

  it.live("asks each key if told to, and says as JSON which do not work", () =>
    Effect.gen(function* () {
      const upstream = yield* TestServer.start
      yield* TestMessages.script(upstream, [TestMessages.blocking("models"), TestMessages.revoked])
      const environment = {
        AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
        AIBRIDGE_PROVIDER_0_KEYS: "sk-first-never-shown-0001,sk-second-never-shown-0002",
        AIBRIDGE_PROVIDER_0_BASE_URL: upstream.origin
      }
      const child = yield* TestProcess.run("check", environment, ["--live", "--json"])

      assert.strictEqual(yield* child.ended, 1)
      const { keys } = JSON.parse(child.output())
      assert.deepStrictEqual(keys, [
        { provider: "anthropic", key: "sk-f...0001", outcome: "works", detail: "200" },
        { provider: "anthropic", key: "sk-s...0002", outcome: "refused", detail: "401" }
      ])
      assert.notInclude(child.output() + child.errors(), "never-shown")
    })
  )

  it.live("reads its configuration again by SIGHUP, and its keys are looked after by other processes", () =>
    Effect.gen(function* () {
      const file = yield* TestConfigFile.make(twoKeys("sk-first-never-shown-0001"))
      const environment = { AIBRIDGE_PORT: "0", AIBRIDGE_CONFIG: file.path, AIBRIDGE_ADMIN_TOKEN: "admin-never-shown" }
      const gateway = yield* TestProcess.serve(environment)
      const admin = yield* gateway.says(/admin +(\S+) \(by AIBRIDGE_ADMIN_TOKEN\)/)
      yield* gateway.says(/\ncurl -N .*\n/)
      const keys = (...words: ReadonlyArray<string>) =>
        Effect.gen(function* () {
          const child = yield* TestProcess.run("keys", environment, [...words, "--url", admin])
          const code = yield* child.ended
          return { code, output: child.output(), errors: child.errors() }
        })
      yield* file.write(twoKeys("sk-third-never-shown-0003"))
      yield* gateway.signal("SIGHUP")
      yield* gateway.says(
        /message="configuration reloaded" trigger=(?:SIGHUP|file) changes="provider anthropic changed"/
      )

      const disabled = yield* keys("disable", "anthropic", "sk-s...0002")
      const [table, reset, wrong] = yield* Effect.all(
        [keys(), keys("reset", "anthropic", "1", "--json"), keys("reset", "anthropic", "sk")],
        { concurrency: 1 }
      )

      assert.deepStrictEqual(disabled, {
        code: 0,
        output: "key sk-s...0002 of anthropic is permanent (disabled by an operator)\n",
        errors: ""
      })
      assert.match(
        table.output,
        /^PROVIDER +KEY +STATE\nanthropic +0 +sk-t\.\.\.0003 +valid\nanthropic +1 +sk-s\.\.\.0002 +permanent +disabled by an operator\n$/
      )
      assert.deepInclude(JSON.parse(reset.output), { provider: "anthropic", key: "sk-s...0002", state: "valid" })
      assert.deepStrictEqual(wrong, {
        code: 1,
        output: "",
        errors: `aibridge: failed:\n  provider "anthropic" has no key "sk", only sk-t...0003, sk-s...0002\n`
      })
      assert.notInclude(gateway.output() + gateway.errors(), "never-shown")
    })
  )

  it.live("prints what was recorded", () =>
    Effect.gen(function* () {
      const directory = yield* TestDump.directory
      const environment = { AIBRIDGE_PORT: "0", AIBRIDGE_DATABASE_URL: `sqlite:${directory}/records.db` }
      const gateway = yield* TestProcess.serve(environment)
      const origin = yield* gateway.says(url)
      const admin = yield* gateway.says(/admin +(\S+)/)
      const answer = yield* TestHttp.send(origin, { body: TestHttp.message() })
      yield* answer.text
      const id = String(answer.headers["x-aibridge-interception-id"])
      yield* Effect.sleep("1 second")
      const run = (command: string, ...words: ReadonlyArray<string>) =>
        Effect.gen(function* () {
          const child = yield* TestProcess.run(command, environment, [...words, "--url", admin])
          assert.strictEqual(yield* child.ended, 0)
          return child.output()
        })

      const table = yield* run("interceptions", "--model", "claude-test")
      const none = JSON.parse(yield* run("interceptions", "--actor", "nobody", "--json"))
      const shown = JSON.parse(yield* run("interceptions", "show", id))
      const usage = yield* run("usage")

      assert.match(
        table,
        new RegExp(`^STARTED .*\\n.* anonymous +anthropic +claude-test +Unknown +complete +${id}\\n$`)
      )
      assert.deepStrictEqual(none, { interceptions: [] })
      assert.deepInclude(shown, { id, prompts: ["Hello"], actor: "anonymous" })
      assert.match(usage, /^DAY .*\n\d{4}-\d\d-\d\d +anonymous +claude-test +1 +\d+ +\d+ +0 +0\n$/)
    })
  )

  it.live("says what is wrong with its command line and ends with 2", () =>
    Effect.gen(function* () {
      const child = yield* TestProcess.run("check", {}, ["--nope"])

      assert.strictEqual(yield* child.ended, 2)
      assert.include(child.output() + child.errors(), "Unrecognized flag: --nope")
    })
  )

  it.live("prints what completes its command line in a shell", () =>
    Effect.gen(function* () {
      const child = yield* TestProcess.run("--completions", {}, ["bash"])

      assert.strictEqual(yield* child.ended, 0)
      assertParts(child.output(), [
        "\ncomplete -F _aibridge aibridge\n",
        "compgen -W 'serve check keys interceptions usage schema token'",
        "compgen -W 'create'",
        "--config",
        "--live"
      ])
    })
  )

  it.live("prints the JSON Schema of the file", () =>
    Effect.gen(function* () {
      const child = yield* TestProcess.run("schema", {})

      assert.strictEqual(yield* child.ended, 0)
      assert.deepInclude(JSON.parse(child.output()), { type: "object", additionalProperties: false })
    })
  )
})
