/** One log line for a request that failed because of the upstream: nothing fails silently. */
import * as Effect from "effect/Effect"
import type { GatewayError } from "../domain/GatewayError.ts"
import type { UpstreamError } from "../domain/UpstreamError.ts"

/** Says what failed, with the short code or the detail if there is one, and these facts. */
export const log = (
  error: UpstreamError | GatewayError,
  facts: Readonly<Record<string, unknown>>
): Effect.Effect<void> =>
  Effect.annotateLogs(Effect.logWarning(error.message), {
    ...facts,
    ...("code" in error.reason && { code: error.reason.code }),
    ...("detail" in error.reason && { detail: error.reason.detail })
  })
