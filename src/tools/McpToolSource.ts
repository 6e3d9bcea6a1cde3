/** The tools of an MCP server, which may go away and come back at any time. */
import type { McpClientError } from "effect/ai/McpClientError"
import type * as McpSchema from "effect/ai/McpSchema"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import type * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Json from "../domain/Json.ts"
import * as Failure from "../domain/UpstreamError.ts"
import * as McpAddress from "./McpAddress.ts"
import type { McpConnection } from "./McpConnection.ts"
import * as Connection from "./McpConnection.ts"
import type { Away } from "./McpLink.ts"
import * as McpLink from "./McpLink.ts"
import * as McpResult from "./McpResult.ts"
import type { Patterns } from "./ToolFilter.ts"
import * as ToolFilter from "./ToolFilter.ts"
import type { Tool, ToolSource } from "./ToolSource.ts"
import { ToolError } from "./ToolSource.ts"

/** What holds for every server. */
export interface ServerOptions extends Patterns {
  /** In the names of its tools. */
  readonly name: string
  /** After which time its tools are listed again, also if it does not say that they have changed. Default 1 minute. */
  readonly refreshInterval?: Duration.Input
  /** Between attempts to reach it, which must not end. Default exponential, from 1 second to 30. */
  readonly retry?: Schedule.Schedule<unknown>
}

/** Over Streamable HTTP. */
export interface Options extends ServerOptions {
  /** Where it takes requests. A user and password in it are sent as `authorization`; records have it without them and its query. */
  readonly url: URL
  /** Sent with every request. Default none. */
  readonly headers?: Readonly<Record<string, Redacted.Redacted>>
}

/** A process on this machine. */
export interface StdioOptions extends ServerOptions {
  /** Started when the source is made, and again when it has ended. */
  readonly command: ChildProcess.Command
}

/**
 * Never waits for the server: its tools are there once it has been reached. While it cannot be reached, the last ones stay, so that
 * requests stay alike, and calls fail. Which revision of the protocol it understands is found out. Ends with the scope.
 */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<ToolSource, never, HttpClient.HttpClient | Scope.Scope> {
  const http = Connection.quiet(yield* HttpClient.HttpClient)
  const { shown, mask, ...address } = McpAddress.make(options.url, options.headers ?? {})
  return yield* sourceOf(options, {
    shown,
    mask,
    open: (leftOut) => Connection.openHttp({ ...address, http }, leftOut)
  })
})

/** The same of a server that is a process of its own, over its standard input and output. */
export const makeStdio = Effect.fnUntraced(function* (
  options: StdioOptions
): Effect.fn.Return<ToolSource, never, ChildProcessSpawner | Scope.Scope> {
  const spawner = yield* ChildProcessSpawner
  return yield* sourceOf(options, {
    shown: undefined,
    mask: (text) => text,
    open: (leftOut) => Connection.openStdio(options.command, spawner, leftOut)
  })
})

/** How a server is reached. */
interface Way {
  /** For records. */
  readonly shown: string | undefined
  /** Takes out of a text what is secret. */
  readonly mask: (text: string) => string
  readonly open: (leftOut: Connection.LeftOut) => Connection.Open
}

const sourceOf = Effect.fnUntraced(function* (
  options: ServerOptions,
  { shown, mask, open }: Way
): Effect.fn.Return<ToolSource, never, Scope.Scope> {
  const { name, retry = untilThirty, refreshInterval = "1 minute" } = options
  const filter = ToolFilter.make(options)
  const invalid = new Set<string>()
  const logged = new Set<string>()
  let tools: ReadonlyArray<Tool> = []
  let listed = "[]"

  const warnOfInvalid = Effect.suspend(() => {
    const fresh = Array.from(invalid).filter((tool) => !logged.has(tool))
    for (const tool of fresh) logged.add(tool)
    invalid.clear()
    return Effect.forEach(fresh, isInvalid, { discard: true })
  })

  const refresh = (connection: McpConnection) =>
    connection.tools.pipe(
      Effect.tap(warnOfInvalid),
      Effect.flatMap((all) => filter(sorted(all))),
      Effect.map((offered) => {
        const text = Json.print(offered.map((tool) => [tool.name, tool.description, tool.inputSchema])) ?? ""
        if (text === listed) return
        listed = text
        tools = offered.map(toTool)
      })
    )

  const link = yield* McpLink.make({
    open: open((tool) => void invalid.add(tool)),
    retry,
    refreshInterval,
    refresh,
    onThere: Effect.suspend(() => Effect.logInfo(`MCP server ${name} is there, with ${tools.length} tools`)),
    onAway: (error) => Effect.logWarning(`MCP server ${name} cannot be used: ${mask(reasonOf(error))}`)
  }).pipe(Effect.annotateLogs({ server: name }))

  const toTool = (tool: McpSchema.Tool): Tool => ({
    name: tool.name,
    description: tool.description,
    inputSchema: tool.inputSchema,
    call: (args) =>
      isRecord(args)
        ? link
            .use((connection) => connection.call(tool, args))
            .pipe(
              Effect.map(McpResult.toResult),
              Effect.catch((error) => failed(mask(messageOf(name, error))))
            )
        : failed("the arguments must be a JSON object")
  })

  return { name, url: shown, tools: () => tools }
})

const untilThirty = Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("30 seconds")])

const isInvalid = (tool: string) =>
  Effect.annotateLogs(Effect.logWarning("a tool is not valid, and not offered: are its arguments an object?"), { tool })

/** By name, each name once. */
const sorted = (tools: ReadonlyArray<McpSchema.Tool>): ReadonlyArray<McpSchema.Tool> => {
  const byName = new Map(tools.toReversed().map((tool) => [tool.name, tool]))
  return Array.from(byName.values()).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const failed = (message: string) => Effect.fail(new ToolError({ message }))

const messageOf = (server: string, error: McpClientError | Away): string => {
  if (error._tag === "Away") return `server ${server} cannot be reached`
  return error.reason._tag === "TransportError"
    ? `server ${server} cannot be reached or has broken off, so it is not known what the call has done`
    : `server ${server}: ${reasonOf(error)}`
}

// In the words of the server, where there are any.
const reasonOf = ({ reason }: McpClientError): string => {
  if (reason._tag === "TransportError") return `no connection (${codeOf(reason.cause)})`
  const text = reason._tag === "ProtocolError" ? (reason.description ?? reason.message) : reason.message
  return text.length > longest ? `${text.slice(0, longest)}...` : text
}

// Clients wrap the system's error several times.
const codeOf = (error: unknown, depth = 0): string => {
  const code = Failure.codeOf(error)
  const inner = Json.member(error, "reason") ?? Json.member(error, "cause")
  return code !== "UNKNOWN" || inner === undefined || depth > 5 ? code : codeOf(inner, depth + 1)
}

const longest = 1000
