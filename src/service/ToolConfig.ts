/** The settings of the gateway's own tools: the MCP servers they come from, and how far a request may go with them. */
import type * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as GatewayOptions from "../GatewayOptions.ts"
import type { ExtraHeader } from "../providers/ExtraHeaders.ts"
import * as ExtraHeaders from "../providers/ExtraHeaders.ts"
import type { Config } from "./ConfigSchema.ts"
import type { ConfigSource, Path } from "./ConfigSource.ts"
import { headersWith } from "./ExtraHeadersConfig.ts"
import * as Setting from "./Setting.ts"
import type { Reading } from "./Setting.ts"

export interface ToolConfig {
  /** `AIBRIDGE_MCP_<N>_...`, N from 0. None: requests are not touched. */
  readonly servers: ReadonlyArray<McpServer>
  /** `AIBRIDGE_TOOL_ITERATIONS`. Default 10. */
  readonly iterations: number
  /** `AIBRIDGE_TOOL_TIMEOUT`: of one call. Default 60 seconds. */
  readonly timeout: Duration.Duration
  /** `AIBRIDGE_TOOL_RESULT_SIZE`, in bytes. Default 1 MiB. */
  readonly resultSize: number
}

/** The settings of one server, by the end of their variables' names. */
export interface McpServer {
  /** `_NAME`. */
  readonly name: string
  /** `_URL`, which is one. May hold a password, or a key in its query. */
  readonly url: string
  /** `_HEADERS`: `name=value`, comma-separated. Default none. */
  readonly headers: ReadonlyArray<ExtraHeader>
  /** `_ALLOW`: regular expressions, in a variable one. Default all tools. */
  readonly allow: ReadonlyArray<string>
  /** `_DENY`, the same. Default none. */
  readonly deny: ReadonlyArray<string>
}

export const name = Setting.textAs((value): Reading<string> =>
  /^[\w-]{1,32}$/.test(value)
    ? Result.succeed(value)
    : Result.fail("must be at most 32 letters of a to z, digits, hyphens and underscores")
)

export const url = Setting.textAs((value): Reading<string> => {
  const protocol = URL.parse(value)?.protocol
  return protocol === "http:" || protocol === "https:"
    ? Result.succeed(value)
    : Result.fail("must be a URL, such as https://mcp.example/mcp")
})

/** A server has no keys: its credential is a header. */
export const headers = headersWith((found) => ExtraHeaders.problem(found, undefined, false))

/** A text is one pattern, which may hold commas. */
export const patterns = Setting.setting(
  Schema.Union([Schema.Array(Schema.String), Schema.String]),
  (written): Reading<ReadonlyArray<string>> => {
    const all = typeof written === "string" ? [written.trim()] : written
    const wrong = all.findIndex((pattern) => pattern === "" || Result.isFailure(Result.try(() => toPattern(pattern))))
    return wrong < 0 ? Result.succeed(all) : Result.fail(`entry at index ${wrong} is no regular expression`)
  },
  "must be a regular expression, or a list of them"
)

/** Throws if it is none. */
export const toPattern = (pattern: string): RegExp => new RegExp(pattern, "u")

export const resolve = (config: Config, source: ConfigSource): ToolConfig => ({
  servers: resolveServers(config, source),
  iterations: config.toolIterations ?? GatewayOptions.defaults.maximumToolIterations,
  timeout: config.toolTimeout ?? GatewayOptions.defaults.toolTimeout,
  resultSize: config.toolResultSize ?? GatewayOptions.defaults.maximumToolResultBytes
})

const resolveServers = ({ mcpServers = [] }: Config, source: ConfigSource): ReadonlyArray<McpServer> => {
  const names = new Map<string, Path>()
  return mcpServers.flatMap((settings, index) => {
    const path: Path = ["mcpServers", index]
    const { allow = [], deny = [], headers: extra = [] } = settings
    for (const field of ["name", "url"] as const) {
      const place = [...path, field]
      const isMissing =
        settings[field] === undefined && !source.hasProblem(place) && !source.hasProblem([...path, "name"])
      if (isMissing) source.problem(place, `${field.toUpperCase()} is required`)
    }
    if (settings.name === undefined || settings.url === undefined) return []
    const other = names.get(settings.name)
    if (other === undefined) names.set(settings.name, path)
    else source.problem([...path, "name"], `duplicate NAME "${settings.name}", ${source.nameOf(other)} has it too`)
    return [{ name: settings.name, url: settings.url, headers: extra, allow, deny }]
  })
}
