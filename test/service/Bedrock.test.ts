/** A real Bedrock of the service: what is configured, before an upstream that the test plays. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import process from "node:process"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestServer from "../upstream/TestServer.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestMessages from "./TestMessages.ts"
import * as TestService from "./TestService.ts"

const started = Effect.fnUntraced(function* (environment: Readonly<Record<string, string>>) {
  const upstream = yield* TestServer.start
  const service = yield* TestService.start({
    AIBRIDGE_PROVIDER_0_TYPE: "anthropic",
    AIBRIDGE_PROVIDER_0_NAME: "aws",
    AIBRIDGE_PROVIDER_0_BEDROCK_REGION: "eu-west-1",
    AIBRIDGE_PROVIDER_0_BEDROCK_BASE_URL: `${upstream.origin}/base`,
    AIBRIDGE_PROVIDER_0_BEDROCK_MODEL: "anthropic.big-v1:0",
    AIBRIDGE_PROVIDER_0_BEDROCK_SMALL_FAST_MODEL: "anthropic.small-v1:0",
    ...environment
  })
  return { upstream, ...service }
})

const path = "/aws/v1/messages"

/** An environment in which the default chain finds nothing, until the scope closes. */
const withoutCredentials = Effect.acquireRelease(
  Effect.sync(() => {
    const before = { ...process.env }
    for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name]
    Object.assign(process.env, {
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: "/nonexistent/config",
      AWS_SHARED_CREDENTIALS_FILE: "/nonexistent/credentials"
    })
    return before
  }),
  (before) =>
    Effect.sync(() => {
      for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
      Object.assign(process.env, before)
    })
)

describe("Bedrock of the service", () => {
  it.live("is asked with the pool of its credentials, and throttled ones are passed over", () =>
    Effect.gen(function* () {
      const { upstream, url, lines } = yield* started({
        AIBRIDGE_PROVIDER_0_BEDROCK_ACCESS_KEYS: "AKIAIOSFODNN7EXAMPLE,AKIAIOSFODNN8EXAMPLE",
        AIBRIDGE_PROVIDER_0_BEDROCK_ACCESS_KEY_SECRETS: "secret-never-shown-1,secret-never-shown-2"
      })
      const throttled = TestAnswer.json(429, { message: "Too many" }, [["x-amzn-errortype", "ThrottlingException"]])
      const seen = yield* TestMessages.script(upstream, [throttled, TestMessages.blocking("Hello")])

      const answer = yield* TestHttp.send(url, { path, body: TestHttp.message({ metadata: {} }) })

      assert.strictEqual(answer.status, 200)
      assert.deepStrictEqual(
        seen.map(({ target, headers }) => [target, /Credential=([^/]*)/.exec(headers["authorization"] ?? "")?.[1]]),
        [
          ["/base/model/anthropic.big-v1%3A0/invoke", "AKIAIOSFODNN7EXAMPLE"],
          ["/base/model/anthropic.big-v1%3A0/invoke", "AKIAIOSFODNN8EXAMPLE"]
        ]
      )
      assert.match(lines().join("\n"), /key marked temporary.* cooldown=5s provider=aws api_key_hint=AKIA...MPLE/)
      assert.notInclude(lines().join("\n") + (yield* answer.text), "never-shown")
    })
  )

  it.live("without credentials listens all the same, says so at start, and answers 502", () =>
    Effect.gen(function* () {
      yield* withoutCredentials
      const { url, lines } = yield* started({})
      const answer = yield* TestHttp.send(url, { path, body: TestHttp.message() })

      assert.strictEqual(answer.status, 502)
      assert.include(yield* answer.text, "no AWS credentials found")
      const warnings = lines().filter((line) => line.includes("no AWS credentials found") && line.includes("detail="))
      assert.deepStrictEqual(warnings.map((line) => line.includes("interception_id")).toSorted(), [false, true])
    })
  )
})
