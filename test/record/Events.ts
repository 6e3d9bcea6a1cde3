/** Events of interceptions as tests need them. */
import type {
  AttemptEnded,
  InterceptionEnded,
  InterceptionStarted,
  ModelThought,
  PromptUsage,
  TokenUsage,
  ToolUsage
} from "../../src/domain/RecordEvent.ts"

/** Noon of a day. */
export const noon = Date.UTC(2026, 10, 20, 12)

export const started = (id: string, more: Partial<InterceptionStarted> = {}): InterceptionStarted => ({
  _tag: "InterceptionStarted",
  id,
  at: noon,
  actor: { id: "alice", metadata: { team: "blue" } },
  provider: "main",
  providerType: "anthropic",
  endpoint: "/v1/messages",
  model: "claude-sonnet-4-5",
  stream: true,
  credentialKind: "centralized",
  client: "Claude Code",
  userAgent: "claude-cli/2.0.0",
  clientSessionId: "session-1",
  correlatingToolCallId: undefined,
  ...more
})

export const attempt = (interceptionId: string, more: Partial<AttemptEnded> = {}): AttemptEnded => ({
  _tag: "AttemptEnded",
  interceptionId,
  at: noon + 1,
  number: 1,
  credentialHint: "sk...aa",
  status: 200,
  failure: undefined,
  duration: 12.5,
  ...more
})

export const prompt = (interceptionId: string, text: string, more: Partial<PromptUsage> = {}): PromptUsage => ({
  _tag: "PromptUsage",
  interceptionId,
  at: noon + 2,
  messageId: "msg_1",
  text,
  ...more
})

export const tokens = (
  interceptionId: string,
  usage: Partial<TokenUsage["usage"]> = {},
  more: Partial<TokenUsage> = {}
): TokenUsage => ({
  _tag: "TokenUsage",
  interceptionId,
  at: noon + 3,
  messageId: "msg_1",
  usage: { input: 10, output: 20, cacheRead: 30, cacheWrite: 40, extra: { output_reasoning: 5 }, ...usage },
  quality: "final",
  ...more
})

export const tool = (interceptionId: string, callId: string, more: Partial<ToolUsage> = {}): ToolUsage => ({
  _tag: "ToolUsage",
  interceptionId,
  at: noon + 4,
  messageId: "msg_1",
  call: { id: callId, name: "Read", args: `{"path":"a.ts"}` },
  injected: false,
  serverUrl: undefined,
  error: undefined,
  ...more
})

export const thought = (interceptionId: string, text: string, more: Partial<ModelThought> = {}): ModelThought => ({
  _tag: "ModelThought",
  interceptionId,
  at: noon + 5,
  messageId: "msg_1",
  thought: { text, source: "thinking" },
  ...more
})

export const ended = (id: string, more: Partial<InterceptionEnded> = {}): InterceptionEnded => ({
  _tag: "InterceptionEnded",
  id,
  at: noon + 1000,
  reason: "complete",
  status: 200,
  attempts: 1,
  credentialHint: "sk...aa",
  usageQuality: "final",
  ...more
})
