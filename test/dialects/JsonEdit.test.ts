import { assert, describe, it } from "@effect/vitest"
import * as JsonEdit from "../../src/dialects/JsonEdit.ts"
import * as Splits from "../Splits.ts"
import * as Bodies from "./Bodies.ts"
import * as RandomJson from "./RandomJson.ts"

const edited = (json: string, path: ReadonlyArray<string>, value: unknown) =>
  Bodies.text(JsonEdit.setMember(Bodies.bytes(json), path, value))

describe("A member of JSON", () => {
  it.each([
    { json: `{}`, path: ["a"], value: 1, expected: `{"a":1}` },
    { json: ` { } \n`, path: ["a"], value: 1, expected: ` { "a":1} \n` },
    { json: `{"b":0}`, path: ["a"], value: 1, expected: `{"b":0,"a":1}` },
    { json: `{"b":0\n}\n`, path: ["a"], value: 1, expected: `{"b":0\n,"a":1}\n` },
    { json: `{"a":0}`, path: ["a"], value: 1, expected: `{"a":1}` },
    { json: `{ "a" : 0 , "b" : 2 }`, path: ["a"], value: 1, expected: `{ "a" : 1 , "b" : 2 }` },
    { json: `{"a": [1, {"a":2}] }`, path: ["a"], value: 1, expected: `{"a": 1 }` },
    { json: `{"a":"}\\"{"}`, path: ["a"], value: 1, expected: `{"a":1}` },
    { json: `{"a":"\\\\"}`, path: ["a"], value: 1, expected: `{"a":1}` },
    { json: `{"b":"a","a":0}`, path: ["a"], value: 1, expected: `{"b":"a","a":1}` },
    { json: `{"b":{"a":0},"c":[{"a":0}]}`, path: ["a"], value: 1, expected: `{"b":{"a":0},"c":[{"a":0}],"a":1}` },
    { json: `{"a":0,"a":2,"b":3}`, path: ["a"], value: 1, expected: `{"a":0,"a":1,"b":3}` },
    { json: `{"\\u0061":0}`, path: ["a"], value: 1, expected: `{"\\u0061":1}` },
    { json: `{"\\\\u0061":0}`, path: ["a"], value: 1, expected: `{"\\\\u0061":0,"a":1}` },
    { json: `{"a":{}}`, path: ["a", "b"], value: 1, expected: `{"a":{"b":1}}` },
    { json: `{"a":{"b":0}}`, path: ["a", "b"], value: 1, expected: `{"a":{"b":1}}` },
    { json: `{"b":0,"a":{"c":0}}`, path: ["a", "b"], value: 1, expected: `{"b":0,"a":{"c":0,"b":1}}` },
    { json: `{"a":null,"a":{"c":0}}`, path: ["a", "b"], value: 1, expected: `{"a":null,"a":{"c":0,"b":1}}` },
    { json: `{"c":0}`, path: ["a", "b", "d"], value: 1, expected: `{"c":0,"a":{"b":{"d":1}}}` },
    { json: `{}`, path: ["ü\n"], value: { "👋": ["\u2028"] }, expected: `{"ü\\n":{"👋":["\u2028"]}}` }
  ])("is set at its place in $json", ({ json, path, value, expected }) => {
    assert.strictEqual(edited(json, path, value), expected)
  })

  it.each([
    { json: `{"b":0}`, expected: `{"b":0,"a":1}` },
    { json: `\ufeff {"b":"}"\n}\r\n`, expected: `\ufeff {"b":"}"\n,"a":1}\r\n` }
  ])("is added at the end of $json", ({ json, expected }) => {
    assert.strictEqual(Bodies.text(JsonEdit.addMember(Bodies.bytes(json), "a", 1)), expected)
  })

  it("is set in JSON that is nested deeper than calls can be", () => {
    const deep = `"x":${"[".repeat(200_000)}${"]".repeat(200_000)}`

    assert.strictEqual(edited(`{${deep},"a":{"b":0},${deep}}`, ["a", "b"], 1), `{${deep},"a":{"b":1},${deep}}`)
  })

  it("is set without a change of the bytes that were given", () => {
    const json = Bodies.bytes(`{"a":0}`)

    JsonEdit.setMember(json, ["a"], 1)
    JsonEdit.addMember(json, "b", 1)

    assert.strictEqual(Bodies.text(json), `{"a":0}`)
  })
})

