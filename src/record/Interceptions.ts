/** What was recorded of interceptions, read back. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Actor } from "../domain/Actor.ts"
import type { CredentialKind } from "../domain/Credential.ts"
import type { EndReason } from "../domain/Interception.ts"
import type { AttemptEnded, ModelThought, PromptUsage, TokenUsage, ToolUsage } from "../domain/RecordEvent.ts"
import type { Usage, UsageQuality } from "../domain/Usage.ts"

/** Reads what a recorder has kept. */
export class Interceptions extends Context.Service<
  Interceptions,
  {
    /** The latest ones first. */
    readonly list: (filter: Filter, paging?: Paging) => Effect.Effect<Page, InterceptionsError>
    /** `undefined` if there is none with this id. */
    readonly get: (id: string) => Effect.Effect<Details | undefined, InterceptionsError>
    /** By day, the latest first, then by actor and model. */
    readonly sums: (filter: Filter) => Effect.Effect<ReadonlyArray<Sum>, InterceptionsError>
  }
>()("effect-aibridge/record/Interceptions") {}

/** Those for which all of this holds. */
export interface Filter {
  /** The actor's id. */
  readonly actor?: string | undefined
  readonly client?: string | undefined
  /** The client's own id of the session. */
  readonly session?: string | undefined
  readonly model?: string | undefined
  /** Started at this instant or later, in epoch milliseconds. */
  readonly from?: number | undefined
  /** Started before this instant, in epoch milliseconds. */
  readonly to?: number | undefined
}

export interface Paging {
  /** `next` of the page before; the first page without it. */
  readonly cursor?: string | undefined
  /** From 1 to 200; what is beyond is taken as the nearest. Default 50. */
  readonly limit?: number | undefined
}

export interface Page {
  readonly interceptions: ReadonlyArray<Summary>
  /** The cursor of the next page; `undefined` if this one is the last. */
  readonly next: string | undefined
}

/** One interception. Instants are epoch milliseconds. */
export interface Summary {
  readonly id: string
  readonly startedAt: number
  readonly actor: Actor
  readonly provider: string
  readonly providerType: string
  readonly endpoint: string
  readonly model: string
  readonly stream: boolean
  readonly credentialKind: CredentialKind
  readonly client: string
  readonly userAgent: string | undefined
  readonly clientSessionId: string | undefined
  readonly correlatingToolCallId: string | undefined
  /** How it ended; `undefined` as long as it has not. */
  readonly end: End | undefined
}

export interface End {
  readonly at: number
  readonly reason: EndReason
  /** The status that the client was answered with. */
  readonly status: number | undefined
  readonly attempts: number
  readonly credentialHint: string | undefined
  readonly usageQuality: UsageQuality
  /** The interception that recorded the tool call whose result this one brought. */
  readonly parentId: string | undefined
  /** The first one of the thread; its own id if it is that itself. */
  readonly rootId: string
}

/** One interception with all that happened in it, in order. */
export interface Details extends Summary {
  readonly attempts: ReadonlyArray<AttemptEnded>
  readonly prompts: ReadonlyArray<PromptUsage>
  readonly tokens: ReadonlyArray<TokenUsage>
  readonly tools: ReadonlyArray<ToolUsage>
  readonly thoughts: ReadonlyArray<ModelThought>
}

/** What an actor has used of a model on a day. */
export interface Sum extends Omit<Usage, "extra"> {
  readonly actor: string
  readonly model: string
  /** When the interceptions started, in UTC: `2026-11-30`. */
  readonly day: string
  /** How many there were, those without tokens included. */
  readonly interceptions: number
}

/** The database does not answer, or there is none. */
export class Unavailable extends Schema.TaggedClass<Unavailable>()("Unavailable", { detail: Schema.String }) {}

/** A cursor that no page has given. */
export class BadCursor extends Schema.TaggedClass<BadCursor>()("BadCursor", {}) {}

/** Nothing can be read, and why. */
export class InterceptionsError extends Schema.TaggedError<InterceptionsError>()("InterceptionsError", {
  reason: Schema.Union([Unavailable, BadCursor])
}) {
  override get message(): string {
    switch (this.reason._tag) {
      case "Unavailable":
        return `records cannot be read: ${this.reason.detail}`
      case "BadCursor":
        return "the cursor is none that a list has given"
    }
  }
}

/** Nothing to read from. */
export const unavailable = (detail: string): InterceptionsError =>
  new InterceptionsError({ reason: new Unavailable({ detail }) })

export const badCursor: InterceptionsError = new InterceptionsError({ reason: new BadCursor({}) })
