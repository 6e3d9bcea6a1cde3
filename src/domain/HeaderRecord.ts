/** HTTP headers as plain records with lower-case names: what both the server and the upstream clients speak natively. */

/** Headers to send. */
export type RequestHeaders = Readonly<Record<string, string>>

/** Headers received; a repeated header keeps its values apart. */
export type ResponseHeaders = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

/** The first value of a header, trimmed; `undefined` if it is absent or blank. */
export const first = (headers: ResponseHeaders, name: string): string | undefined => {
  const value = headers[name]
  const text = (typeof value === "string" ? value : value?.[0])?.trim()
  return text === "" ? undefined : text
}

/** Whether an answer is a readable stream of server-sent events; a compressed one is not, nor an error that only says so. */
export const isEventStream = (status: number, headers: ResponseHeaders): boolean => {
  if (status >= 300) return false
  const type = headers["content-type"]
  const encoding = headers["content-encoding"] ?? "identity"
  return typeof type === "string" && /^text\/event-stream/i.test(type) && encoding === "identity"
}

/**
 * Headers that are valid for one connection only and never forwarded, besides those that `Connection` names
 * (RFC 9110 section 7.6.1).
 */
export const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

/** The further header names that a `Connection` header makes hop-by-hop. */
export const namedByConnection = (headers: ResponseHeaders): ReadonlySet<string> => {
  const connection = headers["connection"]
  if (connection === undefined || connection === "keep-alive" || connection === "close") return empty
  const values = typeof connection === "string" ? connection : connection.join(",")
  return new Set(values.split(",").map((name) => name.trim().toLowerCase()))
}

const empty: ReadonlySet<string> = new Set()
