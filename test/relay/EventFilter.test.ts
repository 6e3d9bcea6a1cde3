import { assert, describe, it } from "@effect/vitest"
import * as OpenAiChatStream from "../fixtures/OpenAiChatStream.ts"
import * as Splits from "../Splits.ts"
import * as Table from "../Table.ts"
import * as TestGate from "./TestGate.ts"

const { usage, oddUsage, done, unasked } = OpenAiChatStream
const text = unasked.delta("Grüße, 世界 👋")

/** Streams, event by event; those that are the usage are to be taken out. */
const streams: ReadonlyArray<{ readonly place: string; readonly events: ReadonlyArray<string> }> = [
  { place: "between the text and the end", events: [text, usage, done] },
  { place: "alone before the end", events: [usage, done] },
  { place: "alone", events: [usage] },
  { place: "in odd dress", events: [text, oddUsage, done] },
  { place: "twice", events: [usage, text, usage, oddUsage, done] },
  { place: "between comments", events: [text, ": before\n\n", usage, ": after\n\n", done] },
  { place: "between blank lines", events: [text, "\n", "\n", usage, "\n", "\n", done] },
  { place: "before a comment that belongs to the next event", events: [usage, `: next\n${text}`, done] },
  { place: "with a comment of its own", events: [text, usage.replace(/\n$/, ": its own\n\n"), done] },
  { place: "with a name", events: [text, `event: message\n${usage}`, done] },
  { place: "after the end", events: [text, done, usage] },
  { place: "with members in another order", events: [`data: {"usage":{"prompt_tokens":1},"choices":[]}\n\n`, done] },
  { place: "with the sum only", events: [`data: {"choices":[],"usage":{"total_tokens":3}}\n\n`, done] },
  { place: "with an unreadable text", events: [usage.replace("chatcmpl-fixture", "\ufffd\\ud800"), done] }
]

const isUsage = (event: string) => event.includes("_tokens")

describe.each(Table.times(streams, Splits.lineEnds))(
  "The usage that nobody asked for, $place, with lines that end in $lineEnd",
  ({ events, eol }) => {
    it("is taken out with its own bytes and no others, however the stream is split", () => {
      const stream = events.join("").replaceAll("\n", eol)
      const expected = events.filter((event) => !isUsage(event))

      assert.deepStrictEqual(TestGate.wrongSplits(stream, expected.join("").replaceAll("\n", eol)), [])
    })
  }
)

const chunk = (members: object) => `data: ${JSON.stringify({ id: "chatcmpl-1", ...members })}\n\n`
const tokens = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
const choices = [{ index: 0, delta: { content: "ü" }, finish_reason: null }]

const others = [
  { behaviour: "has choices, too", event: chunk({ choices, usage: tokens }) },
  { behaviour: "has no choices at all", event: chunk({ usage: tokens }) },
  { behaviour: "has choices that are null", event: chunk({ choices: null, usage: tokens }) },
  { behaviour: "has choices that are no list", event: chunk({ choices: {}, usage: tokens }) },
  { behaviour: "has no choices and no usage", event: chunk({ choices: [], note: "prompt_tokens" }) },
  { behaviour: "has no choices and usage that is null", event: chunk({ choices: [], usage: null, prompt_tokens: 1 }) },
  { behaviour: "has no choices and usage that is a text", event: chunk({ choices: [], usage: "prompt_tokens" }) },
  { behaviour: "is a filter's result", event: chunk({ choices: [], prompt_filter_results: [{ prompt_index: 0 }] }) },
  { behaviour: "has such a member deeper within", event: chunk({ x: { choices: [], usage: tokens } }) },
  { behaviour: "speaks of it in its text", event: unasked.delta(`{"choices":[],"usage":{"prompt_tokens":1}}`) },
  { behaviour: "speaks of it in a comment", event: `: ${JSON.stringify({ choices: [], usage: tokens })}\n\n` },
  { behaviour: "has another field", event: `id: ${JSON.stringify({ choices: [], usage: tokens })}\ndata: {}\n\n` },
  { behaviour: "is a list", event: `data: [${JSON.stringify({ choices: [], usage: tokens })}]\n\n` },
  { behaviour: "is null", event: `: prompt_tokens\ndata: null\n\n` },
  { behaviour: "is no JSON", event: `data: {"choices":[],"usage":{"prompt_tokens":1}\n\n` },
  { behaviour: "is more than JSON", event: `data: {"choices":[],"usage":{"prompt_tokens":1}}\ndata: {}\n\n` },
  { behaviour: "is an error", event: chunk({ error: { message: "prompt_tokens" } }) }
]

describe.each(Table.times(others, Splits.lineEnds.slice(0, 2)))(
  "An event of a chat that $behaviour, with lines that end in $lineEnd,",
  ({ event, eol }) => {
    it("passes however the stream is split, with the usage gone that follows it", () => {
      const before = (text + event).replaceAll("\n", eol)
      const end = done.replaceAll("\n", eol)

      assert.deepStrictEqual(TestGate.wrongSplits(before + usage.replaceAll("\n", eol) + end, before + end), [])
    })
  }
)
