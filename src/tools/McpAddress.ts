/** Where an MCP server is and what it is sent, and how to say neither. */
import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"

export interface McpAddress {
  /** Where requests go, without a user and password. */
  readonly url: string
  /** Sent with each, by their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** For records: without what may be secret. */
  readonly shown: string
  /** A text in which nothing is left of what is secret. */
  readonly mask: (text: string) => string
}

export const make = (url: URL, headers: Readonly<Record<string, Redacted.Redacted>>): McpAddress => {
  const bare = new URL(url)
  bare.username = bare.password = bare.hash = ""
  const shown = new URL(bare)
  shown.search = ""
  const own = url.username + url.password === "" ? {} : { authorization: basic(url) }
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), Redacted.value(value)] as const)
  const sent: Readonly<Record<string, string>> = { ...own, ...Object.fromEntries(given) }
  const values = [...Object.values(sent), ...url.searchParams.values(), decoded(url.password), url.password]
  // A server may repeat a token without its scheme.
  const secrets = [...values, ...values.flatMap((value) => value.split(" "))].filter(({ length }) => length > 3)
  return {
    url: bare.href,
    headers: sent,
    shown: shown.href,
    mask: (text) => secrets.reduce((left, secret) => left.replaceAll(secret, "<secret>"), text)
  }
}

const basic = ({ username, password }: URL) => `Basic ${Base64.encode(`${decoded(username)}:${decoded(password)}`)}`

const decoded = (text: string): string =>
  Result.getOrElse(
    Result.try(() => decodeURIComponent(text)),
    () => text
  )
