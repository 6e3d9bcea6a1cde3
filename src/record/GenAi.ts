/** OpenTelemetry's names for calls of models (semantic conventions for generative AI). */
import type { InterceptionStarted } from "../domain/RecordEvent.ts"
import type { Usage } from "../domain/Usage.ts"

/** What all three dialects do. */
export const operation = "chat"

/** The vendor by its well-known name, where there is one. */
export const providerOf = ({ providerType }: Pick<InterceptionStarted, "providerType">): string =>
  providerType === "bedrock" ? "aws.bedrock" : providerType

/** What was read from a cache or written to it is input, too. */
export const inputOf = ({ input, cacheRead, cacheWrite }: Usage): number => input + cacheRead + cacheWrite
