/** The authenticated person or service on whose behalf a client calls. */

export interface Actor {
  /** Who it is: a token's name, or whatever the host's own `Authenticator` says. Goes where `metadata` goes. */
  readonly id: string
  /** Facts about the actor, for records and, where a provider has `sendActorHeaders`, for the upstream. Never secret. */
  readonly metadata: Readonly<Record<string, string>>
}

export const make = (id: string, metadata: Readonly<Record<string, string>> = {}): Actor => ({ id, metadata })

/** The actor of a gateway that runs open, without tokens. */
export const anonymous: Actor = make("anonymous")
