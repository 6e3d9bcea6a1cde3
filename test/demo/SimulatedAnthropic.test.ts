import Anthropic from "@anthropic-ai/sdk"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestSimulated from "./TestSimulated.ts"

describe("The simulated Anthropic", () => {
  it.live("speaks so that the Anthropic SDK understands it", () =>
    Effect.gen(function* () {
      const { of } = yield* TestSimulated.start
      const { baseUrl, key } = of(TestSimulated.anthropic)
      const client = new Anthropic({ baseURL: baseUrl, apiKey: "-", defaultHeaders: { "x-api-key": key(2) } })
      const messages = [{ role: "user" as const, content: "Hello" }]
      const request = { model: "claude-test", max_tokens: 64, messages }

      const [blocking, streamed, models, count] = yield* Effect.promise(() =>
        Promise.all([
          client.messages.create(request),
          client.messages.stream(request).finalMessage(),
          client.models.list(),
          client.messages.countTokens({ model: request.model, messages })
        ])
      )

      assert.strictEqual(blocking.model, "claude-test")
      assert.deepInclude(blocking.content[0], {
        type: "text",
        text: "Hello from the simulated provider. No account was used."
      })
      assert.strictEqual(streamed.model, "claude-test")
      assert.deepStrictEqual(streamed.content, blocking.content)
      assert.deepStrictEqual(streamed.usage.output_tokens, blocking.usage.output_tokens)
      assert.strictEqual(streamed.stop_reason, "end_turn")
      assert.lengthOf(models.data, 1)
      assert.isAbove(count.input_tokens, 0)
    })
  )
})
