import { assert, describe, it } from "@effect/vitest"
import { isDeepStrictEqual } from "node:util"
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

describe("An array in JSON", () => {
  it.each([
    { json: `{"a":[1, 2]}`, atStart: `{"a":[7,{"b":8},1, 2]}`, atEnd: `{"a":[1, 2,7,{"b":8}]}` },
    { json: `{"a": [ 1 ] }`, atStart: `{"a": [7,{"b":8}, 1 ] }`, atEnd: `{"a": [ 1 ,7,{"b":8}] }` },
    { json: `{"a":[ ]}`, atStart: `{"a":[7,{"b":8} ]}`, atEnd: `{"a":[ 7,{"b":8}]}` },
    { json: `{"a":["]"],"b":0}`, atStart: `{"a":[7,{"b":8},"]"],"b":0}`, atEnd: `{"a":["]",7,{"b":8}],"b":0}` },
    { json: `{"b":0}`, atStart: `{"b":0,"a":[7,{"b":8}]}`, atEnd: `{"b":0,"a":[7,{"b":8}]}` },
    { json: `{"a":null}`, atStart: `{"a":null}`, atEnd: `{"a":null}` },
    { json: `{"a":[1],"a":[2]}`, atStart: `{"a":[1],"a":[7,{"b":8},2]}`, atEnd: `{"a":[1],"a":[2,7,{"b":8}]}` }
  ])("gets more elements, the rest of $json as it is", ({ json, atStart, atEnd }) => {
    const elements = [7, { b: 8 }]

    assert.strictEqual(Bodies.text(JsonEdit.edit(Bodies.bytes(json), [JsonEdit.prepend(["a"], elements)])), atStart)
    assert.strictEqual(Bodies.text(JsonEdit.edit(Bodies.bytes(json), [JsonEdit.append(["a"], elements)])), atEnd)
  })

  it("that gets none is left alone", () => {
    const json = Bodies.bytes(`{"a":[1]}`)

    assert.strictEqual(JsonEdit.edit(json, [JsonEdit.append(["a"], [])]), json)
  })
})

/** JSON after the removal of its members `a`, and after the same with an `n` added. */
const removals = [
  { json: `{"a":0}`, removed: `{}`, replaced: `{"n":1}` },
  { json: ` { "a" : 0 } `, removed: ` {  } `, replaced: ` {  "n":1} ` },
  { json: `{"a":0,"a":1}`, removed: `{}`, replaced: `{"n":1}` },
  { json: `{"a":0,"b":2}`, removed: `{"b":2}`, replaced: `{"b":2,"n":1}` },
  { json: `{ "a" : 0 , "b" : 2 }`, removed: `{ "b" : 2 }`, replaced: `{ "b" : 2 ,"n":1}` },
  { json: `{"b":2,"a":0}`, removed: `{"b":2}`, replaced: `{"b":2,"n":1}` },
  { json: `{ "b" : 2 , "a" : 0\n}`, removed: `{ "b" : 2\n}`, replaced: `{ "b" : 2\n,"n":1}` },
  { json: `{"b":2,"a":0,"c":3}`, removed: `{"b":2,"c":3}`, replaced: `{"b":2,"c":3,"n":1}` },
  {
    json: `{\n  "b":2,\n  "a":0,\n  "c":3\n}`,
    removed: `{\n  "b":2,\n  "c":3\n}`,
    replaced: `{\n  "b":2,\n  "c":3\n,"n":1}`
  },
  { json: `{"a":0,"b":2,"a":0,"a":0,"c":3,"a":0,"a":0}`, removed: `{"b":2,"c":3}`, replaced: `{"b":2,"c":3,"n":1}` },
  { json: `{"\\u0061":{"b":[]},"b":"a","a":"}\\",\\"a\\":"}`, removed: `{"b":"a"}`, replaced: `{"b":"a","n":1}` },
  {
    json: `{"b":{"a":0},"c":[{"a":0}],"a":[1,{}]}`,
    removed: `{"b":{"a":0},"c":[{"a":0}]}`,
    replaced: `{"b":{"a":0},"c":[{"a":0}],"n":1}`
  },
  { json: `{"b":-1e3,"a":-1e3}`, removed: `{"b":-1e3}`, replaced: `{"b":-1e3,"n":1}` },
  { json: `{"a":true,"b":null}`, removed: `{"b":null}`, replaced: `{"b":null,"n":1}` },
  { json: `\ufeff{"a":0,"ü":"👋"}`, removed: `\ufeff{"ü":"👋"}`, replaced: `\ufeff{"ü":"👋","n":1}` },
  { json: `{"A":0,"aa":1,"":2}`, removed: `{"A":0,"aa":1,"":2}`, replaced: `{"A":0,"aa":1,"":2,"n":1}` },
  { json: `{}`, removed: `{}`, replaced: `{"n":1}` }
]

