/** Parents and roots of interceptions that end at once. */
import { assert, describe, it } from "@effect/vitest"
import * as Threads from "../../src/record/sql/Threads.ts"

interface Row {
  readonly behaviour: string
  readonly ids: ReadonlyArray<string>
  readonly parents: ReadonlyArray<readonly [string, Threads.Parent]>
  readonly roots: ReadonlyArray<readonly [string, string]>
}

const rows: ReadonlyArray<Row> = [
  { behaviour: "one without a parent is a root", ids: ["a"], parents: [], roots: [["a", "a"]] },
  {
    behaviour: "a parent that has not ended is the root until it does",
    ids: ["b"],
    parents: [["b", { id: "a", root: null }]],
    roots: [["b", "a"]]
  },
  {
    behaviour: "a parent of an earlier batch hands its root on",
    ids: ["b", "c"],
    parents: [
      ["b", { id: "a", root: "r" }],
      ["c", { id: "b", root: null }]
    ],
    roots: [
      ["b", "r"],
      ["c", "r"]
    ]
  },
  {
    behaviour: "a root of an earlier batch that ends in this one hands its own root on",
    ids: ["c", "b"],
    parents: [
      ["c", { id: "x", root: "b" }],
      ["b", { id: "a", root: null }]
    ],
    roots: [
      ["c", "a"],
      ["b", "a"]
    ]
  },
  {
    behaviour: "a batch that comes again, with what it had written, has the same links",
    ids: ["c", "b"],
    parents: [
      ["c", { id: "b", root: "a" }],
      ["b", { id: "a", root: null }]
    ],
    roots: [
      ["c", "a"],
      ["b", "a"]
    ]
  },
  {
    behaviour: "two that are each other's parents have the same root",
    ids: ["a", "b"],
    parents: [
      ["a", { id: "b", root: null }],
      ["b", { id: "a", root: null }]
    ],
    roots: [
      ["a", "b"],
      ["b", "b"]
    ]
  },
  {
    behaviour: "roots that lead in a circle already have an end",
    ids: ["c", "d"],
    parents: [
      ["c", { id: "a", root: "b" }],
      ["d", { id: "b", root: "a" }]
    ],
    roots: [
      ["c", "a"],
      ["d", "b"]
    ]
  }
]

describe("In a batch", () => {
  it.each(rows)("$behaviour", ({ ids, parents, roots }) => {
    const links = Threads.resolve(ids, new Map(parents))

    assert.deepStrictEqual(
      Array.from(links, ([id, { root }]) => [id, root]),
      roots.map(([id, root]) => [id, root])
    )
    assert.deepStrictEqual(
      Array.from(links, ([id, { parent }]) => [id, parent]),
      ids.map((id) => [id, new Map(parents).get(id)?.id ?? null])
    )
  })
})
