/** Exhaustion as an HTTP answer, the same for every provider but for the dialect's shape. */
import type { Dialect, ShapedResponse } from "../dialects/Dialect.ts"
import { shapeError } from "../dialects/Dialect.ts"
import type { KeyPoolError } from "../keys/KeyPoolError.ts"
import * as Duration from "effect/Duration"

/**
 * Transient: 429 with `Retry-After` (whole seconds, rounded up, at least 1). Permanent: 502 with `x-should-retry: false`,
 * because some clients would otherwise try again for minutes.
 */
export const make =
  (dialect: Dialect) =>
  (error: KeyPoolError): ShapedResponse => {
    switch (error.reason._tag) {
      case "TransientExhaustion": {
        const seconds = Math.max(1, Math.ceil(Duration.toSeconds(error.reason.retryAfter)))
        return shapeError(dialect, 429, error.message, { "retry-after": String(seconds) })
      }
      case "PermanentExhaustion":
        return shapeError(dialect, 502, error.message, { "x-should-retry": "false" })
    }
  }
