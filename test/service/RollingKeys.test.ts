/** Keys that are changed one after the other while requests come all the time: none of them is lost. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Http from "node:http"
import * as TestAdmin from "./admin/TestAdmin.ts"
import * as TestConfigFile from "./TestConfigFile.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestMessages from "./TestMessages.ts"
import * as TestService from "./TestService.ts"

const { key } = TestService
const callers = 16

/** An upstream that answers with a stream to whom it knows, and 401 to others. */
const upstream = Effect.gen(function* () {
  const known = new Set<string>()
  const seen: Array<string> = []
  const server = yield* Effect.acquireRelease(
    Effect.callback<Http.Server>((resume) => {
      const made = Http.createServer((request, response) => {
        const shown = String(request.headers["x-api-key"])
        seen.push(shown)
        request.resume()
        if (!known.has(shown)) return void response.writeHead(401).end("{}")
        response.writeHead(200, { "content-type": "text/event-stream" })
        response.write(TestMessages.events(["Hello"]).slice(0, 100))
        setTimeout(() => response.end(TestMessages.events(["Hello"]).slice(100)), 20)
      }).listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
    }),
    (made) =>
      Effect.sync(() => {
        made.close()
        made.closeAllConnections()
      })
  )
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, known, seen }
})

describe("A rolling change of keys under load", () => {
  it.live("loses no request", () =>
    Effect.gen(function* () {
      const { url: baseUrl, known, seen } = yield* upstream
      const settings = (...indexes: ReadonlyArray<number>) => ({
        providers: [{ type: "anthropic", baseUrl, keys: indexes.map(key) }]
      })
      known.add(key(0)).add(key(1))
      const file = yield* TestConfigFile.make(settings(0, 1))
      const { url, adminUrl } = yield* TestService.start({}, { file: file.path })
      let isOver = false
      const answers: Array<string> = []
      const ask = Effect.scoped(
        Effect.gen(function* () {
          const answer = yield* TestHttp.send(url, { body: TestHttp.message({ stream: true }) })
          answers.push(`${answer.status} ${yield* answer.text}`)
        })
      )
      const caller = yield* Effect.forkScoped(
        Effect.forEach(Array.from({ length: callers }), () => Effect.repeat(ask, { until: () => isOver }), {
          concurrency: callers,
          discard: true
        })
      )
      /** Waits for so many more answers. */
      const more = (count: number) => {
        const goal = answers.length + count
        return Effect.sleep("10 millis").pipe(Effect.repeat({ until: () => answers.length >= goal }))
      }

      for (let round = 0; round < 4; round++) {
        yield* more(30)
        // The next one is made, told to the gateway, and the oldest one is revoked.
        known.add(key(round + 2))
        yield* file.write(settings(round + 1, round + 2))
        const { status } = yield* TestAdmin.ask(adminUrl, "POST /reload")
        assert.strictEqual(status, 200)
        yield* more(callers)
        known.delete(key(round))
      }
      yield* more(30)
      isOver = true
      yield* Fiber.join(caller)

      const whole = `200 ${TestMessages.events(["Hello"])}`
      assert.deepStrictEqual(
        answers.filter((answer) => answer !== whole),
        []
      )
      assert.deepStrictEqual(new Set(seen.slice(-20)), new Set([key(4)]))
    })
  )
})
