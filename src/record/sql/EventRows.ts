/** Events of interceptions as rows of the tables. */
import type {
  AttemptEnded,
  InterceptionEnded,
  InterceptionStarted,
  ModelThought,
  PromptUsage,
  TokenUsage,
  ToolUsage
} from "../../domain/RecordEvent.ts"
import type { Columns, RowOf } from "./RowSource.ts"
import * as Text from "./Text.ts"

export const startColumns = {
  id: "TEXT",
  started_at: "BIGINT",
  actor_id: "TEXT",
  actor_metadata: "TEXT",
  provider: "TEXT",
  provider_type: "TEXT",
  endpoint: "TEXT",
  model: "TEXT",
  stream: "INTEGER",
  credential_kind: "TEXT",
  client: "TEXT",
  user_agent: "TEXT",
  client_session_id: "TEXT",
  correlating_tool_call_id: "TEXT",
  writer_id: "TEXT"
} as const satisfies Columns

export const startRow = (event: InterceptionStarted, writerId: string): RowOf<typeof startColumns> => ({
  id: event.id,
  started_at: Text.whole(event.at),
  actor_id: Text.label(event.actor.id),
  actor_metadata: JSON.stringify(event.actor.metadata),
  provider: Text.label(event.provider),
  provider_type: Text.label(event.providerType),
  endpoint: Text.label(event.endpoint),
  model: Text.label(event.model),
  stream: event.stream ? 1 : 0,
  credential_kind: event.credentialKind,
  client: Text.label(event.client),
  user_agent: Text.optional(Text.content, event.userAgent),
  client_session_id: Text.optional(Text.label, event.clientSessionId),
  correlating_tool_call_id: Text.optional(Text.label, event.correlatingToolCallId),
  writer_id: writerId
})

export const endColumns = {
  id: "TEXT",
  ended_at: "BIGINT",
  end_reason: "TEXT",
  status: "INTEGER",
  attempts: "INTEGER",
  credential_hint: "TEXT",
  usage_quality: "TEXT",
  parent_id: "TEXT",
  root_id: "TEXT"
} as const satisfies Columns

export const endRow = (event: InterceptionEnded, parent: string | null, root: string): RowOf<typeof endColumns> => ({
  id: event.id,
  ended_at: Text.whole(event.at),
  end_reason: event.reason,
  status: event.status ?? null,
  attempts: Text.whole(event.attempts),
  credential_hint: Text.optional(Text.label, event.credentialHint),
  usage_quality: event.usageQuality,
  parent_id: parent,
  root_id: root
})

/** One root in the place of another. */
export const relinkColumns = { from: "TEXT", to: "TEXT" } as const satisfies Columns

// Of everything that belongs to an interception.
const childColumns = {
  interception_id: "TEXT",
  created_at: "BIGINT",
  position: "BIGINT"
} as const satisfies Columns

type OfChild<C extends Columns> = Omit<RowOf<C>, keyof typeof childColumns>

export const attemptColumns = {
  ...childColumns,
  number: "INTEGER",
  credential_hint: "TEXT",
  status: "INTEGER",
  failure: "TEXT",
  duration_ms: "DOUBLE PRECISION"
} as const satisfies Columns

export const attemptRow = (event: AttemptEnded): OfChild<typeof attemptColumns> => ({
  number: Text.whole(event.number),
  credential_hint: Text.label(event.credentialHint),
  status: event.status ?? null,
  failure: Text.optional(Text.label, event.failure),
  duration_ms: Number.isFinite(event.duration) ? event.duration : 0
})

export const tokenColumns = {
  ...childColumns,
  message_id: "TEXT",
  input_tokens: "BIGINT",
  output_tokens: "BIGINT",
  cache_read_input_tokens: "BIGINT",
  cache_write_input_tokens: "BIGINT",
  extra: "TEXT",
  quality: "TEXT"
} as const satisfies Columns

export const tokenRow = ({ messageId, usage, quality }: TokenUsage): OfChild<typeof tokenColumns> => ({
  message_id: Text.optional(Text.label, messageId),
  input_tokens: Text.whole(usage.input),
  output_tokens: Text.whole(usage.output),
  cache_read_input_tokens: Text.whole(usage.cacheRead),
  cache_write_input_tokens: Text.whole(usage.cacheWrite),
  extra: JSON.stringify(usage.extra),
  quality
})

export const promptColumns = {
  ...childColumns,
  message_id: "TEXT",
  prompt: "TEXT"
} as const satisfies Columns

export const promptRow = ({ messageId, text }: PromptUsage): OfChild<typeof promptColumns> => ({
  message_id: Text.optional(Text.label, messageId),
  prompt: Text.content(text)
})

export const toolColumns = {
  ...childColumns,
  message_id: "TEXT",
  tool_call_id: "TEXT",
  tool: "TEXT",
  args: "TEXT",
  injected: "INTEGER",
  server_url: "TEXT",
  error: "TEXT"
} as const satisfies Columns

export const toolRow = (
  { messageId, call, injected, serverUrl, error }: ToolUsage,
  recordContent: boolean
): OfChild<typeof toolColumns> => ({
  message_id: Text.optional(Text.label, messageId),
  tool_call_id: Text.label(call.id),
  tool: Text.label(call.name),
  args: recordContent ? Text.content(call.args) : "",
  injected: injected ? 1 : 0,
  server_url: Text.optional(Text.content, serverUrl),
  error: Text.optional(Text.content, error)
})

export const thoughtColumns = {
  ...childColumns,
  message_id: "TEXT",
  content: "TEXT",
  source: "TEXT"
} as const satisfies Columns

export const thoughtRow = ({ messageId, thought }: ModelThought): OfChild<typeof thoughtColumns> => ({
  message_id: Text.optional(Text.label, messageId),
  content: Text.content(thought.text),
  source: thought.source
})
