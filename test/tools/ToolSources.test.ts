import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Tool, ToolSource } from "../../src/tools/ToolSource.ts"
import * as ToolSources from "../../src/tools/ToolSources.ts"

const tool = (name: string): Tool => ({
  name,
  description: undefined,
  inputSchema: { type: "object" },
  call: () => Effect.die("not called")
})

/** A source whose tools a test can change. */
const source = (name: string, names: ReadonlyArray<string>) => {
  let tools = names.map(tool)
  const made: ToolSource = { name, url: undefined, tools: () => tools }
  return {
    source: made,
    change: (others: ReadonlyArray<string>) => {
      tools = others.map(tool)
    }
  }
}

const found = (sources: ToolSources.ToolSources) =>
  sources.injected().map(({ id, source: from, tool: { name } }) => [id, from.name, name])

describe("The id of a tool", () => {
  it.each([
    { what: "a plain name", of: ["srv", "list"], id: /^bmcp_srv_list$/ },
    { what: "all characters that may be", of: ["a-B_9", "c-D_8"], id: /^bmcp_a-B_9_c-D_8$/ },
    { what: "64 characters", of: ["srv", "x".repeat(55)], id: /^bmcp_srv_x{55}$/ },
    { what: "65 characters", of: ["srv", "x".repeat(56)], id: /^bmcp_srv_x+_[a-z0-9]{1,7}$/ },
    { what: "very many characters", of: ["s".repeat(300), "x".repeat(300)], id: /^bmcp_s+_[a-z0-9]{1,7}$/ },
    { what: "a dot and a slash", of: ["srv", "a.b/c"], id: /^bmcp_srv_a_b_c_[a-z0-9]{1,7}$/ },
    { what: "letters of other scripts", of: ["srv", "größe"], id: /^bmcp_srv_gr__e_[a-z0-9]{1,7}$/ },
    { what: "no characters", of: ["", ""], id: /^bmcp__$/ }
  ])("is legal and stable for $what", ({ of: [from = "", name = ""], id }) => {
    const first = ToolSources.idOf(from, name)

    assert.match(first, id)
    assert.match(first, /^[a-zA-Z0-9_-]{1,64}$/)
    assert.strictEqual(ToolSources.idOf(from, name), first)
  })

  it.each([
    ["a.b", "a/b"],
    ["a.b", "a_b"],
    [`${"x".repeat(80)}1`, `${"x".repeat(80)}2`]
  ])("is not the same for %s and %s", (one, other) => {
    assert.notStrictEqual(ToolSources.idOf("srv", one), ToolSources.idOf("srv", other))
  })
})

describe("The tools of several sources", () => {
  it("are sorted by id over all of them", () => {
    const one = source("zoo", ["b", "a"])
    const two = source("ape", ["d", "c"])

    assert.deepStrictEqual(found(ToolSources.make([one.source, two.source])), [
      ["bmcp_ape_c", "ape", "c"],
      ["bmcp_ape_d", "ape", "d"],
      ["bmcp_zoo_a", "zoo", "a"],
      ["bmcp_zoo_b", "zoo", "b"]
    ])
  })

  it("are the same array as long as nothing changes", () => {
    const one = source("one", ["a"])
    const two = source("two", ["b"])
    const sources = ToolSources.make([one.source, two.source])
    const before = sources.injected()
    assert.strictEqual(sources.injected(), before)

    two.change(["b", "c"])

    const after = sources.injected()
    assert.notStrictEqual(after, before)
    assert.deepStrictEqual(
      after.map(({ id }) => id),
      ["bmcp_one_a", "bmcp_two_b", "bmcp_two_c"]
    )
    assert.strictEqual(sources.injected(), after)
  })

  it("have two ids if one id would be of both, and the first source has the plain one", () => {
    const one = source("a", ["b_c"])
    const two = source("a_b", ["c"])

    const ids = found(ToolSources.make([one.source, two.source]))
    const swapped = found(ToolSources.make([two.source, one.source]))

    assert.deepStrictEqual(ids[0], ["bmcp_a_b_c", "a", "b_c"])
    assert.match(String(ids[1]?.[0]), /^bmcp_a_b_c_[a-z0-9]{1,7}$/)
    assert.deepStrictEqual(ids[1]?.slice(1), ["a_b", "c"])
    assert.deepStrictEqual(swapped[0], ["bmcp_a_b_c", "a_b", "c"])
    assert.deepStrictEqual(found(ToolSources.make([one.source, two.source])), ids)
  })

  it("are none without sources", () => {
    assert.deepStrictEqual(ToolSources.make([]).injected(), [])
  })

  it.effect("are none unless a layer says otherwise", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(found(yield* ToolSources.ToolSources), [])

      const given = yield* Effect.provide(ToolSources.ToolSources, ToolSources.layer([source("srv", ["a"]).source]))

      assert.deepStrictEqual(found(given), [["bmcp_srv_a", "srv", "a"]])
    })
  )
})
