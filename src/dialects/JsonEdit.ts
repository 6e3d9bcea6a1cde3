/**
 * Edits of JSON bytes at some places: what stands elsewhere, white space and unknown members included, stays as it is. The bytes
 * must be those of a JSON object. Of members with one name the last one counts, as for `JSON.parse`.
 */
import * as Result from "effect/Result"

/** What becomes of the member at a path, whose names lead from the outermost object inwards. */
export type Change =
  /** It gets this value; where there is none, it is added. */
  | { readonly _tag: "Set"; readonly path: ReadonlyArray<string>; readonly value: unknown }
  /** It goes, with all others of its name. */
  | { readonly _tag: "Remove"; readonly path: ReadonlyArray<string> }
  /** It is an array, and gets these elements before or after its own; where there is none, it is added. */
  | {
      readonly _tag: "Insert"
      readonly path: ReadonlyArray<string>
      readonly at: "start" | "end"
      readonly elements: ReadonlyArray<unknown>
    }

export const set = (path: ReadonlyArray<string>, value: unknown): Change => ({ _tag: "Set", path, value })

export const remove = (path: ReadonlyArray<string>): Change => ({ _tag: "Remove", path })

export const prepend = (path: ReadonlyArray<string>, elements: ReadonlyArray<unknown>): Change => ({
  _tag: "Insert",
  path,
  at: "start",
  elements
})

export const append = (path: ReadonlyArray<string>, elements: ReadonlyArray<unknown>): Change => ({
  _tag: "Insert",
  path,
  at: "end",
  elements
})

/**
 * The JSON with all these changes; the very bytes that were given if nothing is to be changed. A path through anything else than
 * objects changes nothing, nor does an insertion into anything else than an array. Of changes of one member the last counts, and one of a whole member rather than those within it.
 */
export const edit = (json: Uint8Array, changes: ReadonlyArray<Change>): Uint8Array => {
  const splices: Array<Splice> = []
  const start = json.indexOf(openingBrace)
  if (start >= 0) editObject(json, { start, depth: 0, isRead: true }, changes, splices)
  return spliced(json, splices)
}

/** The same, or the JSON as it is if a value cannot be written: what upstreams send may be nested deeper than calls can be. */
export const editIfPossible = (json: Uint8Array, changes: ReadonlyArray<Change>): Uint8Array =>
  Result.getOrElse(
    Result.try(() => edit(json, changes)),
    () => json
  )

/** Sets the member at a path; what is above it must be objects, or absent. */
export const setMember = (json: Uint8Array, path: ReadonlyArray<string>, value: unknown): Uint8Array =>
  edit(json, [set(path, value)])

/** Adds a member to an object that has others but not this one. The rest is not even looked at. */
export const addMember = (object: Uint8Array, name: string, value: unknown): Uint8Array => {
  const end = object.lastIndexOf(closingBrace)
  return spliced(object, [{ start: end, end, text: `,${JSON.stringify(name)}:${JSON.stringify(value)}` }])
}

/** Bytes, and what stands in their place. */
interface Splice {
  readonly start: number
  readonly end: number
  readonly text: string
}

interface JsonObject {
  /** Where its opening brace stands. */
  readonly start: number
  /** How many names of a path have led here. */
  readonly depth: number
  /** Not so if another one of its name comes later. */
  readonly isRead: boolean
}

// Adds the splices of an object, in the order of the bytes.
const editObject = (
  json: Uint8Array,
  { start, depth, isRead }: JsonObject,
  changes: ReadonlyArray<Change>,
  splices: Array<Splice>
): void => {
  const wanted = byName(changes, depth)
  const { members, end } = membersOf(json, start)
  const last = new Map<string, Member>()
  for (const member of members) if (wanted.has(member.name)) last.set(member.name, member)
  let kept: Member | undefined
  // The first of the members that go since the last one that stays.
  let removed: Member | undefined
  for (const member of members) {
    const within = wanted.get(member.name)
    const whole = within?.findLast((change) => isWhole(change, depth))
    if (whole?._tag === "Remove") {
      removed ??= member
      continue
    }
    if (removed !== undefined) splices.push({ start: removed.start, end: member.start, text: "" })
    removed = undefined
    kept = member
    if (within === undefined) continue
    const counts = isRead && last.get(member.name) === member
    if (whole === undefined && json[member.value] === openingBrace)
      editObject(json, { start: member.value, depth: depth + 1, isRead: counts }, within, splices)
    else if (whole !== undefined && counts) splices.push(...splicesOf(json, member, whole))
  }
  const final = members.at(-1)
  if (removed !== undefined && final !== undefined)
    splices.push({ start: kept?.end ?? removed.start, end: final.end, text: "" })
  if (!isRead) return
  let separator = kept === undefined ? "" : ","
  for (const [name, within] of wanted) {
    const value = last.has(name) ? undefined : newValue(within, depth)
    if (value === undefined) continue
    splices.push({ start: end, end, text: `${separator}${JSON.stringify(name)}:${JSON.stringify(value)}` })
    separator = ","
  }
}

