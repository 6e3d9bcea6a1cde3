import { assert, describe, it } from "@effect/vitest"
import * as ModelTables from "../../../src/providers/bedrock/ModelTables.ts"

const { defaults } = ModelTables
const effort = "effort-2025-11-24"
const contextManagement = "context-management-2025-06-27"

describe("The default tables", () => {
  it.each([
    { family: "anthropic.claude-opus-4-7", mode: "Adaptive" },
    { family: "us.anthropic.claude-opus-4-7-v1", mode: "Adaptive" },
    { family: "eu.anthropic.claude-opus-4-8-v1:0", mode: "Adaptive" },
    { family: "global.anthropic.claude-sonnet-5-20300101-v1:0", mode: "Adaptive" },
    { family: "anthropic.claude-opus-4-6-v1", mode: "BudgetOrAdaptive" },
    { family: "claude-sonnet-4-6", mode: "BudgetOrAdaptive" },
    { family: "anthropic.claude-sonnet-4-5-20250929-v1:0", mode: "Budget" },
    { family: "anthropic.claude-3-5-sonnet-20241022-v2:0", mode: "Budget" },
    { family: "claude-opus-4-7", mode: "Budget" },
    { family: "", mode: "Budget" }
  ])("know how '$family' thinks: $mode", ({ family, mode }) => {
    assert.strictEqual(ModelTables.thinkingMode(defaults, family), mode)
  })

  it.each([
    "computer-use-2025-01-24",
    "token-efficient-tools-2025-02-19",
    "interleaved-thinking-2025-05-14",
    "output-128k-2025-02-19",
    "dev-full-thinking-2025-05-14",
    "context-1m-2025-08-07",
    "tool-search-tool-2025-10-19",
    "tool-examples-2025-10-29"
  ])("accept %s for every model", (flag) => {
    assert.isTrue(ModelTables.acceptsFlag(defaults, "anything", flag))
  })

  it.each([
    { flag: effort, family: "us.anthropic.claude-opus-4-5-20251101-v1:0", isAccepted: true },
    { flag: effort, family: "claude-opus-4-5", isAccepted: false },
    { flag: effort, family: "anthropic.claude-sonnet-4-5", isAccepted: false },
    { flag: contextManagement, family: "anthropic.claude-sonnet-4-5", isAccepted: true },
    { flag: contextManagement, family: "anthropic.claude-haiku-4-5", isAccepted: true },
    { flag: contextManagement, family: "anthropic.claude-opus-4-5", isAccepted: false },
    { flag: "claude-code-20250219", family: "anthropic.claude-opus-4-5", isAccepted: false },
    { flag: "", family: "anthropic.claude-opus-4-5", isAccepted: false }
  ])("accept '$flag' for $family: $isAccepted", ({ flag, family, isAccepted }) => {
    assert.strictEqual(ModelTables.acceptsFlag(defaults, family, flag), isAccepted)
  })

  it.each([
    { family: "beddel", flags: [], kept: [] },
    { family: "beddel", flags: [effort, contextManagement], kept: ["output_config", "context_management"] },
    { family: "beddel", flags: [effort], kept: ["output_config"] },
    { family: "anthropic.claude-opus-4-7", flags: [], kept: ["output_config"] },
    { family: "anthropic.claude-opus-4-8", flags: [], kept: ["output_config"] },
    { family: "anthropic.claude-sonnet-5", flags: [contextManagement], kept: ["output_config", "context_management"] }
  ])("strip all fields of $family with $flags but $kept", ({ family, flags, kept }) => {
    const fields = ["metadata", "service_tier", "container", "inference_geo", "output_config", "context_management"]

    const stripped = ModelTables.fieldsToStrip(defaults, family, flags)

    assert.sameMembers(
      [...stripped],
      fields.filter((field) => !kept.includes(field))
    )
  })
})

describe("Additions", () => {
  it("of nothing change nothing", () => {
    assert.deepStrictEqual(ModelTables.extend(defaults, {}), defaults)
  })

  it("leave the tables that they extend as they are", () => {
    const before = structuredClone(defaults)

    ModelTables.extend(defaults, {
      requiresAdaptiveThinking: ["a"],
      supportsAdaptiveThinking: ["b"],
      betaFlags: [{ flag: effort }],
      exemptFields: [{ field: "metadata", models: ["a"] }]
    })

    assert.deepStrictEqual(defaults, before)
  })

  it("may come one after the other", () => {
    const tables = ModelTables.extend(ModelTables.extend(defaults, { requiresAdaptiveThinking: ["next-1"] }), {
      requiresAdaptiveThinking: ["next-2"]
    })

    for (const family of ["x.next-1", "x.next-2", "anthropic.claude-opus-4-7"]) {
      assert.strictEqual(ModelTables.thinkingMode(tables, family), "Adaptive")
      assert.notInclude(ModelTables.fieldsToStrip(tables, family, []), "output_config")
    }
  })

  it.each([
    { title: "a new flag for all models", added: { flag: "new" }, flag: "new", family: "any", isAccepted: true },
    {
      title: "a new flag for some",
      added: { flag: "new", models: ["a"] },
      flag: "new",
      family: "x.a.y",
      isAccepted: true
    },
    {
      title: "a new flag for others",
      added: { flag: "new", models: ["a"] },
      flag: "new",
      family: "b",
      isAccepted: false
    },
    {
      title: "a known flag for a further model",
      added: { flag: effort, models: ["a"] },
      flag: effort,
      family: "a",
      isAccepted: true
    },
    {
      title: "its first model with that",
      added: { flag: effort, models: ["a"] },
      flag: effort,
      family: "anthropic.claude-opus-4-5",
      isAccepted: true
    },
    {
      title: "no other model with that",
      added: { flag: effort, models: ["a"] },
      flag: effort,
      family: "b",
      isAccepted: false
    },
    { title: "a known flag for all models", added: { flag: effort }, flag: effort, family: "b", isAccepted: true },
    {
      title: "what was for all models already",
      added: { flag: "context-1m-2025-08-07", models: ["a"] },
      flag: "context-1m-2025-08-07",
      family: "b",
      isAccepted: true
    }
  ])("allow $title: $isAccepted", ({ added, flag, family, isAccepted }) => {
    const tables = ModelTables.extend(defaults, { betaFlags: [added] })

    assert.strictEqual(ModelTables.acceptsFlag(tables, family, flag), isAccepted)
  })

  it("exempt fields for the models that they name, and for no others", () => {
    const tables = ModelTables.extend(defaults, { exemptFields: [{ field: "metadata", models: ["a", "b"] }] })

    assert.notInclude(ModelTables.fieldsToStrip(tables, "x.b", []), "metadata")
    assert.include(ModelTables.fieldsToStrip(tables, "x.b", []), "container")
    assert.include(ModelTables.fieldsToStrip(tables, "x.c", []), "metadata")
  })
})
