/** A gate that keeps the usage of chat streams to itself, without a relay. */
import { EventGate } from "../../src/relay/EventGate.ts"
import { SseTap } from "../../src/relay/SseTap.ts"
import * as OpenAiChatStream from "../fixtures/OpenAiChatStream.ts"
import * as Splits from "../Splits.ts"

export const make = () => {
  const { dialect, omitted } = OpenAiChatStream.unasked
  return new EventGate(new SseTap(dialect), omitted)
}

/** The pieces that pass, for each pull of some chunks. */
export const pulls = (chunks: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<ReadonlyArray<string>> => {
  const gate = make()
  return chunks.map((pull) => gate.pass(pull.map(Splits.bytes)).map(Splits.text))
}

/** All that passes of a stream in these chunks, each in a pull of its own or all in one, and what is held in the end. */
export const passed = (chunks: ReadonlyArray<Uint8Array>, together: boolean): string => {
  const gate = make()
  const pieces = together ? gate.pass(chunks) : chunks.flatMap((chunk) => gate.pass([chunk]))
  return Splits.text(Splits.concat([...pieces, ...gate.takeHeld()]))
}

/** The ways to split a stream that give something else than this, if there are any. */
export const wrongSplits = (stream: string, expected: string): ReadonlyArray<string> => {
  const whole = Splits.bytes(stream)
  const splits = [
    { split: "whole", chunks: [whole] },
    { split: "byte by byte", chunks: Splits.oneByOne(whole) },
    { split: "byte by byte in one pull", chunks: Splits.oneByOne(whole) },
    ...Array.from({ length: whole.length - 1 }, (_, index) => ({
      split: `at ${index + 1}`,
      chunks: Splits.splitAt(whole, [index + 1])
    })),
    ...Array.from({ length: 50 }, (_, seed) => ({
      split: `seed ${seed}`,
      chunks: Splits.splitRandomly(whole, seed, 1 + seed * 2)
    }))
  ]
  return splits.flatMap(({ split, chunks }, index) => {
    const actual = passed(chunks, index % 2 === 0)
    return actual === expected ? [] : [`${split}: ${JSON.stringify(actual)}`]
  })
}
