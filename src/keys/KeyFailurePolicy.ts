/** What an upstream refusal does to the key that was refused. */

/**
 * `permanent`: set aside until an operator acts. `cooldown`: rests as after a rate limit. `ignore`: the answer is relayed
 * and the key stays as it is.
 */
export type Reaction = "permanent" | "cooldown" | "ignore"

/** The reactions of one provider. */
export interface KeyFailurePolicy {
  /** 401 from upstream. Default `permanent`. */
  readonly unauthorized: Reaction
  /** 403 from upstream. Default `permanent`. */
  readonly forbidden: Reaction
  /** 429 from upstream. Default `cooldown`; `ignore` is for the caller's own key, which has no next one. */
  readonly rateLimited: "cooldown" | "ignore"
}

/** The default: whoever is refused is set aside. */
export const strict: KeyFailurePolicy = { unauthorized: "permanent", forbidden: "permanent", rateLimited: "cooldown" }

/** For upstreams that answer 401 in passing, and 403 about one request rather than about the key. */
export const lenient: KeyFailurePolicy = { ...strict, unauthorized: "cooldown", forbidden: "ignore" }

/** Nothing an upstream answers says anything about the key. */
export const none: KeyFailurePolicy = { unauthorized: "ignore", forbidden: "ignore", rateLimited: "ignore" }