const splicesOf = (json: Uint8Array, { value, end }: Member, change: Set | Insert): ReadonlyArray<Splice> => {
  if (change._tag === "Set") return [{ start: value, end, text: JSON.stringify(change.value) }]
  const inserted = change.elements.map((element) => JSON.stringify(element)).join(",")
  if (json[value] !== openingBracket || inserted === "") return []
  const isEmpty = afterSpace(json, value + 1) === end - 1
  if (change.at === "start") return [{ start: value + 1, end: value + 1, text: isEmpty ? inserted : `${inserted},` }]
  return [{ start: end - 1, end: end - 1, text: isEmpty ? inserted : `,${inserted}` }]
}

type Set = Extract<Change, { readonly _tag: "Set" }>
type Insert = Extract<Change, { readonly _tag: "Insert" }>

const byName = (changes: ReadonlyArray<Change>, depth: number) => Map.groupBy(changes, ({ path }) => path[depth] ?? "")

const isWhole = ({ path }: Change, depth: number): boolean => path.length <= depth + 1

// The value of a member that is absent, if its changes make one.
const newValue = (changes: ReadonlyArray<Change>, depth: number): unknown => {
  const whole = changes.findLast((change) => isWhole(change, depth))
  if (whole !== undefined)
    return whole._tag === "Set" ? whole.value : whole._tag === "Insert" ? whole.elements : undefined
  const members = [...byName(changes, depth + 1)]
    .map(([name, within]) => [name, newValue(within, depth + 1)] as const)
    .filter(([, value]) => value !== undefined)
  return members.length === 0 ? undefined : Object.fromEntries(members)
}

interface Member {
  readonly name: string
  readonly start: number
  /** Where its value starts. */
  readonly value: number
  readonly end: number
}

/** The members of an object and where its closing brace stands. */
const membersOf = (json: Uint8Array, object: number) => {
  const members: Array<Member> = []
  let at = afterSpace(json, object + 1)
  while (json[at] === quote) {
    const start = at
    const nameEnd = stringEnd(json, start)
    const value = afterSpace(json, afterSpace(json, nameEnd) + 1)
    const end = valueEnd(json, value)
    members.push({ name: nameIn(json, start, nameEnd), start, value, end })
    at = afterSpace(json, end)
    if (json[at] === comma) at = afterSpace(json, at + 1)
  }
  return { members, end: at }
}

const nameIn = (json: Uint8Array, start: number, end: number): string => {
  const spelled = decoder.decode(json.subarray(start, end))
  return spelled.includes("\\") ? JSON.parse(spelled) : spelled.slice(1, -1)
}

const afterSpace = (json: Uint8Array, start: number): number => {
  let at = start
  for (let byte = json[at]; byte !== undefined && byte <= space; byte = json[at]) at++
  return at
}

// Without a stack: a request may be nested deeper than calls can be.
const valueEnd = (json: Uint8Array, start: number): number => {
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const byte = json[at]
    if (byte === quote) {
      at = stringEnd(json, at) - 1
    } else if (byte === openingBrace || byte === openingBracket) {
      depth++
      continue
    } else if (byte === closingBrace || byte === closingBracket) {
      depth--
    } else if (depth > 0 || !endsScalar(json[at + 1])) {
      continue
    }
    if (depth === 0) return at + 1
  }
  return json.length
}

const endsScalar = (next: number | undefined): boolean =>
  next === undefined || next <= space || next === comma || next === closingBrace || next === closingBracket

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
const openingBracket = 0x5b
const backslash = 0x5c
const closingBracket = 0x5d
const openingBrace = 0x7b
const closingBrace = 0x7d

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const spliced = (bytes: Uint8Array, splices: ReadonlyArray<Splice>): Uint8Array => {
  if (splices.length === 0) return bytes
  const inserted = splices.map(({ text }) => encoder.encode(text))
  const change = splices.reduce((sum, { start, end }, index) => sum - (end - start) + (inserted[index]?.length ?? 0), 0)
  const result = new Uint8Array(bytes.length + change)
  let read = 0
  let written = 0
  const write = (part: Uint8Array | undefined) => {
    if (part === undefined) return
    result.set(part, written)
    written += part.length
  }
  splices.forEach(({ start, end }, index) => {
    write(bytes.subarray(read, start))
    write(inserted[index])
    read = end
  })
  write(bytes.subarray(read))
  return result
}
