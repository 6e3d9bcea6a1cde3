/** On whose behalf a request is made, as headers for an upstream that wants to know: a further gateway, say. */
import type { Actor } from "../domain/Actor.ts"

/**
 * `x-ai-bridge-actor-id`, and `x-ai-bridge-actor-metadata-<key>` for each fact. A value that a header
 * cannot carry, or that has a percent sign, is percent-encoded (UTF-8, RFC 3986 section 2.1), so that all can be decoded; in a
 * name such a character becomes a hyphen.
 */
export const of = (actor: Actor): Record<string, string> => {
  const headers: Record<string, string> = { "x-ai-bridge-actor-id": toValue(actor.id) }
  for (const [key, value] of Object.entries(actor.metadata)) {
    headers[`x-ai-bridge-actor-metadata-${key.toLowerCase().replace(notToken, "-")}`] = toValue(value)
  }
  return headers
}

// RFC 9110 section 5.6.2.
const notToken = /[^-!#$%&'*+.^_`|~\da-z]/g

const toValue = (text: string): string =>
  /^(?! )[\x20-\x24\x26-\x7e]*(?<! )$/.test(text) ? text : encodeURIComponent(text.toWellFormed())
