/** Ways to split a stream of events, and reproducible randomness. */

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export const bytes = (text: string): Uint8Array => encoder.encode(text)
export const text = (chunk: Uint8Array): string => decoder.decode(chunk)

export const lineEnds = [
  { lineEnd: "LF", eol: "\n" },
  { lineEnd: "CRLF", eol: "\r\n" },
  { lineEnd: "CR", eol: "\r" }
]

/** These events with line ends of every kind, at random; no LF stands where it would belong to a CR before it. */
export const withMixedEnds = (events: ReadonlyArray<string>, seed: number): ReadonlyArray<string> => {
  const next = random(seed)
  let last = ""
  return events.map((event) =>
    event.replaceAll(/\n|[^\n]+/g, (part) => {
      const possible = last.endsWith("\r") ? ["\r", "\r\n"] : ["\r", "\r\n", "\n"]
      last = part === "\n" ? (possible[next(possible.length)] ?? "") : part
      return last
    })
  )
}

/** Where the events end, as offsets in bytes. */
export const boundaries = (events: ReadonlyArray<string>): ReadonlyArray<number> => {
  let offset = 0
  return events.map((event) => (offset += bytes(event).length))
}

/** Cuts at these offsets. */
export const splitAt = (whole: Uint8Array, offsets: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const edges = [0, ...offsets, whole.length]
  return edges.slice(1).map((end, index) => whole.subarray(edges[index], end))
}

/** One byte at a time. */
export const oneByOne = (whole: Uint8Array): ReadonlyArray<Uint8Array> => inPieces(whole, 1)

/** Pieces of one size, but for the last one. */
export const inPieces = (whole: Uint8Array, size: number): ReadonlyArray<Uint8Array> =>
  splitAt(
    whole,
    Array.from({ length: Math.max(0, Math.ceil(whole.length / size) - 1) }, (_, index) => (index + 1) * size)
  )

export const concat = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat(chunks))

/** Numbers from 0 to below `limit`, the same for the same seed (mulberry32). */
export const random = (seed: number) => {
  let state = seed
  return (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * limit)
  }
}

/** Chunks of random sizes from 1 to `largest`. */
export const splitRandomly = (whole: Uint8Array, seed: number, largest: number): ReadonlyArray<Uint8Array> => {
  const next = random(seed)
  const offsets: Array<number> = []
  for (let offset = 1 + next(largest); offset < whole.length; offset += 1 + next(largest)) offsets.push(offset)
  return splitAt(whole, offsets)
}
