import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as JsonEdit from "../../../src/dialects/JsonEdit.ts"
import type * as ModelTables from "../../../src/providers/bedrock/ModelTables.ts"
import * as Thinking from "../../../src/providers/bedrock/Thinking.ts"
import * as Table from "../../Table.ts"

const becomes = (thinking: unknown) => Result.succeed([JsonEdit.set(["thinking"], thinking)])
const enabled = (budget: number) => becomes({ type: "enabled", budget_tokens: budget })
const disabled = becomes({ type: "disabled" })
const unchanged = Result.succeed([])
const adaptive = { type: "adaptive" }

describe("The budget of adaptive thinking", () => {
  it.each([
    { effort: "low", max: 10_000, expected: enabled(2_000) },
    { effort: "medium", max: 10_000, expected: enabled(5_000) },
    { effort: "medium", max: 32_000, expected: enabled(16_000) },
    { effort: "high", max: 10_000, expected: enabled(8_000) },
    { effort: "max", max: 10_000, expected: enabled(9_500) },
    { effort: undefined, max: 10_000, expected: enabled(8_000) },
    { effort: "xhigh", max: 10_000, expected: enabled(8_000) },
    { effort: "Low", max: 10_000, expected: enabled(8_000) },
    { effort: 1, max: 10_000, expected: enabled(8_000) },
    { effort: "low", max: 5_119, expected: disabled },
    { effort: "low", max: 5_120, expected: enabled(1_024) },
    { effort: "medium", max: 2_047, expected: disabled },
    { effort: "medium", max: 2_048, expected: enabled(1_024) },
    { effort: "high", max: 1_279, expected: disabled },
    { effort: "high", max: 1_280, expected: enabled(1_024) },
    { effort: "max", max: 1_077, expected: disabled },
    { effort: "max", max: 1_078, expected: enabled(1_024) },
    { effort: undefined, max: 512, expected: disabled },
    { effort: undefined, max: 1, expected: disabled },
    { effort: "medium", max: 4_001, expected: enabled(2_000) },
    { effort: undefined, max: 2_000.5, expected: enabled(1_600) }
  ])("is a share of $max tokens for effort $effort", ({ effort, max, expected }) => {
    const members = { max_tokens: max, thinking: adaptive, output_config: { effort } }

    assert.deepStrictEqual(Thinking.convert(members, "Budget"), expected)
  })

  it("is exact for every number of tokens", () => {
    const efforts = [
      { effort: "low", percent: 20n },
      { effort: "medium", percent: 50n },
      { effort: "high", percent: 80n },
      { effort: "max", percent: 95n }
    ]
    const wrong = efforts.flatMap(({ effort, percent }) =>
      Array.from({ length: 128_000 - 5_120 }, (_, index) => index + 5_120).filter((max) => {
        const members = { max_tokens: max, thinking: adaptive, output_config: { effort } }
        const changes = Result.getOrElse(Thinking.convert(members, "Budget"), () => [])
        const expected = JSON.stringify({ type: "enabled", budget_tokens: Number((BigInt(max) * percent) / 100n) })
        return !changes.some((change) => change._tag === "Set" && JSON.stringify(change.value) === expected)
      })
    )

    assert.deepStrictEqual(wrong, [])
  })

  it.each([undefined, null, 0, -1, "10000", true, [10_000], Number.POSITIVE_INFINITY])(
    "cannot be told from %o tokens",
    (max) => {
      const members = { max_tokens: max, thinking: adaptive }

      assert.deepStrictEqual(Thinking.convert(members, "Budget"), Result.fail("max_tokens: field required"))
    }
  )
})

const modes: ReadonlyArray<{ readonly mode: ModelTables.ThinkingMode }> = [
  { mode: "Budget" },
  { mode: "BudgetOrAdaptive" },
  { mode: "Adaptive" }
]

describe("Thinking", () => {
  it.each([
    { mode: "Budget", thinking: { type: "enabled", budget_tokens: 5_000 }, expected: unchanged },
    { mode: "Budget", thinking: { type: "enabled" }, expected: unchanged },
    { mode: "Budget", thinking: { type: "disabled" }, expected: unchanged },
    { mode: "BudgetOrAdaptive", thinking: adaptive, expected: unchanged },
    { mode: "BudgetOrAdaptive", thinking: { type: "enabled", budget_tokens: 5_000 }, expected: unchanged },
    { mode: "Adaptive", thinking: { type: "enabled", budget_tokens: 5_000 }, expected: becomes(adaptive) },
    { mode: "Adaptive", thinking: { type: "enabled" }, expected: becomes(adaptive) },
    { mode: "Adaptive", thinking: adaptive, expected: unchanged },
    { mode: "Adaptive", thinking: { type: "disabled" }, expected: unchanged }
  ] as const)("of a model of the mode $mode changes only if it has to: $thinking", ({ mode, thinking, expected }) => {
    assert.deepStrictEqual(Thinking.convert({ thinking, output_config: { effort: "max" } }, mode), expected)
  })

  it.each(
    Table.times(modes, [
      { members: {} },
      { members: { thinking: null } },
      { members: { thinking: "adaptive" } },
      { members: { thinking: ["enabled"] } },
      { members: { thinking: { type: ["enabled"] } } },
      { members: { thinking: { type: "sometimes" } } },
      { members: null },
      { members: "thinking" },
      { members: undefined }
    ])
  )("of an unknown kind is left to the upstream: $members for $mode", ({ mode, members }) => {
    assert.deepStrictEqual(Thinking.convert(members, mode), unchanged)
  })
})
