/** OpenTelemetry's names for calls of models (semantic conventions for generative AI). */
import type { InterceptionStarted } from "../domain/RecordEvent.ts"

/** What all three dialects do. */
export const operation = "chat"

/** The vendor by its well-known name, where there is one. */
export const providerOf = ({ providerType }: Pick<InterceptionStarted, "providerType">): string =>
  providerType === "bedrock" ? "aws.bedrock" : providerType
