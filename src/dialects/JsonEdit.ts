/**
 * Edits of JSON bytes at one place: what stands elsewhere, white space and unknown members included, stays as it is. The bytes
 * must be those of a JSON object. Of members with one name the last one counts, as for `JSON.parse`.
 */

/** Adds a member to an object that has others but not this one. The rest is not even looked at. */
export const addMember = (object: Uint8Array, name: string, value: unknown): Uint8Array => {
  const end = object.lastIndexOf(closingBrace)
  return splice(object, end, end, `,${JSON.stringify(name)}:${JSON.stringify(value)}`)
}

/** Sets the member at a path; what is above it must be objects, or absent. */
export const setMember = (json: Uint8Array, path: ReadonlyArray<string>, value: unknown): Uint8Array =>
  setIn(json, json.indexOf(openingBrace), path, value)

const setIn = (json: Uint8Array, object: number, path: ReadonlyArray<string>, value: unknown): Uint8Array => {
  const [name = "", ...rest] = path
  const { member, end, isEmpty } = find(json, object, name)
  if (member === undefined) {
    const inner = rest.reduceRight<unknown>((below, above) => ({ [above]: below }), value)
    return splice(json, end, end, `${isEmpty ? "" : ","}${JSON.stringify(name)}:${JSON.stringify(inner)}`)
  }
  if (rest.length > 0) return setIn(json, member.start, rest, value)
  return splice(json, member.start, member.end, JSON.stringify(value))
}

interface Found {
  /** Where the member's value stands, if there is one. */
  readonly member: { readonly start: number; readonly end: number } | undefined
  /** Where the object's closing brace stands. */
  readonly end: number
  readonly isEmpty: boolean
}

// One pass over an object, without a stack: a request may be nested deeper than calls can be.
const find = (json: Uint8Array, object: number, name: string): Found => {
  let member: Found["member"]
  let depth = 0
  // Of the member under way: its name while that is expected, then where its value starts if it is the one.
  let isName = true
  let isWanted = false
  let start: number | undefined
  // Where the last token ended.
  let end = object + 1
  for (let at = end; at < json.length; at++) {
    const byte = json[at]
    if (byte === undefined || byte <= space) continue
    if (depth === 0 && (byte === comma || byte === closingBrace)) {
      if (isWanted && start !== undefined) member = { start, end }
      if (byte === closingBrace) return { member, end: at, isEmpty: end === object + 1 }
      isName = true
      start = undefined
    } else if (depth === 0 && byte === colon) {
      isName = false
    } else {
      if (!isName) start ??= at
      if (byte === quote) {
        const after = stringEnd(json, at)
        if (isName) isWanted = JSON.parse(decoder.decode(json.subarray(at, after))) === name
        at = after - 1
      } else if (byte === openingBrace || byte === openingBracket) {
        depth++
      } else if (byte === closingBrace || byte === closingBracket) {
        depth--
      }
    }
    end = at + 1
  }
  return { member, end: json.length, isEmpty: false }
}

// Where a string ends that starts here: at the first quote that is not escaped.
const stringEnd = (json: Uint8Array, start: number): number => {
  for (let end = json.indexOf(quote, start + 1); end > 0; end = json.indexOf(quote, end + 1)) {
    let escapes = 0
    while (json[end - 1 - escapes] === backslash) escapes++
    if (escapes % 2 === 0) return end + 1
  }
  return json.length
}

const space = 0x20
const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openingBracket = 0x5b
const backslash = 0x5c
const closingBracket = 0x5d
const openingBrace = 0x7b
const closingBrace = 0x7d

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const splice = (bytes: Uint8Array, start: number, end: number, content: string): Uint8Array => {
  const inserted = encoder.encode(content)
  const spliced = new Uint8Array(bytes.length - (end - start) + inserted.length)
  spliced.set(bytes.subarray(0, start))
  spliced.set(inserted, start)
  spliced.set(bytes.subarray(end), start + inserted.length)
  return spliced
}
