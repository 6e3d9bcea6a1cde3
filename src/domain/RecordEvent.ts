/** What happens in an interception, as data for a `Recorder`. Instants are epoch milliseconds. */
import type { Actor } from "./Actor.ts"
import type { CredentialKind } from "./Credential.ts"
import type { EndReason } from "./Interception.ts"
import type { Thought, ToolCall, Usage, UsageQuality } from "./Usage.ts"

/** The closed union of what can be recorded. */
export type RecordEvent =
  | InterceptionStarted
  | AttemptEnded
  | PromptUsage
  | TokenUsage
  | ToolUsage
  | ModelThought
  | InterceptionEnded

/** A bridged request was accepted; nothing has been sent upstream yet. */
export interface InterceptionStarted {
  readonly _tag: "InterceptionStarted"
  readonly id: string
  readonly at: number
  readonly actor: Actor
  /** The provider instance's name. */
  readonly provider: string
  /** The vendor, such as `anthropic`. */
  readonly providerType: string
  /** The route behind the mount point, such as `/v1/messages`. */
  readonly endpoint: string
  readonly model: string
  readonly stream: boolean
  readonly credentialKind: CredentialKind
  /** The program that calls, such as `Claude Code`; `Unknown` if it is none that we know. */
  readonly client: string
  readonly userAgent: string | undefined
  /** The client's own id for the session that this request belongs to, if it says one. */
  readonly clientSessionId: string | undefined
  /** The id of the tool call whose result this request brings: the interception that recorded the call is its parent. */
  readonly correlatingToolCallId: string | undefined
}

/** One attempt upstream is over, as far as its head: it was answered, or it failed. */
export interface AttemptEnded {
  readonly _tag: "AttemptEnded"
  readonly interceptionId: string
  readonly at: number
  /** From 1. */
  readonly number: number
  /** The masked form of the key. */
  readonly credentialHint: string
  /** The upstream's status; `undefined` if there was no answer. */
  readonly status: number | undefined
  /** Why there was none: a short and harmless code, such as `ECONNREFUSED`. */
  readonly failure: string | undefined
  /** From sending the request to the head of the answer, in milliseconds. */
  readonly duration: number
}

/** What the user has asked: the last message, if it is the user's own. */
export interface PromptUsage {
  readonly _tag: "PromptUsage"
  readonly interceptionId: string
  readonly at: number
  readonly messageId: string | undefined
  readonly text: string
}

/** What one upstream answer has cost. */
export interface TokenUsage {
  readonly _tag: "TokenUsage"
  readonly interceptionId: string
  readonly at: number
  readonly messageId: string | undefined
  readonly usage: Usage
  readonly quality: Exclude<UsageQuality, "none">
}

/** A tool that the model has called. */
export interface ToolUsage {
  readonly _tag: "ToolUsage"
  readonly interceptionId: string
  readonly at: number
  readonly messageId: string | undefined
  readonly call: ToolCall
  /** Whether it is one of the gateway's own, which runs there. */
  readonly injected: boolean
  /** Of an injected one. */
  readonly serverUrl: string | undefined
  /** Of an injected one, if the call has failed. */
  readonly error: string | undefined
}

/** What the model has thought aloud. */
export interface ModelThought {
  readonly _tag: "ModelThought"
  readonly interceptionId: string
  readonly at: number
  readonly messageId: string | undefined
  readonly thought: Thought
}

/** Exactly one for every started interception, and its last event. */
export interface InterceptionEnded {
  readonly _tag: "InterceptionEnded"
  readonly id: string
  readonly at: number
  readonly reason: EndReason
  /** The status that the client was answered with; `undefined` if it left before. */
  readonly status: number | undefined
  readonly attempts: number
  /** The masked form of the key of the last attempt; `undefined` if no key was tried. */
  readonly credentialHint: string | undefined
  /** How complete the usage is that was recorded. */
  readonly usageQuality: UsageQuality
}
