import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestMessages from "./TestMessages.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestService from "./TestService.ts"

describe("The service", () => {
  it.live.each([
    { environment: { AIBRIDGE_SEND_ACTOR_HEADERS: "true" }, told: "ada" },
    { environment: {}, told: undefined }
  ])("tells an upstream who calls only if it is set to: $told", ({ environment, told }) =>
    Effect.gen(function* () {
      const { upstream, url } = yield* TestService.withUpstream(1, { AIBRIDGE_TOKENS: "ada=token-1", ...environment })
      const seen = yield* TestMessages.script(upstream, [TestMessages.blocking("Hello")])

      yield* TestHttp.send(url, { headers: { authorization: "Bearer token-1" }, body: TestHttp.message() })

      assert.deepStrictEqual(
        seen.map(({ headers }) => headers["x-ai-bridge-actor-id"]),
        [told]
      )
    })
  )
})
