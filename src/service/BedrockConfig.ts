/** The settings of Bedrock for one provider: what must stand together, and what must not. */
import * as Redacted from "effect/Redacted"
import type { AwsCredentials } from "../providers/bedrock/AwsCredentials.ts"
import type * as Bedrock from "../providers/Bedrock.ts"
import type { BedrockSettings, ProviderSettings } from "./ConfigSchema.ts"
import type { ConfigSource, Path } from "./ConfigSource.ts"
import type * as Vendors from "./Vendors.ts"

/** Where the settings of a provider stand, and those of its Bedrock. */
export interface Paths {
  readonly provider: Path
  readonly bedrock: Path
}

/** `undefined` if nothing is set. */
export const resolve = (
  settings: ProviderSettings,
  type: Vendors.Type,
  paths: Paths,
  source: ConfigSource
): Bedrock.Options | undefined => {
  const { bedrock } = settings
  const at = (field: string): Path => [...paths.bedrock, field]
  const [first] = source.fieldsAt(paths.bedrock)
  if (bedrock === undefined || (first === undefined && Object.keys(bedrock).length === 0)) return undefined
  if (type !== "anthropic") {
    source.problem(at(first ?? "region"), "BEDROCK_* fields are only supported with TYPE anthropic")
    return undefined
  }
  for (const field of ["key", "keys"] as const) {
    if (settings[field] === undefined) continue
    source.problem([...paths.provider, field], "KEY/KEYS and BEDROCK_* fields are mutually exclusive")
  }
  if (settings.baseUrl !== undefined) {
    source.problem([...paths.provider, "baseUrl"], "is not used with BEDROCK_* fields: use BEDROCK_BASE_URL")
  }
  const { region, baseUrl, model = "", smallFastModel = "", modelFamily, smallFastModelFamily } = bedrock
  if (
    region === undefined &&
    baseUrl === undefined &&
    !source.hasProblem(at("region")) &&
    !source.hasProblem(at("baseUrl"))
  ) {
    source.problem(at("region"), "region or base url required: set it, or BEDROCK_BASE_URL")
  }
  if (model === "") source.problem(at("model"), "model required: an id of Bedrock, an inference profile or its ARN")
  if (smallFastModel === "") {
    source.problem(at("smallFastModel"), "small fast model required: it is asked for a Haiku")
  }
  const credentials = resolveCredentials(bedrock, at, source)
  return {
    model,
    smallFastModel,
    models: {
      requiresAdaptiveThinking: bedrock.requiresAdaptiveThinking ?? [],
      supportsAdaptiveThinking: bedrock.supportsAdaptiveThinking ?? [],
      betaFlags: bedrock.betaFlags ?? [],
      exemptFields: bedrock.exemptFields ?? []
    },
    ...(region !== undefined && { region }),
    ...(baseUrl !== undefined && { baseUrl }),
    ...(modelFamily !== undefined && { modelFamily }),
    ...(smallFastModelFamily !== undefined && { smallFastModelFamily }),
    ...(credentials !== undefined && { credentials })
  }
}

const resolveCredentials = (
  { accessKey, accessKeys, accessKeySecret, accessKeySecrets }: BedrockSettings,
  at: (field: string) => Path,
  source: ConfigSource
): ReadonlyArray<AwsCredentials> | undefined => {
  const fields = ["accessKey", "accessKeys", "accessKeySecret", "accessKeySecrets"]
  if (fields.some((field) => source.hasProblem(at(field)))) return undefined
  if (accessKey !== undefined && accessKeys !== undefined) {
    source.problem(at("accessKeys"), "BEDROCK_ACCESS_KEY and BEDROCK_ACCESS_KEYS are mutually exclusive")
    return undefined
  }
  if (accessKeySecret !== undefined && accessKeySecrets !== undefined) {
    const detail = "BEDROCK_ACCESS_KEY_SECRET and BEDROCK_ACCESS_KEY_SECRETS are mutually exclusive"
    source.problem(at("accessKeySecrets"), detail)
    return undefined
  }
  const keys = accessKey ?? accessKeys
  const secrets = accessKeySecret ?? accessKeySecrets
  if (keys === undefined && secrets === undefined) return undefined
  if (keys === undefined || secrets === undefined) {
    source.problem(
      at(keys === undefined ? "accessKey" : "accessKeySecret"),
      "both access key and access key secret must be provided together: without either the default chain of the AWS SDKs is used"
    )
    return undefined
  }
  if (keys.length !== secrets.length) {
    const counts = `BEDROCK_ACCESS_KEYS count (${keys.length}) must match BEDROCK_ACCESS_KEY_SECRETS count (${secrets.length})`
    source.problem(at("accessKeys"), counts)
    return undefined
  }
  if (keys.some((key) => Redacted.value(key).startsWith("ASIA"))) {
    const name = source.nameOf(at(accessKey === undefined ? "accessKeys" : "accessKey"))
    source.warnings.push(`${name}: a temporary key (ASIA...) needs a session token, which only the default chain has`)
  }
  return keys.flatMap((key, index) => {
    const secretAccessKey = secrets[index]
    return secretAccessKey === undefined ? [] : [{ accessKeyId: Redacted.value(key), secretAccessKey }]
  })
}
