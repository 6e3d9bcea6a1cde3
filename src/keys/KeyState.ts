/** What a key's marks and the clock say about the key. Nothing runs in the background: the state is computed on every read. */

/** What is stored about a key. Instants are epoch milliseconds. */
export interface Marks {
  readonly permanent: boolean
  /** The key rests until this instant; at the instant itself it is valid again. 0 = never rested. */
  readonly cooldownUntil: number
}

/** What a key is at one moment. */
export type KeyState =
  | { readonly _tag: "Valid" }
  /** Resting until an instant (epoch milliseconds). */
  | { readonly _tag: "Temporary"; readonly until: number }
  /** Refused until an operator acts, or a probing request succeeds. */
  | { readonly _tag: "Permanent" }

/** Usable. */
export const valid: KeyState = { _tag: "Valid" }

/** Set aside. */
export const permanent: KeyState = { _tag: "Permanent" }

/** Resting until an instant (epoch milliseconds). */
export const temporary = (until: number): KeyState => ({ _tag: "Temporary", until })

/** `permanent` wins over a running cooldown. */
export const derive = (marks: Marks, now: number): KeyState => {
  if (marks.permanent) return permanent
  return now < marks.cooldownUntil ? temporary(marks.cooldownUntil) : valid
}
