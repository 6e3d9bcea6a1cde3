/** A configuration that is read again while the service runs. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestDump from "../upstream/TestDump.ts"
import * as TestServer from "../upstream/TestServer.ts"
import * as TestAdmin from "./admin/TestAdmin.ts"
import * as TestConfigFile from "./TestConfigFile.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestMessages from "./TestMessages.ts"
import * as TestService from "./TestService.ts"

const { key } = TestService

/** A service that reads its settings from a file: providers of the type `anthropic` before one upstream. */
const running = Effect.fnUntraced(function* (
  answers: ReadonlyArray<TestMessages.Answer>,
  settings: Readonly<Record<string, unknown>> = {},
  environment: Readonly<Record<string, string>> = {}
) {
  const upstream = yield* TestServer.start
  const seen = yield* TestMessages.script(upstream, answers)
  const provider = (members: Readonly<Record<string, unknown>>) => ({
    type: "anthropic",
    baseUrl: upstream.origin,
    ...members
  })
  const file = yield* TestConfigFile.make({ providers: [provider({ keys: [key(0), key(1)] })], ...settings })
  const signals = yield* Queue.unbounded<string>()
  const service = yield* TestService.start(environment, { file: file.path, signals: Stream.fromQueue(signals) })
  return {
    ...service,
    upstream,
    file,
    provider,
    signal: Queue.offer(signals, "SIGHUP"),
    /** The keys that the upstream has seen. */
    keysSeen: () => seen.map(({ headers }) => headers["x-api-key"]),
    seen,
    reload: TestAdmin.ask(service.adminUrl, "POST /reload"),
    /** Waits for a log line. */
    says: (pattern: RegExp) => until(() => service.lines().some((line) => pattern.test(line)))
  }
})

/** Waits until it is true; a defect if it is not after 20 seconds. */
const until = (isTrue: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => (isTrue() ? Effect.void : Effect.fail("not yet"))).pipe(
    Effect.retry(Schedule.spaced("50 millis")),
    Effect.timeout("20 seconds"),
    Effect.orDie
  )

const ask = (url: string, request: TestHttp.Request = {}) =>
  Effect.scoped(
    Effect.gen(function* () {
      const answer = yield* TestHttp.send(url, { body: TestHttp.message(), ...request })
      yield* answer.text
      return answer.status
    })
  )

const good = TestMessages.blocking("Hello")
const unchanged = { changes: [], needRestart: [], warnings: [] }

