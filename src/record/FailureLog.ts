/** One log line for an upstream that failed: nothing fails silently. */
import * as Effect from "effect/Effect"
import type { UpstreamError } from "../domain/UpstreamError.ts"

/** Says what failed, with the short code if there is one, and these facts. */
export const log = (error: UpstreamError, facts: Readonly<Record<string, unknown>>): Effect.Effect<void> =>
  Effect.annotateLogs(Effect.logWarning(error.message), {
    ...facts,
    ...("code" in error.reason && { code: error.reason.code })
  })
