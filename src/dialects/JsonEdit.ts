/**
 * Edits of JSON bytes at one place: what stands elsewhere, white space and unknown members included, stays as it is. The one
 * file that knows `jsonc-parser`.
 */
import * as Jsonc from "jsonc-parser"

/** Adds a member to an object that has others but not this one. The rest is not even looked at. */
export const addMember = (object: Uint8Array, name: string, value: unknown): Uint8Array => {
  const end = object.lastIndexOf(closingBrace)
  return splice(object, end, end, `,${JSON.stringify(name)}:${JSON.stringify(value)}`)
}

/** Sets the member at a path; what is above it must be objects, or absent. */
export const setMember = (json: Uint8Array, path: ReadonlyArray<string>, value: unknown): Uint8Array => {
  // One character a byte, whatever its encoding: so that places in the text are places in the bytes.
  const edits = Jsonc.modify(latin1.decode(json), [...path], value, {})
  return edits.reduceRight(
    (edited, { offset, length, content }) => splice(edited, offset, offset + length, content),
    json
  )
}

const closingBrace = 0x7d

const latin1 = new TextDecoder("latin1")
const encoder = new TextEncoder()

const splice = (bytes: Uint8Array, start: number, end: number, content: string): Uint8Array => {
  const inserted = encoder.encode(content)
  const spliced = new Uint8Array(bytes.length - (end - start) + inserted.length)
  spliced.set(bytes.subarray(0, start))
  spliced.set(inserted, start)
  spliced.set(bytes.subarray(end), start + inserted.length)
  return spliced
}
