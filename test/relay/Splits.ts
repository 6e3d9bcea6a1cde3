/** Streams of events to be split anywhere, ways to split them, and reproducible randomness. */

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export const bytes = (text: string): Uint8Array => encoder.encode(text)
export const text = (chunk: Uint8Array): string => decoder.decode(chunk)

export const lineEnds = [
  { lineEnd: "LF", eol: "\n" },
  { lineEnd: "CRLF", eol: "\r\n" },
  { lineEnd: "CR", eol: "\r" }
]

/** A stream, event by event, with most of what the format allows. The last event is the terminal one. */
export const events = (eol: string): ReadonlyArray<string> =>
  [
    `: a comment\nretry: 3000\nevent:message_start\ndata:{"type":"message_start"}\n\n`,
    `\n`,
    `: only a comment\n\n`,
    `id: 7\nevent: content_block_delta\ndata: {"text":"ü世👋"}\n\n`,
    `event: content_block_delta\ndata: {"text":\ndata: "message_stop"}\nunknown: x\nevent\n\n`,
    `data: {"no":"name"}\n\n`,
    `event: message_stop\ndata: {"type":"message_stop"}\n\n`
  ].map((event) => event.replaceAll("\n", eol))

/** Where the events end, as offsets in bytes. */
export const boundaries = (all: ReadonlyArray<string>): ReadonlyArray<number> => {
  let offset = 0
  return all.map((event) => (offset += bytes(event).length))
}

/** Cuts at these offsets. */
export const splitAt = (whole: Uint8Array, offsets: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const edges = [0, ...offsets, whole.length]
  return edges.slice(1).map((end, index) => whole.subarray(edges[index], end))
}

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
