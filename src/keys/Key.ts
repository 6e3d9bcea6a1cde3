/** One centralized credential, as it is handed out. */
import type * as Redacted from "effect/Redacted"

/** A key of a pool. Two with the same index are the same key. */
export interface Key {
  /** Its place in the pool, from 0. */
  readonly index: number
  readonly value: Redacted.Redacted<string>
  /** The masked form for logs and records. */
  readonly hint: string
  /** A permanent key that was handed out to see whether it works again (`recheck`). */
  readonly isProbe: boolean
}