interface Edit {
  /** Makes some JSON and the same after the edit, one character a byte. */
  readonly make: (next: RandomJson.Next) => { readonly json: string; readonly expected: string }
  readonly edit: (json: Uint8Array) => Uint8Array
  /** The new value, as a reader of the edited JSON finds it. */
  readonly read: (members: { readonly [name: string]: unknown }) => unknown
}

/** The seeds for which an edit changed something else, or not what it should. */
const wrongEdits = ({ make, edit, read }: Edit): ReadonlyArray<string> =>
  Array.from({ length: 2_000 }, (_, seed) => seed).flatMap((seed) => {
    const { json, expected } = make(Splits.random(seed))
    const bytes = edit(RandomJson.bytes(json))
    const found = JSON.stringify(read(JSON.parse(new TextDecoder().decode(bytes))))
    const isRight = RandomJson.text(bytes) === expected && found === JSON.stringify(newValue)
    return isRight ? [] : [`${seed}: ${json} became ${RandomJson.text(bytes)}`]
  })

const newValue = { new: "ü" }
const newText = `{"new":"\xc3\xbc"}`

/** Members with a comma after them, or nothing. */
const before = (next: RandomJson.Next): string => {
  const members = RandomJson.list(next, () => RandomJson.any(next))
  return members === "" ? "" : `${members},`
}

/** Members of other names with a comma before them, or nothing. */
const after = (next: RandomJson.Next): string => {
  const members = RandomJson.list(next, () => RandomJson.other(next))
  return members === "" ? "" : `,${members}`
}

/** An object, cut in two where the value of its last member `wanted` stands. */
const around = (next: RandomJson.Next): readonly [string, string] => [
  `{${before(next)}${RandomJson.wantedName(next)}`,
  `${RandomJson.space(next)}${after(next)}}`
]

/** An object without such a member, and the same with it. */
const without = (next: RandomJson.Next, least: 0 | 1) => {
  const members = after(next).slice(1) || (least === 0 ? RandomJson.space(next) : RandomJson.other(next))
  const comma = members.trim() === "" ? "" : ","
  return { json: `{${members}}`, expected: `{${members}${comma}"wanted":${newText}}` }
}

describe("All other bytes of JSON", () => {
  it("stay as they are when a member is set, however the JSON is spelled", () => {
    const wrong = wrongEdits({
      make: (next) => {
        const [[head, tail], lead, trail] = [around(next), RandomJson.lead(next), RandomJson.space(next)]
        const json = `${lead}${head}${RandomJson.value(next)}${tail}${trail}`
        return { json, expected: `${lead}${head}${newText}${tail}${trail}` }
      },
      edit: (json) => JsonEdit.setMember(json, ["wanted"], newValue),
      read: (members) => members["wanted"]
    })

    assert.deepStrictEqual(wrong, [])
  })

  it("stay as they are when a member within a member is set", () => {
    const wrong = wrongEdits({
      make: (next) => {
        const [[head, tail], [innerHead, innerTail]] = [around(next), around(next)]
        const json = `${head}${innerHead}${RandomJson.value(next)}${innerTail}${tail}`
        return { json, expected: `${head}${innerHead}${newText}${innerTail}${tail}` }
      },
      edit: (json) => JsonEdit.setMember(json, ["wanted", "wanted"], newValue),
      read: (members) => new Map(Object.entries(members["wanted"] ?? {})).get("wanted")
    })

    assert.deepStrictEqual(wrong, [])
  })

  it("stay as they are when a member is set that was not there", () => {
    const wrong = wrongEdits({
      make: (next) => without(next, 0),
      edit: (json) => JsonEdit.setMember(json, ["wanted"], newValue),
      read: (members) => members["wanted"]
    })

    assert.deepStrictEqual(wrong, [])
  })

  it("stay as they are when a member is added", () => {
    const wrong = wrongEdits({
      make: (next) => {
        const [{ json, expected }, lead, trail] = [without(next, 1), RandomJson.lead(next), RandomJson.space(next)]
        return { json: lead + json + trail, expected: lead + expected + trail }
      },
      edit: (json) => JsonEdit.addMember(json, "wanted", newValue),
      read: (members) => members["wanted"]
    })

    assert.deepStrictEqual(wrong, [])
  })
})
