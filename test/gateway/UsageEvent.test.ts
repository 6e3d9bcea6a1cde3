import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Splits from "../Splits.ts"
import * as Table from "../Table.ts"
import * as Chat from "./Chat.ts"
import * as Setup from "./Setup.ts"

const { fixture, usageEvent, doneEvent } = Chat

const unasked = `{"model":"gpt-5.1","stream":true}`
const asked = `{"model":"gpt-5.1","stream":true,"stream_options":{"include_usage":true}}`

/** What a client that did not ask for usage sees of these steps. */
const relayed = Effect.fnUntraced(function* (steps: ReadonlyArray<ScriptedUpstream.Step>) {
  const answer = TestGateway.fetch("/openai/v1/chat/completions", { body: unasked })
  return (yield* answer.pipe(Effect.provide(Setup.layer([ScriptedUpstream.events(steps)])))).text
})

describe("A chat stream with usage that nobody asked for", () => {
  const filterResults = Chat.chunk({ choices: [], prompt_filter_results: [{ prompt_index: 0 }] })
  const rest = fixture.events.slice(1, -2)
  const first = fixture.events[0] ?? ""

  it.effect.each([{ event: "a first one without choices and without usage", kept: filterResults }])(
    "keeps every other event, such as $event",
    ({ kept }) =>
      Effect.gen(function* () {
        const text = yield* relayed([kept, first, ...rest, usageEvent, kept, doneEvent])

        assert.strictEqual(text, [kept, first, ...rest, kept, doneEvent].join(""))
      })
  )

  it.effect("loses its usage wherever its bytes are split", () =>
    Effect.gen(function* () {
      const bytes = Splits.bytes(fixture.streamText)
      for (let seed = 1; seed <= 60; seed++) {
        const text = yield* relayed(Splits.splitRandomly(bytes, seed, 1 + (seed % 60) * 7))

        assert.strictEqual(text, Chat.eventsWithoutUsage.join(""), `seed ${seed}`)
      }
    })
  )

  it.effect("ends with one error event when it is cut after its usage", () =>
    Effect.gen(function* () {
      const text = yield* relayed([first, usageEvent, Failure.cut("ECONNRESET")])

      assert.strictEqual(text, first + fixture.cutEvent)
    })
  )
})

describe("An error to a chat request for a stream", () => {
  const refusals = [
    { script: [fixture.error(400)], status: 400, text: fixture.upstreamErrorText(400) },
    { script: [fixture.error(429), fixture.error(500)], status: 500, text: fixture.upstreamErrorText(500) },
    {
      script: [fixture.error(429, "5"), fixture.error(429, "3")],
      status: 429,
      text: fixture.errorText(429, "all configured keys are rate-limited (retry after 3s)")
    },
    {
      script: [fixture.error(401), fixture.error(401)],
      status: 502,
      text: fixture.errorText(502, "all configured keys failed authentication")
    },
    {
      script: [ScriptedUpstream.failure(Failure.unreachable("ECONNREFUSED"))],
      status: 502,
      text: fixture.errorText(502, "upstream unreachable (ECONNREFUSED)")
    }
  ]

  it.effect.each(Table.times([{ body: asked }, { body: unasked }], refusals))(
    "is JSON and never followed by [DONE]: $status $text",
    ({ body, script, status, text }) =>
      Effect.gen(function* () {
        const response = yield* TestGateway.fetch("/openai/v1/chat/completions", { body })

        assert.strictEqual(response.headers["content-type"], "application/json")
        assert.deepStrictEqual({ status: response.status, text: response.text }, { status, text })
      }).pipe(Effect.provide(Setup.layer(script)))
  )
})
