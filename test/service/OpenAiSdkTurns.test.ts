import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestOpenAi from "./TestOpenAi.ts"
import { call, scripted } from "./TestOpenAiSdk.ts"

const messages = [{ role: "user" as const, content: "Weather in Paris?" }]

const weather = ({ city }: { readonly city: string }) => `sunny in ${city}`

describe("The OpenAI SDK", () => {
  it.live("takes turns with a tool in chat, each with failover", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* scripted(2, [
        TestOpenAi.limited(30),
        TestOpenAi.streamed(TestOpenAi.toolEvents("weather", [`{"city":`, `"Paris"}`])),
        TestOpenAi.streamed(TestOpenAi.chatEvents(["Sunny", " in Paris"]))
      ])
      const content = yield* call(() =>
        client.chat.completions
          .runTools({
            model: "gpt-test",
            messages,
            stream: true,
            tools: [
              {
                type: "function",
                function: { name: "weather", description: "", parameters: {}, parse: JSON.parse, function: weather }
              }
            ]
          })
          .finalContent()
      )

      assert.strictEqual(content, "Sunny in Paris")
      const [, tool] = JSON.parse(String(seen[2]?.body)).messages.slice(-2)
      assert.deepInclude(tool, { role: "tool", tool_call_id: "call_1", content: "sunny in Paris" })
    })
  )

  it.live("takes turns with a tool in responses, by the id of the one before", () =>
    Effect.gen(function* () {
      const { client, seen } = yield* scripted(1, [
        TestOpenAi.streamed(TestOpenAi.callEvents("weather", `{"city":"Paris"}`)),
        TestOpenAi.streamed(TestOpenAi.responseEvents(["Sunny"]))
      ])

      const first = yield* call(() => client.responses.stream({ model: "gpt-test", input: "Weather?" }).finalResponse())
      const [item] = first.output
      const second = yield* call(() =>
        client.responses
          .stream({
            model: "gpt-test",
            previous_response_id: first.id,
            input: [{ type: "function_call_output", call_id: "call_1", output: "sunny" }]
          })
          .finalResponse()
      )

      assert.deepInclude(item, { type: "function_call", name: "weather", arguments: `{"city":"Paris"}` })
      assert.strictEqual(second.output_text, "Sunny")
      assert.deepInclude(JSON.parse(String(seen[1]?.body)), { previous_response_id: "resp_1" })
    })
  )

  it.live("fetches, cancels and deletes responses, and lists models, with failover", () =>
    Effect.gen(function* () {
      const response = TestOpenAi.responses("Hello")
      const models = TestAnswer.json(200, { object: "list", data: [{ id: "gpt-test", object: "model" }] })
      const deleted = TestAnswer.json(200, { id: "resp_1", object: "response", deleted: true })
      const { client, seen } = yield* scripted(2, [TestOpenAi.limited(30), response, response, deleted, models])

      const fetched = yield* call(() => client.responses.retrieve("resp_1", { include: ["file_search_call.results"] }))
      yield* call(() => client.responses.cancel("resp_1"))
      yield* call(() => client.responses.delete("resp_1"))
      const page = yield* call(() => client.models.list())

      assert.strictEqual(fetched.id, "resp_1")
      assert.deepStrictEqual(
        page.data.map(({ id }) => id),
        ["gpt-test"]
      )
      assert.deepStrictEqual(
        seen.slice(1).map(({ method, target }) => `${method} ${decodeURIComponent(target)}`),
        [
          "GET /v1/responses/resp_1?include[]=file_search_call.results",
          "POST /v1/responses/resp_1/cancel",
          "DELETE /v1/responses/resp_1",
          "GET /v1/models"
        ]
      )
    })
  )
})
