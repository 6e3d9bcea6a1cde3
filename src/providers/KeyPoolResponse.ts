/** Exhaustion as an HTTP answer, the same for every provider but for the dialect's shape. */
import type { Dialect, ShapedResponse } from "../dialects/Dialect.ts"
import { retryAfter, shapeError } from "../dialects/Dialect.ts"
import type { KeyPoolError } from "../keys/KeyPoolError.ts"

/**
 * Transient: 429 with `Retry-After`. Permanent: 502 with `x-should-retry: false`,
 * because some clients would otherwise try again for minutes.
 */
export const make =
  (dialect: Dialect) =>
  (error: KeyPoolError): ShapedResponse => {
    switch (error.reason._tag) {
      case "TransientExhaustion":
        return shapeError(dialect, 429, error.message, retryAfter(error.reason.retryAfter))
      case "PermanentExhaustion":
        return shapeError(dialect, 502, error.message, { "x-should-retry": "false" })
    }
  }
