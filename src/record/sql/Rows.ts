/** Rows of the tables as what they stand for. */
import type { CredentialKind } from "../../domain/Credential.ts"
import type { EndReason } from "../../domain/Interception.ts"
import * as Json from "../../domain/Json.ts"
import type * as Event from "../../domain/RecordEvent.ts"
import type { Thought, UsageQuality } from "../../domain/Usage.ts"
import type * as Interceptions from "../Interceptions.ts"

/** As a database says it; Postgres has texts or bigints for what may be more than a number holds. */
type Whole = number | string | bigint

export interface Interception {
  readonly id: string
  readonly started_at: Whole
  readonly ended_at: Whole | null
  readonly actor_id: string
  readonly actor_metadata: string
  readonly provider: string
  readonly provider_type: string
  readonly endpoint: string
  readonly model: string
  readonly stream: number
  readonly credential_kind: CredentialKind
  readonly credential_hint: string | null
  readonly client: string
  readonly user_agent: string | null
  readonly client_session_id: string | null
  readonly correlating_tool_call_id: string | null
  readonly parent_id: string | null
  readonly root_id: string | null
  readonly end_reason: EndReason | null
  readonly status: number | null
  readonly attempts: number | null
  readonly usage_quality: UsageQuality | null
}

export interface Child {
  readonly interception_id: string
  readonly created_at: Whole
}

export interface Attempt extends Child {
  readonly number: number
  readonly credential_hint: string
  readonly status: number | null
  readonly failure: string | null
  readonly duration_ms: number
}

interface OfMessage extends Child {
  readonly message_id: string | null
}

export interface UserPrompt extends OfMessage {
  readonly prompt: string
}

export interface TokenUsage extends OfMessage {
  readonly input_tokens: Whole
  readonly output_tokens: Whole
  readonly cache_read_input_tokens: Whole
  readonly cache_write_input_tokens: Whole
  readonly extra: string
  readonly quality: Exclude<UsageQuality, "none">
}

export interface ToolUsage extends OfMessage {
  readonly tool_call_id: string
  readonly tool: string
  readonly args: string
  readonly injected: number
  readonly server_url: string | null
  readonly error: string | null
}

export interface ModelThought extends OfMessage {
  readonly content: string
  readonly source: Thought["source"]
}

export interface Sum {
  readonly actor: string
  readonly model: string
  /** Since 1970. */
  readonly day: Whole
  readonly interceptions: Whole
  readonly input: Whole
  readonly output: Whole
  readonly cache_read: Whole
  readonly cache_write: Whole
}

export const summary = (row: Interception): Interceptions.Summary => ({
  id: row.id,
  startedAt: Number(row.started_at),
  actor: { id: row.actor_id, metadata: record(row.actor_metadata, isString) },
  provider: row.provider,
  providerType: row.provider_type,
  endpoint: row.endpoint,
  model: row.model,
  stream: row.stream === 1,
  credentialKind: row.credential_kind,
  client: row.client,
  userAgent: row.user_agent ?? undefined,
  clientSessionId: row.client_session_id ?? undefined,
  correlatingToolCallId: row.correlating_tool_call_id ?? undefined,
  end: end(row)
})

const end = (row: Interception): Interceptions.End | undefined =>
  row.ended_at === null || row.end_reason === null
    ? undefined
    : {
        at: Number(row.ended_at),
        reason: row.end_reason,
        status: row.status ?? undefined,
        attempts: row.attempts ?? 0,
        credentialHint: row.credential_hint ?? undefined,
        usageQuality: row.usage_quality ?? "none",
        parentId: row.parent_id ?? undefined,
        rootId: row.root_id ?? row.id
      }

const child = (row: Child) => ({ interceptionId: row.interception_id, at: Number(row.created_at) })

const ofMessage = (row: OfMessage) => ({ ...child(row), messageId: row.message_id ?? undefined })

export const attempt = (row: Attempt): Event.AttemptEnded => ({
  _tag: "AttemptEnded",
  ...child(row),
  number: row.number,
  credentialHint: row.credential_hint,
  status: row.status ?? undefined,
  failure: row.failure ?? undefined,
  duration: row.duration_ms
})

export const prompt = (row: UserPrompt): Event.PromptUsage => ({
  _tag: "PromptUsage",
  ...ofMessage(row),
  text: row.prompt
})

export const tokens = (row: TokenUsage): Event.TokenUsage => ({
  _tag: "TokenUsage",
  ...ofMessage(row),
  usage: {
    input: Number(row.input_tokens),
    output: Number(row.output_tokens),
    cacheRead: Number(row.cache_read_input_tokens),
    cacheWrite: Number(row.cache_write_input_tokens),
    extra: record(row.extra, isNumber)
  },
  quality: row.quality
})

export const tool = (row: ToolUsage): Event.ToolUsage => ({
  _tag: "ToolUsage",
  ...ofMessage(row),
  call: { id: row.tool_call_id, name: row.tool, args: row.args },
  injected: row.injected === 1,
  serverUrl: row.server_url ?? undefined,
  error: row.error ?? undefined
})

export const thought = (row: ModelThought): Event.ModelThought => ({
  _tag: "ModelThought",
  ...ofMessage(row),
  thought: { text: row.content, source: row.source }
})

export const sum = (row: Sum): Interceptions.Sum => ({
  actor: row.actor,
  model: row.model,
  day: new Date(Number(row.day) * 86_400_000).toISOString().slice(0, 10),
  interceptions: Number(row.interceptions),
  input: Number(row.input),
  output: Number(row.output),
  cacheRead: Number(row.cache_read),
  cacheWrite: Number(row.cache_write)
})

const record = <A>(json: string, is: (value: unknown) => value is A): Readonly<Record<string, A>> => {
  const value = Json.parse(json)
  if (typeof value !== "object" || value === null) return {}
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, A] => is(entry[1])))
}

const isString = (value: unknown): value is string => typeof value === "string"

const isNumber = (value: unknown): value is number => typeof value === "number"
