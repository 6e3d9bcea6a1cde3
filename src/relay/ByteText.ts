/** ASCII text within bytes, without making text of them. */

/** Whether the text stands at this place. */
export const isAt = (bytes: Uint8Array, at: number, text: string): boolean => {
  for (let index = 0; index < text.length; index++) {
    if (bytes[at + index] !== text.charCodeAt(index)) return false
  }
  return true
}

/** Whether the text stands anywhere. Its first letter should be a rare one. */
export const isIn = (bytes: Uint8Array, text: string): boolean => {
  const first = text.charCodeAt(0)
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (isAt(bytes, at, text)) return true
  }
  return false
}
