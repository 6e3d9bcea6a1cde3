/** An Anthropic Messages request as Bedrock takes it: what its models would refuse is left out, or said in another way. Pure. */
import * as Result from "effect/Result"
import * as JsonEdit from "../../dialects/JsonEdit.ts"
import type { RequestHeaders } from "../../domain/HeaderRecord.ts"
import * as Json from "../../domain/Json.ts"
import * as ModelTables from "./ModelTables.ts"
import * as Thinking from "./Thinking.ts"

export interface MessagesRequest {
  /** What the tables tell the model by. */
  readonly family: string
  /** A JSON object; anything else goes out as it came. */
  readonly body: Uint8Array
  readonly headers: RequestHeaders
  readonly tables: ModelTables.ModelTables
}

export interface BedrockRequest {
  readonly body: Uint8Array
  readonly headers: RequestHeaders
  /** What could not be translated and went out as it came. Never a part of a body. */
  readonly warnings: ReadonlyArray<string>
}

/** Every step stands alone: if one fails, the others are taken all the same. Bytes that none of them changes stay as they are. */
export const translate = ({ family, body, headers, tables }: MessagesRequest): BedrockRequest => {
  const members = Json.parse(decoder.decode(body))
  const beta = { member: Json.member(members, "anthropic_beta"), header: headers["anthropic-beta"] }
  const flags = keptFlags(beta, family, tables)
  const mode = ModelTables.thinkingMode(tables, family)
  const thinking = Thinking.convert(members, mode)
  const changes = [
    ...wireChanges(members),
    ...Result.getOrElse(thinking, () => []),
    ...flagChanges(flags),
    ...fieldChanges(ModelTables.fieldsToStrip(tables, family, flags)),
    ...formatChanges(mode)
  ]
  return {
    body: isObject(members) ? JsonEdit.edit(body, changes) : body,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !inBody.has(name))),
    warnings: Result.isFailure(thinking) ? [`thinking goes out as it came: ${thinking.failure}`] : []
  }
}

/** The model and whether a stream is asked for are in Bedrock's path; the version of the API is in the body. */
export const wireChanges = (members: unknown): ReadonlyArray<JsonEdit.Change> => [
  JsonEdit.remove(["model"]),
  JsonEdit.remove(["stream"]),
  ...(Json.member(members, "anthropic_version") === undefined
    ? [JsonEdit.set(["anthropic_version"], "bedrock-2023-05-31")]
    : [])
]

/** Beta flags as a client names them. */
export interface Beta {
  /** The body's own list, a Bedrock client's habit. */
  readonly member: unknown
  /** The list in the header, with commas between. */
  readonly header: string | undefined
}

/** Those flags that the model accepts, each once, the body's own first. */
export const keptFlags = (
  { member, header = "" }: Beta,
  family: string,
  tables: ModelTables.ModelTables
): ReadonlyArray<string> => {
  const own = Array.isArray(member) ? member.filter((flag) => typeof flag === "string") : []
  const flags = [...own, ...header.split(",")].map((flag) => flag.trim())
  return [...new Set(flags)].filter((flag) => ModelTables.acceptsFlag(tables, family, flag))
}

/** Bedrock takes the flags in the body. */
export const flagChanges = (flags: ReadonlyArray<string>): ReadonlyArray<JsonEdit.Change> => [
  flags.length === 0 ? JsonEdit.remove(["anthropic_beta"]) : JsonEdit.set(["anthropic_beta"], flags)
]

export const fieldChanges = (fields: ReadonlyArray<string>): ReadonlyArray<JsonEdit.Change> =>
  fields.map((field) => JsonEdit.remove([field]))

/** Models that only think adaptively take an `output_config`, but no format in it. */
export const formatChanges = (mode: ModelTables.ThinkingMode): ReadonlyArray<JsonEdit.Change> =>
  mode === "Adaptive" ? [JsonEdit.remove(["output_config", "format"])] : []

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value)

// Headers that Bedrock has in the body.
const inBody: ReadonlySet<string> = new Set(["anthropic-beta", "anthropic-version"])

const decoder = new TextDecoder()
