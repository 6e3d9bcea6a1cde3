/** What happens in an interception, as data for a `Recorder`. Instants are epoch milliseconds. */
import type { Actor } from "./Actor.ts"
import type { CredentialKind } from "./Credential.ts"
import type { EndReason } from "./Interception.ts"

/** The closed union of what can be recorded. */
export type RecordEvent = InterceptionStarted | InterceptionEnded

/** A bridged request was accepted; nothing has been sent upstream yet. */
export interface InterceptionStarted {
  readonly _tag: "InterceptionStarted"
  readonly id: string
  readonly at: number
  readonly actor: Actor
  /** The provider instance's name. */
  readonly provider: string
  readonly model: string
  readonly stream: boolean
  readonly credentialKind: CredentialKind
  /** The program that calls, such as `Claude Code`; `Unknown` if it is none that we know. */
  readonly client: string
  readonly userAgent: string | undefined
  /** The client's own id for the session that this request belongs to, if it says one. */
  readonly clientSessionId: string | undefined
}

/** Exactly one for every started interception. */
export interface InterceptionEnded {
  readonly _tag: "InterceptionEnded"
  readonly id: string
  readonly at: number
  readonly reason: EndReason
  readonly attempts: number
  /** The masked form of the key of the last attempt; `undefined` if no key was tried. */
  readonly credentialHint: string | undefined
}
