/** What a service has recorded, read back from it: over real connections, and from a file on disk. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestDump from "../upstream/TestDump.ts"
import * as TestServer from "../upstream/TestServer.ts"
import * as TestAdmin from "./admin/TestAdmin.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestMessages from "./TestMessages.ts"
import * as TestService from "./TestService.ts"

const prompt = "What a secret prompt"
const message = TestHttp.message({ messages: [{ role: "user", content: prompt }] })

const ask = (url: string, token: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const answer = yield* TestHttp.send(url, { body: message, headers: { "x-api-key": token } })
      yield* answer.text
      return answer.headers["x-aibridge-interception-id"]
    })
  )

/** A service that has answered two requests and was stopped; what it has left is asked of the next one. */
const recorded = Effect.fnUntraced(function* (settings: Readonly<Record<string, string>> = {}) {
  const directory = yield* TestDump.directory
  const file = join(directory, "below", "records.db")
  const environment = {
    AIBRIDGE_TOKENS: "ada=token-of-ada,bob=token-of-bob",
    AIBRIDGE_ADMIN_TOKEN: "the-admin-token",
    AIBRIDGE_DATABASE_URL: `sqlite:${file}`,
    ...settings
  }
  const upstream = yield* TestServer.start
  yield* TestMessages.script(upstream, [
    TestMessages.limited(60),
    TestMessages.blocking("Hello"),
    TestAnswer.json(500, { type: "error", error: { type: "api_error", message: "no" } })
  ])
  const first = yield* Scope.make()
  const { url } = yield* Scope.provide(TestService.before(upstream, 2, environment), first)
  const ids = [yield* ask(url, "token-of-ada"), yield* ask(url, "token-of-bob")]
  yield* Scope.close(first, Exit.void)
  const { adminUrl } = yield* TestService.before(upstream, 2, environment)
  const get = (target: string) => TestAdmin.ask(adminUrl, `GET ${target}`, { authorization: "Bearer the-admin-token" })
  return { ids, file, get }
})

describe("A service", () => {
  it.live("records who used what, and says so after a restart, too", () =>
    Effect.gen(function* () {
      const { ids, file, get } = yield* recorded()

      const list = yield* get("/interceptions")
      const ofAda = yield* get("/interceptions?actor=ada")
      const details = yield* get(`/interceptions/${ids[0]}`)
      const usage = yield* get("/usage")

      const found: ReadonlyArray<Record<string, unknown>> = Object(list.body).interceptions
      assert.deepStrictEqual(
        found.map(({ id, actor, model, end }) => [id, actor, model, Object(end).reason, Object(end).status]),
        [
          [ids[1], "bob", "claude-test", "complete", 500],
          [ids[0], "ada", "claude-test", "complete", 200]
        ]
      )
      assert.deepStrictEqual(
        Object(ofAda.body).interceptions.map(({ id }: { readonly id: string }) => id),
        [ids[0]]
      )
      const { attempts, prompts, tokens } = Object(details.body)
      assert.deepStrictEqual(prompts, [prompt])
      assert.deepStrictEqual(
        attempts.map(({ number, status }: Record<string, unknown>) => [number, status]),
        [
          [1, 429],
          [2, 200]
        ]
      )
      assert.deepInclude(tokens[0], { input: 10, output: 5, quality: "final" })
      const [sum] = Array.isArray(usage.body) ? usage.body.filter(({ actor }) => actor === "ada") : []
      assert.deepInclude(sum, { model: "claude-test", interceptions: 1, input: 10, output: 5 })
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
    })
  )

  it.live("keeps no prompts if it is told to", () =>
    Effect.gen(function* () {
      const { ids, get } = yield* recorded({ AIBRIDGE_RECORD_CONTENT: "false" })

      const { body } = yield* get(`/interceptions/${ids[0]}`)

      assert.deepStrictEqual(Object(body).prompts, [])
      assert.strictEqual(Object(body).tokens.length, 1)
    })
  )

  it.live.each([
    { target: "/interceptions/nothing", status: 404, says: `there is no interception "nothing"` },
    { target: "/interceptions?from=yesterday", status: 400, says: "from must be a date" },
    { target: "/interceptions?cursor=x", status: 400, says: "the cursor is none that a list has given" }
  ])("says of $target what is wrong", ({ target, status, says }) =>
    Effect.gen(function* () {
      const { get } = yield* recorded()

      const answer = yield* get(target)

      assert.strictEqual(answer.status, status)
      assert.include(Object(answer.body).message, says)
    })
  )

  it.live("without a database says that there is none", () =>
    Effect.gen(function* () {
      const { adminUrl } = yield* TestService.start({})

      const { status, body } = yield* TestAdmin.ask(adminUrl, "GET /interceptions")

      assert.deepStrictEqual([status, Object(body)._tag], [503, "NoRecords"])
      assert.include(Object(body).message, "no database is configured")
    })
  )

  it.live("answers requests though its database cannot be opened, and says so once", () =>
    Effect.gen(function* () {
      const directory = yield* TestDump.directory
      writeFileSync(join(directory, "file"), "")
      const { url, upstream, lines } = yield* TestService.withUpstream(1, {
        AIBRIDGE_DATABASE_URL: `sqlite:${join(directory, "file", "records.db")}`
      })
      yield* TestMessages.script(upstream, [TestMessages.blocking("one"), TestMessages.blocking("two")])

      yield* ask(url, "any")
      yield* ask(url, "any")
      const told = Effect.sync(() => lines().filter((line) => line.includes("records cannot be written")))
      yield* Effect.repeat(told, {
        until: (found) => found.length > 0,
        schedule: Schedule.spaced("50 millis"),
        times: 200
      })

      assert.lengthOf(yield* told, 1)
    })
  )
})
