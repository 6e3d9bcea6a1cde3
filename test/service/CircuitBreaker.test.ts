/** Circuit breakers of the service, over real connections and in real time. */
import { Anthropic, InternalServerError } from "@anthropic-ai/sdk"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestMessages from "./TestMessages.ts"
import * as TestService from "./TestService.ts"

const overloaded = (status: number) =>
  TestAnswer.json(status, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } })

const request = { model: "claude-test", max_tokens: 64, messages: [{ role: "user" as const, content: "Hello" }] }

const scripted = Effect.fnUntraced(function* (answers: ReadonlyArray<TestMessages.Answer>, environment = {}) {
  const { upstream, url, lines } = yield* TestService.withUpstream(2, {
    AIBRIDGE_CIRCUIT_BREAKER_ENABLED: "true",
    AIBRIDGE_CIRCUIT_BREAKER_FAILURE_THRESHOLD: "2",
    AIBRIDGE_CIRCUIT_BREAKER_TIMEOUT: "1s",
    ...environment
  })
  const seen = yield* TestMessages.script(upstream, answers)
  const client = new Anthropic({ baseURL: `${url}/anthropic`, apiKey: "anything", maxRetries: 0 })
  /** The text of a message, or the status and message of the error in its place. */
  const ask = Effect.promise(() =>
    client.messages.create(request).then(
      ({ content: [block] }) => (block?.type === "text" ? block.text : "no text"),
      (error) => (error instanceof InternalServerError ? `${error.status} ${error.apiMessage}` : String(error))
    )
  )
  return { ask, seen, lines, client }
})

describe("An upstream that says 503, 529 and 429 in turn", () => {
  it.live("is left alone after two of the first, and asked again by one probe", () =>
    Effect.gen(function* () {
      const answers = [
        TestMessages.limited(60),
        overloaded(529),
        overloaded(503),
        TestMessages.blocking("Hello"),
        TestMessages.blocking("again")
      ]
      const { ask, seen, lines } = yield* scripted(answers)

      const before = [yield* ask, yield* ask, yield* ask, yield* ask]
      yield* Effect.sleep("1 second")
      const after = [yield* ask, yield* ask]

      assert.deepStrictEqual(before, [
        "529 Overloaded",
        "503 Overloaded",
        "503 circuit breaker is open",
        "503 circuit breaker is open"
      ])
      assert.deepStrictEqual(after, ["Hello", "again"])
      assert.lengthOf(seen, 5)
      const changes = lines().flatMap(
        (line) => /circuit breaker state change.* from=(\S+) to=(\S+)/.exec(line)?.slice(1, 3) ?? []
      )
      assert.deepStrictEqual(changes, ["closed", "open", "open", "half-open", "half-open", "closed"])
    })
  )

  it.live("makes the SDK wait as long as the circuit is open, and then go on", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* scripted([overloaded(503), TestMessages.blocking("Hello")], {
        AIBRIDGE_CIRCUIT_BREAKER_FAILURE_THRESHOLD: "1"
      })

      const { content } = yield* Effect.promise(() => client.messages.create(request, { maxRetries: 3 }))

      assert.deepInclude(content[0], { text: "Hello" })
      assert.lengthOf(seen, 2)
    })
  )
})

describe("Circuit breakers of simulated providers", () => {
  it.live("are as they are set", () =>
    Effect.gen(function* () {
      const { url } = yield* TestService.start({
        AIBRIDGE_CIRCUIT_BREAKER_ENABLED: "true",
        AIBRIDGE_CIRCUIT_BREAKER_FAILURE_THRESHOLD: "1",
        AIBRIDGE_CIRCUIT_BREAKER_STATUSES: "400"
      })
      // Bedrock refuses it: `max_tokens` is missing.
      const incomplete = { path: "/bedrock/v1/messages", body: `{"model":"claude","messages":[]}` }

      const first = yield* TestHttp.send(url, incomplete)
      const second = yield* TestHttp.send(url, incomplete)

      assert.deepStrictEqual([first.status, second.status], [400, 503])
    })
  )
})
