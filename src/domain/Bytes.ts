/** Bytes that came in pieces. */

/** All of them in one; the same if there is only one. */
export const join = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const [first, second] = pieces
  if (first !== undefined && second === undefined) return first
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
