/** What a tap reads of a stream that comes in these chunks. */
import * as Arr from "effect/Array"
import type { Dialect } from "../../src/dialects/Dialect.ts"
import { SseTap } from "../../src/relay/SseTap.ts"
import * as Splits from "../Splits.ts"

export interface TapReading {
  /** Where events end, as offsets in the whole. */
  readonly ends: ReadonlyArray<number>
  /** Whether the last event has come. */
  readonly sawTerminal: boolean
}

export const read = (dialect: Dialect, chunks: ReadonlyArray<Uint8Array>): TapReading => {
  const tap = new SseTap(dialect)
  let offset = 0
  const ends = chunks.flatMap((chunk) => {
    const found: Array<number> = []
    const last = tap.push(chunk, found)
    if (last !== (found.at(-1) ?? 0)) throw new Error(`the last event ends at ${last}, not at ${found.join()}`)
    const absolute = found.map((end) => offset + end)
    offset += chunk.length
    return absolute
  })
  return { ends, sawTerminal: tap.sawTerminal }
}

/** The same for any split: after CRLF CR an event is over, but where the LF that belongs to it follows, it ends there. */
export const normalized = (dialect: Dialect, chunks: ReadonlyArray<Uint8Array>): TapReading => {
  const { ends, sawTerminal } = read(dialect, chunks)
  const whole = Splits.concat(chunks)
  const isCarriageReturn = (end: number) => whole[end - 1] === 0x0d && whole[end] === 0x0a
  return { ends: ends.filter((end) => !isCarriageReturn(end)), sawTerminal }
}

/** Whether the last event is in a text: in these pieces, as a whole and byte by byte. One answer, if they agree. */
export const sawTerminal = (dialect: Dialect, pieces: ReadonlyArray<string>): ReadonlyArray<boolean> => {
  const whole = Splits.bytes(pieces.join(""))
  const splits = [pieces.map(Splits.bytes), [whole], Splits.oneByOne(whole)]
  return Arr.dedupe(splits.map((chunks) => read(dialect, chunks).sawTerminal))
}
