/** Thinking as a Bedrock model can be asked for it: adaptively or with a budget of tokens, whichever way the client asked. */
import * as Result from "effect/Result"
import * as JsonEdit from "../../dialects/JsonEdit.ts"
import * as Json from "../../domain/Json.ts"
import type * as ModelTables from "./ModelTables.ts"

/**
 * The changes of a body with these members. Fails with what is wrong with the body if a budget is needed and there is nothing to
 * make it of. The effort in `output_config` counts, whether that goes upstream or not.
 */
export const convert = (
  members: unknown,
  mode: ModelTables.ThinkingMode
): Result.Result<ReadonlyArray<JsonEdit.Change>, string> => {
  const asked = Json.member(Json.member(members, "thinking"), "type")
  if (mode === "Adaptive" && asked === "enabled") return becomes({ type: "adaptive" })
  if (mode !== "Budget" || asked !== "adaptive") return Result.succeed([])
  const maxTokens = Json.member(members, "max_tokens")
  if (!isPositive(maxTokens)) return Result.fail("max_tokens: field required")
  const budget = Math.floor((maxTokens * percentOf(Json.member(Json.member(members, "output_config"), "effort"))) / 100)
  return becomes(budget < leastBudget ? { type: "disabled" } : { type: "enabled", budget_tokens: budget })
}

const becomes = (value: Readonly<Record<string, unknown>>) => Result.succeed([JsonEdit.set(["thinking"], value)])

const isPositive = (value: unknown): value is number => typeof value === "number" && value > 0 && value < Infinity

// How much of `max_tokens` may be thought. Whole percents, since no fraction such as 0.95 is exact.
const percentOf = (effort: unknown): number => {
  switch (effort) {
    case "low":
      return 20
    case "medium":
      return 50
    case "max":
      return 95
    default:
      return 80
  }
}

// What the API asks for at least ("Extended thinking").
const leastBudget = 1_024
