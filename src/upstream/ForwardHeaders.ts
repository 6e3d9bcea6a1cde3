/** Which headers pass the gateway, in either direction: all end-to-end ones, but those that are nobody's business. */
import * as Redacted from "effect/Redacted"
import { holdsSecret } from "../domain/Credential.ts"
import type { RequestHeaders, ResponseHeaders } from "../domain/HeaderRecord.ts"
import { hopByHop, namedByConnection } from "../domain/HeaderRecord.ts"

/**
 * A client's headers for the upstream. Never hop-by-hop headers (RFC 9110 section 7.6.1), `host` and `content-length` (the
 * client upstream sets them), cookies, forwarding headers, credentials (the chosen one is added per attempt) or our own, and
 * the trace context (W3C) only if it is wanted.
 *
 * @param shown the credential for the gateway: wherever else it stands, it goes no further
 */
export const forRequest = (
  headers: RequestHeaders,
  shown?: Redacted.Redacted<string>,
  propagatesTrace = false
): Record<string, string> => {
  const secret = shown && Redacted.value(shown)
  const named = namedByConnection(headers)
  const out: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || stripped.has(name) || named.has(name) || isForwarding(name) || isOurs(name)) continue
    if (!propagatesTrace && (name === "traceparent" || name === "tracestate")) continue
    if (secret !== undefined && holdsSecret(value, secret)) continue
    out[name] = value
  }
  out["user-agent"] ??= "aibridge"
  return out
}

/**
 * An upstream's headers for the client: request ids, rate limits and `retry-after` included. Never hop-by-hop headers,
 * `set-cookie`, or ours: what we say of a request is not another gateway's to say. A repeated header that `writeRepeated` does not take is joined.
 */
export const forResponse = (
  headers: ResponseHeaders,
  writeRepeated: (name: string, values: ReadonlyArray<string>) => boolean = () => false
): Record<string, string> => {
  const named = namedByConnection(headers)
  const out: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || name === "set-cookie" || hopByHop.has(name) || named.has(name)) continue
    if (name.startsWith("x-aibridge-")) continue
    if (typeof value === "string") out[name] = value
    else if (!writeRepeated(name, value)) out[name] = value.join(", ")
  }
  return out
}

const stripped: ReadonlySet<string> = new Set([
  ...hopByHop,
  "authorization",
  "cf-connecting-ip",
  "content-length",
  "cookie",
  "expect",
  "forwarded",
  "host",
  "true-client-ip",
  "via",
  "x-api-key",
  "x-client-ip",
  "x-real-ip"
])

const isForwarding = (name: string): boolean => name.startsWith("x-forwarded-")

const isOurs = (name: string): boolean => name.startsWith("x-aibridge-") || name.startsWith("x-ai-bridge-actor")
