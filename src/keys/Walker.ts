/** One upstream call's pass over a key pool: from index 0, each key at most once. */
import type * as Effect from "effect/Effect"
import type { Key } from "./KeyPool.ts"
import type { KeyPoolError } from "./KeyPoolError.ts"

/** Not to be shared between concurrent calls. Walkers of one pool see each other's marks at once, never their positions. */
export interface Walker {
  /**
   * The next key that is valid at this moment. A key that was passed never comes again, even if its rest ends during the
   * walk. Fails with `KeyPoolError` when none is left.
   */
  readonly next: Effect.Effect<Key, KeyPoolError>
  /** How many keys it has handed out. */
  readonly attempts: () => number
}
