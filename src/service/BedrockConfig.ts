/** The settings of Bedrock for one provider. */
import * as Redacted from "effect/Redacted"
import type { AwsCredentials } from "../providers/bedrock/AwsCredentials.ts"
import type { Additions, BetaFlag, ExemptField } from "../providers/bedrock/ModelTables.ts"
import type * as Bedrock from "../providers/Bedrock.ts"
import { regionPattern } from "../providers/Bedrock.ts"
import { InvalidKeys, refusal } from "../keys/InvalidKeys.ts"
import { parseBaseUrl } from "../providers/Provider.ts"
import type { Settings } from "./Settings.ts"

/** By the end of their variables' names. */
export const fields = [
  "BEDROCK_REGION",
  "BEDROCK_BASE_URL",
  "BEDROCK_MODEL",
  "BEDROCK_SMALL_FAST_MODEL",
  "BEDROCK_ACCESS_KEY",
  "BEDROCK_ACCESS_KEYS",
  "BEDROCK_ACCESS_KEY_SECRET",
  "BEDROCK_ACCESS_KEY_SECRETS",
  "BEDROCK_MODEL_FAMILY",
  "BEDROCK_SMALL_FAST_MODEL_FAMILY",
  "BEDROCK_REQUIRES_ADAPTIVE_THINKING",
  "BEDROCK_SUPPORTS_ADAPTIVE_THINKING",
  "BEDROCK_BETA_FLAGS",
  "BEDROCK_EXEMPT_FIELDS"
] as const

type Field = (typeof fields)[number]

/** The fields that are set, of a provider such as `AIBRIDGE_PROVIDER_0`. */
export const present = (settings: Settings, prefix: string): ReadonlyArray<Field> =>
  fields.filter((field) => settings.text(`${prefix}_${field}`) !== undefined)

/** `undefined` if nothing is set. */
export const read = (settings: Settings, prefix: string): Bedrock.Options | undefined => {
  if (present(settings, prefix).length === 0) return undefined
  const name = (field: Field) => `${prefix}_${field}`
  const text = (field: Field) => settings.text(name(field))
  const required = (field: Field, what: string) => text(field) ?? settings.problem(name(field), what) ?? ""
  const region = text("BEDROCK_REGION")
  const baseUrl = text("BEDROCK_BASE_URL")
  if (region === undefined && baseUrl === undefined) {
    settings.problem(name("BEDROCK_REGION"), "region or base url required: set it, or BEDROCK_BASE_URL")
  }
  const wrong = baseUrl === undefined ? undefined : parseBaseUrl(baseUrl)
  if (typeof wrong === "string") settings.problem(name("BEDROCK_BASE_URL"), wrong)
  if (region !== undefined && !regionPattern.test(region)) {
    settings.problem(name("BEDROCK_REGION"), "region must be one of AWS, such as us-east-1")
  }
  const model = required("BEDROCK_MODEL", "model required: an id of Bedrock, an inference profile or its ARN")
  const smallFastModel = required("BEDROCK_SMALL_FAST_MODEL", "small fast model required: it is asked for a Haiku")
  const modelFamily = text("BEDROCK_MODEL_FAMILY")
  const smallFastModelFamily = text("BEDROCK_SMALL_FAST_MODEL_FAMILY")
  const credentials = readCredentials(settings, prefix)
  return {
    model,
    smallFastModel,
    models: readModels(settings, prefix),
    ...(region !== undefined && { region }),
    ...(baseUrl !== undefined && { baseUrl }),
    ...(modelFamily !== undefined && { modelFamily }),
    ...(smallFastModelFamily !== undefined && { smallFastModelFamily }),
    ...(credentials !== undefined && { credentials })
  }
}

const readCredentials = (settings: Settings, prefix: string): ReadonlyArray<AwsCredentials> | undefined => {
  const before = settings.problems.length
  const keys = readList(settings, prefix, "BEDROCK_ACCESS_KEY")
  const secrets = readList(settings, prefix, "BEDROCK_ACCESS_KEY_SECRET")
  const isRefused = settings.problems.length > before
  if (isRefused || (keys === undefined && secrets === undefined)) return undefined
  if (keys === undefined || secrets === undefined) {
    const missing = keys === undefined ? "BEDROCK_ACCESS_KEY" : "BEDROCK_ACCESS_KEY_SECRET"
    return settings.problem(
      `${prefix}_${missing}`,
      "both access key and access key secret must be provided together: without either the default chain of the AWS SDKs is used"
    )
  }
  if (keys.length !== secrets.length) {
    const counts = `BEDROCK_ACCESS_KEYS count (${keys.length}) must match BEDROCK_ACCESS_KEY_SECRETS count (${secrets.length})`
    return settings.problem(`${prefix}_BEDROCK_ACCESS_KEYS`, counts)
  }
  return keys.map((accessKeyId, index) => ({ accessKeyId, secretAccessKey: Redacted.make(secrets[index] ?? "") }))
}

// One, or several with a name in the plural.
const readList = (
  settings: Settings,
  prefix: string,
  field: "BEDROCK_ACCESS_KEY" | "BEDROCK_ACCESS_KEY_SECRET"
): ReadonlyArray<string> | undefined => {
  const [single, several] = [`${prefix}_${field}`, `${prefix}_${field}S`]
  const isSingle = settings.text(single) !== undefined
  if (isSingle && settings.text(several) !== undefined) {
    return settings.problem(several, `${field} and ${field}S are mutually exclusive`)
  }
  const name = isSingle ? single : several
  const entries = settings.list(name)
  if (entries.length === 0) return undefined
  const refused = refusal(entries)
  if (refused !== undefined) settings.problem(name, new InvalidKeys({ provider: "", reason: refused }).message)
  return entries
}

const readModels = (settings: Settings, prefix: string): Additions => ({
  requiresAdaptiveThinking: entries(settings, `${prefix}_BEDROCK_REQUIRES_ADAPTIVE_THINKING`),
  supportsAdaptiveThinking: entries(settings, `${prefix}_BEDROCK_SUPPORTS_ADAPTIVE_THINKING`),
  betaFlags: entries(settings, `${prefix}_BEDROCK_BETA_FLAGS`).flatMap((entry): Array<BetaFlag> => {
    if (!entry.includes(":")) return [{ flag: entry }]
    return pair(settings, `${prefix}_BEDROCK_BETA_FLAGS`, entry).map(([flag, model]) => ({ flag, models: [model] }))
  }),
  exemptFields: entries(settings, `${prefix}_BEDROCK_EXEMPT_FIELDS`).flatMap((entry): Array<ExemptField> =>
    pair(settings, `${prefix}_BEDROCK_EXEMPT_FIELDS`, entry).map(([field, model]) => ({ field, models: [model] }))
  )
})

// An empty one would be a part of every model's name.
const entries = (settings: Settings, name: string): ReadonlyArray<string> => {
  const all = settings.list(name)
  const empty = all.indexOf("")
  if (empty >= 0) settings.problem(name, `entry at index ${empty} is empty`)
  return all
}

// `name:model`; none if it is not.
const pair = (settings: Settings, option: string, entry: string): ReadonlyArray<readonly [string, string]> => {
  const [, name, model] = /^([^:]*[^:\s])\s*:\s*(\S+)$/.exec(entry) ?? []
  if (name !== undefined && model !== undefined) return [[name, model]]
  if (entry !== "") settings.problem(option, `entry "${entry}" is not of the form name:model`)
  return []
}
