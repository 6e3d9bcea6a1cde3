/** Further headers for one provider, which go upstream with every request to it: which may be set, and what they are set to. */
import * as Redacted from "effect/Redacted"
import { hopByHop } from "../domain/HeaderRecord.ts"

/** One header as it was written down. */
export type ExtraHeader = readonly [name: string, value: Redacted.Redacted<string>]

/**
 * Why these headers cannot be sent, if they cannot. Says which one by its place, never a value.
 *
 * @param isReserved whether a name, in lower case, is one that the vendor has for credentials or signatures
 * @param hasKeys whether credentials have a setting of their own
 */
export const problem = (
  headers: ReadonlyArray<ExtraHeader>,
  isReserved: (name: string) => boolean = () => false,
  hasKeys = true
): string | undefined => {
  const seen = new Set<string>()
  for (const [index, [written, value]] of headers.entries()) {
    const name = written.toLowerCase()
    const wrong = !namePattern.test(name)
      ? "has a name that no header can have"
      : seen.has(name)
        ? `repeats the header ${name}`
        : (reason(name, hasKeys) ?? (isReserved(name) ? `sets ${name}, the vendor's own` : undefined))
    if (wrong !== undefined) return `entry at index ${index} ${wrong}`
    if (!valuePattern.test(Redacted.value(value))) {
      return `entry at index ${index} has no value for ${name}, or one with a line break or a character outside ASCII`
    }
    seen.add(name)
  }
  return undefined
}

/** The headers as they are sent, by their names in lower case. */
export const resolve = (headers: ReadonlyArray<ExtraHeader>): ReadonlyArray<ExtraHeader> =>
  headers.map(([name, value]) => [name.toLowerCase(), value])

/** Puts them among the headers of a request, in place of others of these names. */
export const add = (headers: Record<string, string>, extra: ReadonlyArray<ExtraHeader>): void => {
  for (const [name, value] of extra) headers[name] = Redacted.value(value)
}

// RFC 9110 sections 5.6.2 and 5.5.
const namePattern = /^[-!#$%&'*+.^_`|~\da-z]+$/
const valuePattern = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/

const reason = (name: string, hasKeys: boolean): string | undefined => {
  if (hopByHop.has(name)) return `sets ${name}, which holds for one connection only`
  if (ofMessage.has(name)) return `sets ${name}, which belongs to the message itself`
  if (hasKeys && ofCredentials.has(name)) return `sets ${name}, where the provider's key goes: use keys`
  if (name.startsWith("x-aibridge-") || name.startsWith("x-ai-bridge-actor")) return `sets ${name}, the gateway's own`
  return undefined
}

// What says how long a body is, what is in it and how it may come back is known where the message is made.
const ofMessage: ReadonlySet<string> = new Set([
  "accept-encoding",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host"
])

const ofCredentials: ReadonlySet<string> = new Set(["authorization", "x-api-key"])
