import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ToolFilter from "../../src/tools/ToolFilter.ts"
import * as Logs from "../gateway/Logs.ts"

interface Row {
  readonly what: string
  readonly allow?: ReadonlyArray<RegExp>
  readonly deny?: ReadonlyArray<RegExp>
  readonly names: ReadonlyArray<string>
  readonly offered: ReadonlyArray<string>
}

const rows: ReadonlyArray<Row> = [
  { what: "no patterns", names: ["a", "b"], offered: ["a", "b"] },
  { what: "empty lists", allow: [], deny: [], names: ["a", "b"], offered: ["a", "b"] },
  { what: "no tools", allow: [/a/], names: [], offered: [] },
  { what: "allow alone", allow: [/a/], names: ["a", "b"], offered: ["a"] },
  { what: "deny alone", deny: [/a/], names: ["a", "b"], offered: ["b"] },
  { what: "both", allow: [/get/], deny: [/all/], names: ["get", "get_all", "set", "all"], offered: ["get"] },
  { what: "both, where deny wins", allow: [/^a$/], deny: [/^a$/], names: ["a", "b"], offered: [] },
  { what: "a part of a name", allow: [/list/], names: ["list", "my_list_2", "lis"], offered: ["list", "my_list_2"] },
  { what: "the beginning of a name", allow: [/^list/], names: ["list_all", "my_list"], offered: ["list_all"] },
  { what: "the end of a name", allow: [/list$/], names: ["list_all", "my_list"], offered: ["my_list"] },
  { what: "a whole name", allow: [/^list$/], names: ["list", "list_all", "my_list"], offered: ["list"] },
  { what: "alternatives", allow: [/^(?:get|set)$/], names: ["get", "set", "let"], offered: ["get", "set"] },
  {
    what: "alternatives with anchors of one",
    allow: [/^get|set/],
    names: ["get_a", "reset", "let"],
    offered: ["get_a", "reset"]
  },
  { what: "a class", allow: [/^v[0-9]$/], names: ["v1", "v12", "vx"], offered: ["v1"] },
  { what: "the opposite of a class", deny: [/[^a-z]/], names: ["abc", "a_b", "a1"], offered: ["abc"] },
  { what: "a number of times", allow: [/^a{2,3}$/], names: ["a", "aa", "aaa", "aaaa"], offered: ["aa", "aaa"] },
  { what: "any character", allow: [/^a.c$/], names: ["abc", "a.c", "ac"], offered: ["abc", "a.c"] },
  { what: "a dot", allow: [/^a\.c$/], names: ["abc", "a.c"], offered: ["a.c"] },
  { what: "the case as it is written", allow: [/List/], names: ["list", "List"], offered: ["List"] },
  { what: "any case, if it says so", allow: [/list/i], names: ["LIST", "List", "lis"], offered: ["LIST", "List"] },
  { what: "letters of any script", allow: [/^\p{L}+$/u], names: ["größe", "寸法", "a_b"], offered: ["größe", "寸法"] },
  { what: "white space", deny: [/\s/], names: ["a b", "a\tb", "ab"], offered: ["ab"] },
  {
    what: "several patterns",
    allow: [/^a/, /^b/],
    deny: [/1/, /2/],
    names: ["a1", "a3", "b2", "b3", "c"],
    offered: ["a3", "b3"]
  },
  { what: "the same pattern twice", allow: [/a/, /a/], names: ["a", "b"], offered: ["a"] },
  { what: "an empty pattern, which all have", allow: [/(?:)/], names: ["a", ""], offered: ["a", ""] },
  {
    what: "a pattern with a state of its own",
    allow: [/a/g, /b/y],
    names: ["a", "a", "b", "b"],
    offered: ["a", "a", "b", "b"]
  }
]

const named = (names: ReadonlyArray<string>) => names.map((name) => ({ name }))

describe("The filter of tools", () => {
  it.effect.each(rows)("knows $what", ({ allow = [], deny = [], names, offered }) =>
    Effect.gen(function* () {
      const filter = ToolFilter.make({ allow, deny })

      assert.deepStrictEqual(yield* filter(named(names)), named(offered))
      assert.deepStrictEqual(yield* filter(named(names)), named(offered))
    }).pipe(Effect.provide(Logs.into([])))
  )

  it.effect("logs each tool that is allowed and denied once", () =>
    Effect.gen(function* () {
      const filter = ToolFilter.make({ allow: [/^a/], deny: [/1/] })

      const lines = yield* Logs.of(
        Effect.gen(function* () {
          yield* filter(named(["a1", "a1", "a2", "b1"]))
          yield* filter(named(["a1", "a12"]))
        })
      )

      assert.deepStrictEqual(
        lines.map(({ level, annotations }) => [level, annotations["tool"]]),
        [
          ["WARN", "a1"],
          ["WARN", "a12"]
        ]
      )
    })
  )
})
