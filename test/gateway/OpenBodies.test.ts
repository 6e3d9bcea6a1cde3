import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"

/** What real clients send beyond what the vendors document, see each client's own request. */
const members = {
  context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
  output_config: { effort: "high" },
  thinking: { type: "adaptive" },
  tools: [
    { type: "namespace", name: "mcp" },
    { type: "web_search", external_web_access: false },
    { type: "of_tomorrow" }
  ],
  client_metadata: { session_id: "019a" },
  of_tomorrow: [1.5, null, { x: [] }]
}

describe("What nobody here knows", () => {
  it.effect.each(Calls.unchangedBridged)(
    "passes there and back: members, types of tools, events, with $call",
    (call) => {
      const { path, request, fixture, isStreaming } = call
      const body = JSON.stringify(Object.assign({}, request.body, members))
      const event = `event: of_tomorrow\ndata: {"type":"of_tomorrow","item":{"type":"of_tomorrow"}}\n\n`
      const [first = "", ...rest] = fixture.events
      const steps = [first, event, ...rest]
      return Effect.gen(function* () {
        const { text } = yield* TestGateway.fetch(path, { body })

        assert.deepStrictEqual(
          (yield* Setup.requests).map((sent) => sent.text),
          [body]
        )
        assert.strictEqual(text, isStreaming ? steps.join("") : call.text)
      }).pipe(Effect.provide(Setup.layer([isStreaming ? ScriptedUpstream.events(steps) : call.good])))
    }
  )
})
