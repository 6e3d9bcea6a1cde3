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

/** Why a key is not valid. */
export type Why =
  /** An upstream has answered with this status. */
  | { readonly _tag: "Answered"; readonly status: number }
  /** An operator has set it aside. */
  | { readonly _tag: "Operator" }

/** What there is to say about a key to who looks after it. Instants are epoch milliseconds. */
export interface KeyStatus {
  readonly state: KeyState
  /** Of a key that is not valid, if it was said. */
  readonly why: Why | undefined
  /** When a permanent key is tried again by itself; `undefined`: never, or right now. */
  readonly recheckAt: number | undefined
}

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
