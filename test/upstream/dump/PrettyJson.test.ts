import { assert, describe, it } from "@effect/vitest"
import * as PrettyJson from "../../../src/upstream/dump/PrettyJson.ts"
import * as RandomJson from "../../dialects/RandomJson.ts"

/** The printed text; `undefined` if it is not JSON. */
const print = (text: string): string | undefined => {
  const pieces: Array<string> = []
  const printing = PrettyJson.print(text)
  for (let step = printing.next(); ; step = printing.next()) {
    if (step.done === true) return step.value ? pieces.join("") : undefined
    pieces.push(step.value)
  }
}

const parsed = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

const withoutSpace = (text: string | undefined) => text?.replace(/\s/g, "")

/** A long list, so deep within others. */
const nested = (depth: number) => "[".repeat(depth) + "1,".repeat(200_000) + "1" + "]".repeat(depth)

describe("Pretty JSON", () => {
  it.each([
    { what: "an empty object", text: "{ }", printed: "{}" },
    { what: "an empty list", text: " [\n]\n", printed: "[]" },
    { what: "a text", text: `"a b"`, printed: `"a b"` },
    { what: "a word", text: " true ", printed: "true" },
    { what: "members in their order", text: `{"b":1,"a":2}`, printed: `{\n  "b": 1,\n  "a": 2\n}` },
    { what: "members of one name", text: `{"a":1,"a":[]}`, printed: `{\n  "a": 1,\n  "a": []\n}` },
    {
      what: "numbers as they are written",
      text: "[12345678901234567890,1.50,-0e+1]",
      printed: "[\n  12345678901234567890,\n  1.50,\n  -0e+1\n]"
    },
    {
      what: "strings as they are written",
      text: String.raw`["\u00e9\/\"", "{,:}", "é "]`,
      printed: `[\n  ${String.raw`"\u00e9\/\""`},\n  "{,:}",\n  "é "\n]`
    },
    {
      what: "what is nested",
      text: `{"a":[{"b":null}]}`,
      printed: `{\n  "a": [\n    {\n      "b": null\n    }\n  ]\n}`
    }
  ])("is $what", ({ text, printed }) => {
    assert.strictEqual(print(text), printed)
  })

  it.each([
    "",
    " ",
    "not json",
    "test",
    "f",
    "truest",
    "01",
    "1.",
    "-",
    "+1",
    "1 2",
    "[1 2]",
    "[1,]",
    "[,1]",
    "[1",
    "]",
    "{]",
    "[}",
    "{",
    `{"a"}`,
    `{"a":}`,
    `{"a" 1}`,
    `{"a":1,}`,
    `{"a":1 "b":2}`,
    `{1:2}`,
    `{[]:2}`,
    `{"a"::1}`,
    `{:1}`,
    "[1:2]",
    ":",
    ",",
    `"`,
    `"a`,
    `"\\"`,
    String.raw`"\x"`,
    String.raw`"\u12g4"`,
    `"a\nb"`,
    "'a'",
    "\u00a01",
    "\ufeff1"
  ])("is nothing of %j, which is not JSON", (text) => {
    assert.isUndefined(parsed(text))
    assert.isUndefined(print(text))
  })

  it("says the same as before, and is printed as the language prints it, of any JSON", () => {
    let seed = 1
    const next: RandomJson.Next = (limit) => (seed = (seed * 48_271) % 2_147_483_647) % limit
    for (let run = 0; run < 5_000; run++) {
      const text = RandomJson.space(next) + RandomJson.value(next) + RandomJson.space(next)
      const broken = text.slice(0, next(text.length + 1)) + text.slice(next(text.length + 1))

      assert.strictEqual(withoutSpace(print(text)), withoutSpace(text))
      const again = JSON.stringify(JSON.parse(text), undefined, 2)
      assert.strictEqual(print(again), again)
      assert.strictEqual(print(broken) === undefined, parsed(broken) === undefined, broken)
    }
  })

  it("comes in pieces if it is long", () => {
    const text = JSON.stringify(Array.from({ length: 50_000 }, (_, index) => index))
    const pieces = Array.from(PrettyJson.print(text))

    assert.strictEqual(pieces.join(""), JSON.stringify(JSON.parse(text), undefined, 2))
    assert.isAbove(pieces.length, 5)
  })

  it("has strings of any length, escapes and all", () => {
    const text = JSON.stringify({ a: "a\n".repeat(2_000_000), b: "b".repeat(4_000_000) })

    assert.strictEqual(print(text)?.length, text.length + "\n  ".length * 2 + " ".length * 2 + "\n".length)
  })

  it("is nothing where its indentation would be most of it", () => {
    assert.isString(print(nested(2)))
    assert.isUndefined(print(nested(200)))
    assert.isUndefined(print("[".repeat(1_000_000) + "]".repeat(1_000_000)))
  })
})
