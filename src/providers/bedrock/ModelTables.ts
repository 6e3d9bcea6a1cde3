/**
 * What Bedrock's models accept, as data: configuration adds what a release does not know yet. A model is told by a part of its
 * family, which is its id, or what configuration says in its place where the id is opaque (an application inference profile).
 */

export interface ModelTables {
  /** Models that think adaptively or not at all. */
  readonly requiresAdaptiveThinking: ReadonlyArray<string>
  /** Further models that can think adaptively. */
  readonly supportsAdaptiveThinking: ReadonlyArray<string>
  /** The beta flags that go upstream. Of entries with one flag any may accept it. */
  readonly betaFlags: ReadonlyArray<BetaFlag>
  /** Members of a body that do not go upstream. */
  readonly strippedFields: ReadonlyArray<StrippedField>
  /** Where such members go upstream whatever the flags are. */
  readonly exemptFields: ReadonlyArray<ExemptField>
}

export interface BetaFlag {
  readonly flag: string
  /** The models that accept it. Default all. */
  readonly models?: ReadonlyArray<string>
}

export interface StrippedField {
  readonly field: string
  /** The flag with which it goes upstream after all. Default none. */
  readonly unlessFlag?: string
}

export interface ExemptField {
  readonly field: string
  readonly models: ReadonlyArray<string>
}

/** What configuration knows beyond the defaults. It can allow more, never less. */
export interface Additions {
  /** Such models keep their `output_config`, too. Default none. */
  readonly requiresAdaptiveThinking?: ReadonlyArray<string>
  /** Default none. */
  readonly supportsAdaptiveThinking?: ReadonlyArray<string>
  /** New flags, or further models for known ones. Default none. */
  readonly betaFlags?: ReadonlyArray<BetaFlag>
  /** Default none. */
  readonly exemptFields?: ReadonlyArray<ExemptField>
}

export const extend = (tables: ModelTables, additions: Additions): ModelTables => {
  const { requiresAdaptiveThinking = [], supportsAdaptiveThinking = [], betaFlags = [], exemptFields = [] } = additions
  return {
    requiresAdaptiveThinking: [...tables.requiresAdaptiveThinking, ...requiresAdaptiveThinking],
    supportsAdaptiveThinking: [...tables.supportsAdaptiveThinking, ...supportsAdaptiveThinking],
    betaFlags: [...tables.betaFlags, ...betaFlags],
    strippedFields: tables.strippedFields,
    exemptFields: [...tables.exemptFields, ...effortOf(requiresAdaptiveThinking), ...exemptFields]
  }
}

/** How a model may be asked to think. */
export type ThinkingMode =
  /** With a budget of tokens. */
  | "Budget"
  /** With a budget, or as it sees fit. */
  | "BudgetOrAdaptive"
  /** As it sees fit. */
  | "Adaptive"

export const thinkingMode = (tables: ModelTables, family: string): ThinkingMode => {
  if (isAmong(tables.requiresAdaptiveThinking, family)) return "Adaptive"
  return isAmong(tables.supportsAdaptiveThinking, family) ? "BudgetOrAdaptive" : "Budget"
}

export const acceptsFlag = (tables: ModelTables, family: string, flag: string): boolean =>
  tables.betaFlags.some((known) => known.flag === flag && (known.models === undefined || isAmong(known.models, family)))

/**
 * The members that do not go upstream.
 *
 * @param flags those that do go upstream
 */
export const fieldsToStrip = (
  tables: ModelTables,
  family: string,
  flags: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const isExempt = (field: string) =>
    tables.exemptFields.some((exempt) => exempt.field === field && isAmong(exempt.models, family))
  return tables.strippedFields
    .filter(({ unlessFlag }) => unlessFlag === undefined || !flags.includes(unlessFlag))
    .map(({ field }) => field)
    .filter((field) => !isExempt(field))
}

const isAmong = (models: ReadonlyArray<string>, family: string): boolean =>
  models.some((model) => family.includes(model))

// Where thinking is adaptive, effort is no beta any more.
const effortOf = (models: ReadonlyArray<string>): ReadonlyArray<ExemptField> =>
  models.length === 0 ? [] : [{ field: "output_config", models }]

const adaptiveOnly = ["anthropic.claude-opus-4-7", "anthropic.claude-opus-4-8", "anthropic.claude-sonnet-5"]

/** As Bedrock was seen to accept and to refuse it. */
export const defaults: ModelTables = {
  requiresAdaptiveThinking: adaptiveOnly,
  supportsAdaptiveThinking: ["opus-4-6", "sonnet-4-6"],
  betaFlags: [
    { flag: "computer-use-2025-01-24" },
    { flag: "token-efficient-tools-2025-02-19" },
    { flag: "interleaved-thinking-2025-05-14" },
    { flag: "output-128k-2025-02-19" },
    { flag: "dev-full-thinking-2025-05-14" },
    { flag: "context-1m-2025-08-07" },
    { flag: "context-management-2025-06-27", models: ["anthropic.claude-sonnet-4-5", "anthropic.claude-haiku-4-5"] },
    { flag: "effort-2025-11-24", models: ["anthropic.claude-opus-4-5"] },
    { flag: "tool-search-tool-2025-10-19" },
    { flag: "tool-examples-2025-10-29" }
  ],
  strippedFields: [
    { field: "metadata" },
    { field: "service_tier" },
    { field: "container" },
    { field: "inference_geo" },
    { field: "output_config", unlessFlag: "effort-2025-11-24" },
    { field: "context_management", unlessFlag: "context-management-2025-06-27" }
  ],
  exemptFields: effortOf(adaptiveOnly)
}