describe("A member that is removed", () => {
  it.each(removals)("goes with its comma and all others of its name from $json", ({ json, removed }) => {
    const bytes = JsonEdit.edit(Bodies.bytes(json), [JsonEdit.remove(["a"])])

    assert.strictEqual(Bodies.text(bytes), removed)
  })

  it.each(removals)("makes room for one that is added to $json", ({ json, replaced }) => {
    const bytes = JsonEdit.edit(Bodies.bytes(json), [JsonEdit.remove(["a"]), JsonEdit.set(["n"], 1)])

    assert.strictEqual(Bodies.text(bytes), replaced)
  })

  it.each(
    [
      ...removals.map(({ json, removed }) => ({
        json: `{"x":1,"m": ${json.trim()} }`,
        expected: `{"x":1,"m": ${removed.trim()} }`
      })),
      { json: `{"m":{"a":0},"m":{"b":1,"a":0}}`, expected: `{"m":{},"m":{"b":1}}` },
      { json: `{"m":{"a":0},"m":null}`, expected: `{"m":{},"m":null}` }
    ].filter(({ json }) => !json.includes("\ufeff"))
  )("goes from a member within $json", ({ json, expected }) => {
    const bytes = JsonEdit.edit(Bodies.bytes(json), [JsonEdit.remove(["m", "a"])])

    assert.strictEqual(Bodies.text(bytes), expected)
  })
})

const { set, remove } = JsonEdit