describe("A reload", () => {
  it.live("swaps providers and keys, and what was known of a key that stays is still known", () =>
    Effect.gen(function* () {
      const { url, adminUrl, file, provider, reload, keysSeen } = yield* running([
        TestMessages.limited(600),
        good,
        good,
        good
      ])
      yield* ask(url)
      yield* file.write({
        providers: [provider({ keys: [key(2), key(0)] }), provider({ name: "other", keys: [key(3)] })]
      })

      const { status, body } = yield* reload
      yield* ask(url)
      yield* ask(url, { path: "/other/v1/messages" })

      assert.strictEqual(status, 200)
      assert.deepStrictEqual(body, { ...unchanged, changes: ["provider anthropic changed", "provider other added"] })
      assert.deepStrictEqual(keysSeen(), [key(0), key(1), key(2), key(3)])
      const states = (yield* TestAdmin.keys(adminUrl)).map(({ state }) => state)
      assert.deepStrictEqual(states, ["valid", "temporary", "valid"])
    })
  )

  it.live("keeps what it has if nothing was changed", () =>
    Effect.gen(function* () {
      const { url, adminUrl, reload } = yield* running([TestMessages.limited(600), good])
      yield* ask(url)

      assert.deepStrictEqual((yield* reload).body, unchanged)
      const states = (yield* TestAdmin.keys(adminUrl)).map(({ state }) => state)
      assert.deepStrictEqual(states, ["temporary", "valid"])
    })
  )

  it.live("holds for the next one to compare with", () =>
    Effect.gen(function* () {
      const { adminUrl, file, provider, reload } = yield* running([])
      yield* file.write({ providers: [provider({ keys: [key(2)] })], rateLimit: 7 })

      const first = yield* reload
      const second = yield* reload
      const { body: config } = yield* TestAdmin.ask(adminUrl, "GET /config")

      assert.deepStrictEqual(first.body, { ...unchanged, changes: ["provider anthropic changed", "rateLimit"] })
      assert.deepStrictEqual(second.body, unchanged)
      assert.deepInclude(Object(config), { rateLimit: 7 })
      assert.deepStrictEqual(Object(config).providers[0].keys, ["sk-t...-2kk"])
    })
  )

  it.live("lets a stream end that has begun with a provider that is gone", () =>
    Effect.gen(function* () {
      const { url, file, provider, reload, seen } = yield* running([TestMessages.unfinished])
      const answer = yield* TestHttp.send(url, { body: TestHttp.message({ stream: true }) })
      yield* answer.read
      yield* file.write({ providers: [provider({ name: "other", keys: [key(3)] })] })

      const { body } = yield* reload
      const gone = yield* ask(url)
      yield* seen[0]?.write(TestAnswer.chunk("event: message_stop\ndata: {}\n\n")) ?? Effect.die("not asked")
      yield* seen[0]?.write(TestAnswer.lastChunk) ?? Effect.void
      const rest = yield* answer.text

      assert.deepInclude(body, { changes: ["provider anthropic removed", "provider other added"] })
      assert.strictEqual(gone, 404)
      assert.strictEqual(rest, "event: message_stop\ndata: {}\n\n")
    })
  )

  it.live("lets callers in and out, and counts them by the new limits", () =>
    Effect.gen(function* () {
      const { url, file, provider, reload } = yield* running([good, good, good], {
        tokens: ["ada=token-of-ada", "bob=token-of-bob"]
      })
      const as = (token: string) => ask(url, { headers: { "x-api-key": token } })
      const before = [yield* as("token-of-ada"), yield* as("token-of-bob")]
      yield* file.write({
        providers: [provider({ keys: [key(0), key(1)] })],
        tokens: ["bob=token-of-bob"],
        rateLimit: 1,
        maxConcurrency: 5
      })

      const { body } = yield* reload
      const after = [yield* as("token-of-ada"), yield* as("token-of-bob"), yield* as("token-of-bob")]

      assert.deepInclude(body, { changes: ["tokens", "rateLimit", "maxConcurrency"] })
      assert.deepStrictEqual({ before, after }, { before: [200, 200], after: [401, 200, 429] })
    })
  )

  type Provider = (members: Readonly<Record<string, unknown>>) => unknown

  it.live.each([
    { what: "is gone", after: (provider: Provider) => ({ providers: [provider({ name: "other", keys: [key(0)] })] }) },
    {
      what: "is elsewhere",
      after: (provider: Provider) => ({ providers: [provider({ keys: [key(0)], baseUrl: "http://127.0.0.1:9" })] })
    },
    {
      what: "has none any more",
      after: (provider: Provider) => ({ circuitBreaker: {}, providers: [provider({ keys: [key(0)] })] })
    }
  ])("forgets the circuits of a provider that $what", ({ after }) =>
    Effect.gen(function* () {
      const breakers = { circuitBreaker: { enabled: true } }
      const { url, adminUrl, file, provider, reload } = yield* running([good], breakers)
      yield* ask(url)
      const before = yield* TestAdmin.ask(adminUrl, "GET /breakers")
      yield* file.write({ ...breakers, providers: [provider({ keys: [key(0)], cooldown: "7s" })] })
      yield* reload
      const same = yield* TestAdmin.ask(adminUrl, "GET /breakers")
      yield* file.write({ ...breakers, ...after(provider) })
      yield* reload

      assert.lengthOf(Array.isArray(before.body) ? before.body : [], 1)
      assert.deepStrictEqual(same.body, before.body)
      assert.deepStrictEqual((yield* TestAdmin.ask(adminUrl, "GET /breakers")).body, [])
    })
  )

  it.live("switches dumps on and off", () =>
    Effect.gen(function* () {
      const { url, file, provider, reload } = yield* running([good, good, good])
      const directory = yield* TestDump.directory
      const dumps = () => TestDump.filesIn(directory).map(({ path }) => path.replace(/\d.*/, ""))
      const settings = { keys: [key(0), key(1)] }
      yield* ask(url)
      yield* file.write({ providers: [provider({ ...settings, dumpDir: directory })] })
      yield* reload
      yield* ask(url)
      yield* until(() => dumps().length === 2)
      yield* file.write({ providers: [provider(settings)] })

      yield* reload
      yield* ask(url)

      assert.deepStrictEqual(dumps(), ["anthropic/claude-test/", "anthropic/claude-test/"])
    })
  )

  it.live("goes on counting for callers if their limit stays", () =>
    Effect.gen(function* () {
      const limits = { rateLimit: 1 }
      const { url, file, provider, reload } = yield* running([good], limits)
      const before = yield* ask(url)
      yield* file.write({ providers: [provider({ keys: [key(5)] })], ...limits })
      yield* reload

      assert.deepStrictEqual([before, yield* ask(url)], [200, 429])
    })
  )

  const wrong = [
    { how: "is no JSON", settings: "{", problem: /aibridge\.json: cannot be read/ },
    {
      how: "has an empty list of times",
      settings: { providers: [{ type: "anthropic", cooldown: [] }] },
      problem: /providers\[0\]\.cooldown: must name at least one time/
    },
    { how: "has a wrong setting", settings: { providers: [{ type: "nobody" }] }, problem: /type: unknown TYPE/ },
    {
      how: "has no provider left",
      settings: { port: 0 },
      problem: /^providers: none is left; stop the gateway, or start it again for simulated ones$/
    }
  ]

  it.live.each(wrong)("changes nothing if the file $how, and says so", ({ settings, problem }) =>
    Effect.gen(function* () {
      const { url, adminUrl, file, reload, keysSeen, lines } = yield* running([good])
      yield* file.write(settings)

      const { status, body } = yield* reload
      const { body: ready, status: isReady } = yield* TestAdmin.ask(adminUrl, "GET /readyz")
      const { body: metrics } = yield* TestAdmin.ask(adminUrl, "GET /metrics")
      yield* ask(url)

      assert.strictEqual(status, 422)
      assert.match(Object(body).problems.join("\n"), problem)
      assert.deepStrictEqual([isReady, Object(ready).status, Object(ready).refusedReload.problems], [200, "ready", 1])
      assert.match(String(metrics), /^aibridge_config_reloads_total\{result="refused"\} [1-9]/m)
      assert.match(String(metrics), /^aibridge_config_last_reload_successful 0$/m)
      assert.deepStrictEqual(keysSeen(), [key(0)])
      const [title = "", detail = ""] = lines().slice(-2)
      assert.match(
        title,
        /level=ERROR .*message="configuration not reloaded: the one before goes on" trigger="admin API"/
      )
      assert.match(/level=ERROR .*message="(.*)" trigger/.exec(detail)?.[1] ?? "", problem)
    })
  )

  it.live("is right again as soon as the file is", () =>
    Effect.gen(function* () {
      const { adminUrl, file, provider, reload } = yield* running([])
      yield* file.write("{")
      yield* reload
      yield* file.write({ providers: [provider({ keys: [key(1)] })] })
      yield* reload

      const { body: metrics } = yield* TestAdmin.ask(adminUrl, "GET /metrics")
      assert.deepStrictEqual((yield* TestAdmin.ask(adminUrl, "GET /readyz")).body, { status: "ready" })
      assert.match(String(metrics), /^aibridge_config_last_reload_successful 1$/m)
    })
  )

  it.live("names what takes a restart, and leaves it", () =>
    Effect.gen(function* () {
      const { adminUrl, file, provider, reload, lines } = yield* running([])
      yield* file.write({
        providers: [provider({ keys: [key(0), key(1)] })],
        host: "localhost",
        adminToken: "another-admin-token",
        idleTimeout: "7s",
        maximumBodySize: "1KiB",
        httpProxy: "http://127.0.0.1:9",
        otlpEndpoint: "http://127.0.0.1:9",
        otlpHeaders: "x-key=another",
        otlpSignals: "traces",
        serviceName: "another",
        propagateTraceContext: true,
        metricsActors: true,
        metricsModels: 7,
        mcpServers: [{ name: "srv", url: "http://127.0.0.1:9/mcp" }],
        toolIterations: 3,
        toolTimeout: "7s",
        toolResultSize: "2KiB"
      })

      const { body } = yield* reload

      const needRestart = [
        "host",
        "adminToken",
        "idleTimeout",
        "maximumBodySize",
        "httpProxy",
        "otlpEndpoint",
        "otlpHeaders",
        "otlpSignals",
        "serviceName",
        "propagateTraceContext",
        "metricsActors",
        "metricsModels",
        "mcpServers",
        "toolIterations",
        "toolTimeout",
        "toolResultSize"
      ]
      assert.deepStrictEqual(Object(body).changes, [])
      assert.sameMembers(Object(body).needRestart, needRestart)
      for (const name of needRestart) {
        assert.isTrue(lines().some((line) => line.includes(`"${name} has changed: that takes a restart"`)))
      }
      const { status, body: config } = yield* TestAdmin.ask(adminUrl, "GET /config")
      assert.strictEqual(status, 200)
      assert.deepInclude(Object(config), { host: "127.0.0.1", adminToken: "none", idleTimeout: "10m" })
    })
  )

  it.live.each([{ host: "0.0.0.0" }, { host: "127.0.0.1" }])(
    "does not open a gateway that listens on $host",
    ({ host }) =>
      Effect.gen(function* () {
        const { file, provider, reload } = yield* running([], { host, tokens: ["ada=token-of-ada"] })
        yield* file.write({ host: "127.0.0.1", providers: [provider({ keys: [key(0)] })] })

        const { status, body } = yield* reload

        assert.strictEqual(status, 422)
        assert.match(Object(body).problems.join(), /^tokens: none is left, which would open the gateway/)
      })
  )

  it.live.each([
    {
      whose: "a caller's",
      key: "sk-other",
      settings: { tokens: ["ada=the-admin-token-now"] },
      says: "also the token of a caller"
    },
    { whose: "a provider's key", key: "the-admin-token-now", settings: {}, says: "also a provider key" }
  ])("does not make the admin token of the start $whose", ({ key: providerKey, settings, says }) =>
    Effect.gen(function* () {
      const token = "the-admin-token-now"
      const { adminUrl, file, provider } = yield* running([], { adminToken: token })
      yield* file.write({ adminToken: "another-one", providers: [provider({ keys: [providerKey] })], ...settings })

      const { status, body } = yield* TestAdmin.ask(adminUrl, "POST /reload", { authorization: `Bearer ${token}` })

      assert.strictEqual(status, 422)
      const [problem = ""] = Object(body).problems
      assert.match(problem, /^adminToken: the one that holds until a restart is /)
      assert.include(problem, says)
    })
  )

  it.live("knows nothing of keys for another upstream, but for what an operator has said", () =>
    Effect.gen(function* () {
      const { url, adminUrl, file, provider, reload } = yield* running([TestMessages.revoked, good])
      yield* ask(url)
      yield* TestAdmin.ask(adminUrl, "POST /pools/anthropic/keys/1/disable")
      yield* file.write({ providers: [provider({ keys: [key(0), key(1)], baseUrl: "http://127.0.0.1:9" })] })
      yield* reload

      const keys = yield* TestAdmin.keys(adminUrl)
      assert.deepStrictEqual(
        keys.map(({ state, why }) => [state, why]),
        [
          ["valid", undefined],
          ["permanent", "disabled by an operator"]
        ]
      )
    })
  )

  it.live("tells warnings", () =>
    Effect.gen(function* () {
      const { file, provider, reload, lines } = yield* running([])
      yield* file.write({ providers: [provider({ keys: [key(0)] })], typo: 1 })

      const { body } = yield* reload

      const [warning = ""] = Object(body).warnings
      assert.match(warning, /^ignoring unknown option .*aibridge\.json: typo \(check for typos\)$/)
      assert.isTrue(lines().some((line) => line.includes(warning)))
    })
  )

  it.live("takes the place of simulated providers", () =>
    Effect.gen(function* () {
      const { url, file, provider, reload, keysSeen } = yield* running([good], { providers: [] })
      const simulated = yield* ask(url)
      const untouched = yield* reload
      yield* file.write({ providers: [], allowByok: false })
      const changed = yield* reload
      yield* file.write({ providers: [provider({ keys: [key(0)] })] })

      yield* reload
      yield* ask(url)
      yield* file.write({ providers: [] })
      const back = yield* reload

      assert.deepStrictEqual([simulated, untouched.body, back.status], [200, unchanged, 422])
      assert.include(Object(changed.body).changes, "provider anthropic changed")
      assert.deepStrictEqual(keysSeen(), [key(0)])
    })
  )

  it.live("is not there where the settings stand nowhere", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestService.start({}, "none")

      const { status, body } = yield* TestAdmin.ask(adminUrl, "POST /reload")

      assert.strictEqual(status, 422)
      assert.match(Object(body).problems.join(), /^this gateway was started by a program that keeps its settings/)
    })
  )

  it.live("comes by itself when the file has changed, is gone, or is back", () =>
    Effect.gen(function* () {
      const { file, provider, says, lines } = yield* running([])
      yield* file.write({ providers: [provider({ keys: [key(5)] })] })
      yield* says(/message="configuration reloaded" trigger=file changes="provider anthropic changed"/)
      yield* file.remove
      yield* says(/cannot be read \(ENOENT\)" trigger=file/)
      yield* file.write({ providers: [provider({ keys: [key(6)] })] })
      const reloaded = () => lines().filter((line) => line.includes('changes="provider anthropic changed'))
      yield* until(() => reloaded().length === 2)

      assert.lengthOf(
        lines().filter((line) => line.includes("not reloaded")),
        1
      )
    })
  )

  it.live("comes by itself when a file of secrets has changed", () =>
    Effect.gen(function* () {
      const { url, file, provider, says, keysSeen, lines } = yield* running([good])
      const keysFile = yield* file.beside("keys", key(3))
      yield* file.write({ providers: [provider({ keysFile })] })
      yield* says(/trigger=file changes="provider anthropic changed"/)
      yield* file.beside("keys", key(4))
      yield* until(() => lines().filter((line) => line.includes("provider anthropic changed")).length === 2)

      yield* ask(url)

      assert.deepStrictEqual(keysSeen(), [key(4)])
    })
  )

  it.live("comes by a signal", () =>
    Effect.gen(function* () {
      const { signal, says } = yield* running([])
      yield* signal

      yield* says(/message="configuration reloaded" trigger=SIGHUP changes=none/)
    })
  )
})
