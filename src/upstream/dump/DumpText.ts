/** How a dump reads: heads of requests and answers as HTTP writes them, secrets masked, and names that are safe for files. */
import * as Redacted from "effect/Redacted"
import { STATUS_CODES } from "node:http"
import { hint, holdsSecret } from "../../domain/Credential.ts"
import type { ResponseHeaders } from "../../domain/HeaderRecord.ts"
import type { UpstreamError } from "../../domain/UpstreamError.ts"
import type { Attempt, RequestFacts } from "../ApiDump.ts"
import type { UpstreamRequest, UpstreamResponse } from "../Upstream.ts"

/**
 * Up to the blank line. Has `host`, which the client upstream sets, and the length of the body as it is shown.
 *
 * @param length of the shown body, in bytes; `undefined` if there is none
 */
export const requestHead = (
  { method, origin, path, headers }: Omit<UpstreamRequest, "body">,
  length: number | undefined,
  secret: Redacted.Redacted<string>
): string => {
  const host = origin.slice(origin.indexOf("//") + 2)
  const override = { host, ...(length !== undefined && { "content-length": String(length) }) }
  return `${method} ${shown(path, secret)} HTTP/1.1\r\n${headerLines(headers, secret, override)}\r\n`
}

/** Up to the blank line. Without `transfer-encoding`: the body is shown as it comes out of it. */
export const responseHead = (
  { status, headers }: Pick<UpstreamResponse, "status" | "headers">,
  secret: Redacted.Redacted<string>
): string => {
  const { "transfer-encoding": _, ...others } = headers
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${headerLines(others, secret)}\r\n`
}

/**
 * One line for each value, sorted by name. Masked are the values of headers that hold credentials, and whatever holds the key
 * that was used.
 *
 * @param override what stands in place of these headers, or is added
 */
export const headerLines = (
  headers: ResponseHeaders,
  secret: Redacted.Redacted<string>,
  override: Readonly<Record<string, string>> = {}
): string =>
  Object.entries({ ...headers, ...override })
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, value]) => [value ?? []].flat().map((each) => `${name}: ${masked(name, each, secret)}\r\n`))
    .join("")

/** What a failure is called, with its code if it has one. */
export const failure = ({ message, reason }: UpstreamError): string => {
  const code = "code" in reason ? reason.code : ""
  return message.includes(code) ? `${message}\n` : `${message} (${code})\n`
}

/** A request target without the key that was used, wherever it stands. */
export const shown = (target: string, secret: Redacted.Redacted<string>): string => {
  const key = Redacted.value(secret)
  return key.length >= 8 ? target.replaceAll(key, hint(key)) : target
}

/**
 * The name of a file or directory out of what a client has chosen: of letters, digits and a few others, at most 100, with no
 * dots at its beginning or in a row, so that it cannot lead anywhere else.
 */
export const segment = (name: string): string =>
  name
    .slice(0, 100)
    .replace(/[^\w.+@=,-]/g, "-")
    .replace(/^\.+|\.{2,}/g, (dots) => "-".repeat(dots.length)) || "-"

/** Where the files of an attempt are: a directory and the beginning of their names. */
export const place = (
  { interception }: RequestFacts,
  { request, secret }: Attempt,
  { begun, random, number }: { readonly begun: number; readonly random: string; readonly number: number }
): readonly [directory: string, stem: string] => {
  if (interception !== undefined) {
    return [segment(interception.model), `${begun}-${segment(interception.id)}-${number}`]
  }
  const [path = ""] = shown(request.path, secret).split("?")
  return ["passthrough", `${begun}-${segment(path.replace(/^\/+/, ""))}-${random}-${number}`]
}

const masked = (name: string, value: string, secret: Redacted.Redacted<string>): string =>
  sensitive.test(name) || holdsSecret(value, Redacted.value(secret)) ? hint(value) : value

// Whatever is called so, be it a provider's, a proxy's or the gateway's own.
const sensitive = /auth|cookie|credential|key|password|secret|signature|token(?!s)/i