describe("Changes of JSON", () => {
  it.each([
    {
      json: `{"a":0,"b":1,"c":2,"d":3}`,
      changes: [remove(["d"]), set(["c"], 9), remove(["a"])],
      expected: `{"b":1,"c":9}`
    },
    { json: `{"a":0}`, changes: [set(["b"], 1), set(["c"], 2)], expected: `{"a":0,"b":1,"c":2}` },
    { json: `{}`, changes: [set(["b"], 1), set(["c"], 2)], expected: `{"b":1,"c":2}` },
    {
      json: `{}`,
      changes: [set(["a", "b"], 1), remove(["a", "d"]), set(["a", "c"], 2)],
      expected: `{"a":{"b":1,"c":2}}`
    },
    { json: `{"a":{"b":0,"c":1}}`, changes: [remove(["a", "b"]), set(["a", "d"], 2)], expected: `{"a":{"c":1,"d":2}}` },
    { json: `{"a":{"b":0},"c":1}`, changes: [remove(["a", "b"]), remove(["c"])], expected: `{"a":{}}` },
    { json: `{"a":{"b":0},"a":{"b":1}}`, changes: [set(["a", "b"], 9)], expected: `{"a":{"b":0},"a":{"b":9}}` },
    { json: `{"a":{"b":0},"a":{}}`, changes: [set(["a", "b"], 9)], expected: `{"a":{"b":0},"a":{"b":9}}` },
    {
      json: `{"a":{"c":0},"a":{"c":1}}`,
      changes: [remove(["a", "c"]), set(["a", "b"], 9)],
      expected: `{"a":{},"a":{"b":9}}`
    },
    { json: `{"a":{"b":{"c":0}}}`, changes: [remove(["a", "b", "c"])], expected: `{"a":{"b":{}}}` },
    { json: `{"a":0}`, changes: [set(["a"], 1), set(["a"], 2)], expected: `{"a":2}` },
    { json: `{"a":0}`, changes: [set(["a"], 1), remove(["a"])], expected: `{}` },
    { json: `{"a":0}`, changes: [remove(["a"]), set(["a"], 1)], expected: `{"a":1}` },
    { json: `{"b":0}`, changes: [set(["a"], 1), remove(["a"])], expected: `{"b":0}` },
    { json: `{"a":{"b":0}}`, changes: [remove(["a"]), set(["a", "b"], 1)], expected: `{}` },
    { json: `{"a":{"b":0}}`, changes: [set(["a", "b"], 1), set(["a"], 2)], expected: `{"a":2}` },
    { json: `{}`, changes: [set(["a"], 2), set(["a", "b"], 1)], expected: `{"a":2}` },
    { json: `{}`, changes: [set(["__proto__", "a"], 1)], expected: `{"__proto__":{"a":1}}` }
  ])("are made in one go in $json: $expected", ({ json, changes, expected }) => {
    assert.strictEqual(Bodies.text(JsonEdit.edit(Bodies.bytes(json), changes)), expected)
  })

  it.each([
    { json: `{"b":0}`, changes: [] },
    { json: `{"b":0}`, changes: [remove(["a"]), remove(["b", "a"]), remove(["a", "a"])] },
    { json: `{"a":null}`, changes: [remove(["a", "b"]), set(["a", "b"], 1)] },
    { json: `{"a":[{"b":0}]}`, changes: [remove(["a", "b"]), set(["a", "b"], 1)] },
    { json: `{"a":"{\\"b\\":0}"}`, changes: [remove(["a", "b"]), set(["a", "b"], 1)] },
    { json: `{"a":{"b":0},"a":1}`, changes: [set(["a", "b"], 1)] },
    { json: ` null`, changes: [remove(["a"]), set(["a"], 1)] },
    { json: ``, changes: [remove(["a"]), set(["a"], 1)] }
  ])("that change nothing give the very bytes of $json back", ({ json, changes }) => {
    const bytes = Bodies.bytes(json)

    assert.strictEqual(JsonEdit.edit(bytes, changes), bytes)
    assert.strictEqual(Bodies.text(bytes), json)
  })

  it("are made in JSON that is nested deeper than calls can be", () => {
    const deep = `${`{"a":[`.repeat(100_000)}${"]}".repeat(100_000)}`
    const json = Bodies.bytes(`{"a":${deep},"b":${deep},"c":{"a":${deep},"b":${deep}},"a":${deep}}`)

    const bytes = JsonEdit.edit(json, [remove(["a"]), remove(["c", "b"]), set(["n"], 1)])

    assert.strictEqual(Bodies.text(bytes), `{"b":${deep},"c":{"a":${deep}},"n":1}`)
  })

  it("are made at more places than a call can have arguments", () => {
    const json = `{"a":{${Array.from({ length: 200_000 }, () => `"b":1,"c":2`).join(",")}}}`

    const bytes = JsonEdit.edit(Bodies.bytes(json), [remove(["a", "b"])])

    assert.strictEqual(Bodies.text(bytes), json.replaceAll(`"b":1,`, ""))
  })

  it("leave the bytes that were given as they are", () => {
    const json = Bodies.bytes(`{"a":0,"b":1}`)

    JsonEdit.edit(json, [remove(["a"]), set(["b"], 2)])

    assert.strictEqual(Bodies.text(json), `{"a":0,"b":1}`)
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

/** An object of members of which each is wanted or not, with the white space before and after it. */
const pieces = (next: RandomJson.Next) =>
  Array.from({ length: next(7) }, () => {
    const isWanted = next(2) === 0
    const name = (isWanted ? RandomJson.wantedName(next) : RandomJson.otherName(next)).trimStart()
    return {
      isWanted,
      leading: RandomJson.space(next),
      text: name + RandomJson.value(next),
      trailing: RandomJson.space(next)
    }
  })

/** The same without those that are wanted: a member moves to where the removed ones before it began, or ended if it has no next. */
const unwanted = (members: ReturnType<typeof pieces>): string => {
  let leading: string | undefined
  const kept: Array<{ readonly head: string; trailing: string }> = []
  for (const member of members) {
    leading ??= member.leading
    if (member.isWanted) continue
    kept.push({ head: leading + member.text, trailing: member.trailing })
    leading = undefined
  }
  const trailing = members.at(-1)?.trailing ?? ""
  const last = kept.at(-1)
  if (last === undefined) return (leading ?? "") + trailing
  last.trailing = trailing
  return kept.map((member) => member.head + member.trailing).join(",")
}

const seeds = Array.from({ length: 2_000 }, (_, seed) => seed)

describe("Random JSON", () => {
  it("loses nothing but the members that are removed, and the white space and the comma that were theirs", () => {
    const wrong = seeds.flatMap((seed) => {
      const next = Splits.random(seed)
      const [members, lead, trail] = [pieces(next), RandomJson.lead(next), RandomJson.space(next)]
      const json = `${lead}{${members.map(({ leading, text, trailing }) => leading + text + trailing).join(",")}}${trail}`
      const result = RandomJson.text(JsonEdit.edit(RandomJson.bytes(json), [JsonEdit.remove(["wanted"])]))
      return result === `${lead}{${unwanted(members)}}${trail}` ? [] : [`${seed}: ${json} became ${result}`]
    })

    assert.deepStrictEqual(wrong, [])
  })

  it("means after all kinds of changes what the same changes of the parsed object mean", () => {
    const wrong = seeds.flatMap((seed) => {
      const next = Splits.random(seed)
      const json = RandomJson.bytes(RandomJson.lead(next) + RandomJson.object(next, 4))
      const changes = Array.from({ length: next(6) }, () => randomChange(next))
      const result = JsonEdit.edit(json, changes)
      const expected = effective(changes).reduce(changed, parsed(json))
      return isDeepStrictEqual(parsed(result), expected)
        ? []
        : [`${seed}: ${RandomJson.text(json)} with ${JSON.stringify(changes)} became ${RandomJson.text(result)}`]
    })

    assert.deepStrictEqual(wrong, [])
  })
})

const parsed = (json: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(json))

const randomChange = (next: RandomJson.Next): JsonEdit.Change => {
  const path = Array.from({ length: 1 + next(3) }, () => RandomJson.pick(next, ["wanted", "a", "inner", "new"]))
  switch (next(4)) {
    case 0:
      return JsonEdit.remove(path)
    case 1:
      return JsonEdit.prepend(path, [1, { a: [] }])
    case 2:
      return JsonEdit.append(path, [1, { a: [] }])
    default:
      return JsonEdit.set(path, RandomJson.pick<unknown>(next, [null, 1, {}, { a: [] }]))
  }
}

/** Without those that a later one or one of a whole member makes pointless. */
const effective = (changes: ReadonlyArray<JsonEdit.Change>) =>
  changes.filter(
    ({ path }, index) =>
      !changes.some(
        (other, at) =>
          other.path.every((name, depth) => path[depth] === name) && (other.path.length < path.length || at > index)
      )
  )

const inserted = (
  value: unknown,
  { at, elements }: { readonly at: "start" | "end"; readonly elements: ReadonlyArray<unknown> }
) => {
  if (value === undefined) return elements
  if (!Array.isArray(value)) return value
  return at === "start" ? [...elements, ...value] : [...value, ...elements]
}

const changed = (value: unknown, { path: [name = "", ...path], ...change }: JsonEdit.Change): unknown => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value
  const members = new Map<string, unknown>(Object.entries(value))
  if (path.length > 0) {
    const isPointless = change._tag === "Remove" && !members.has(name)
    if (!isPointless) members.set(name, changed(members.has(name) ? members.get(name) : {}, { path, ...change }))
  } else if (change._tag === "Remove") members.delete(name)
  else if (change._tag === "Set") members.set(name, change.value)
  else members.set(name, inserted(members.get(name), change))
  return Object.fromEntries(members)
}
