/** Feeds the answers of upstream calls to a reader of turns, and says what a client sees of them. */
import { assert } from "@effect/vitest"
import type { CallResult, ToolTurns } from "../../src/dialects/ToolTurns.ts"
import { dataOf } from "../../src/domain/SseEvent.ts"
import type { ToolContent } from "../../src/domain/ToolResult.ts"
import * as Bodies from "./Bodies.ts"

/** What the client sees of a stream. */
export const feed = (reader: ToolTurns, stream: string): string =>
  stream
    .split(/(?<=\n\n)/)
    .flatMap((one) => {
      const bytes = Bodies.bytes(one)
      const shown = reader.event(bytes, dataOf(bytes))
      // Unless it was edited, an event is the very one.
      for (const each of shown) if (Bodies.text(each) === one) assert.strictEqual(each, bytes)
      return shown.map(Bodies.text)
    })
    .join("")

export const said = (...words: ReadonlyArray<string>): ReadonlyArray<ToolContent> =>
  words.map((text) => ({ type: "text", text }))

/** The same result for all calls. */
export const answered = (
  reader: ToolTurns,
  content: ReadonlyArray<ToolContent> = said("done"),
  isError = false
): ReadonlyArray<CallResult> => reader.calls().map((call) => ({ call, result: { isError, content } }))

/** The members of the next request. */
export const sent = (bytes: Uint8Array) => JSON.parse(Bodies.text(bytes))
