/** The tools of an MCP server, which may go away and come back at any time. */
import type { McpClientError } from "effect/ai/McpClientError"
import type * as McpSchema from "effect/ai/McpSchema"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as Latch from "effect/Latch"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Json from "../domain/Json.ts"
import * as Failure from "../domain/UpstreamError.ts"
import type { McpConnection, Server } from "./McpConnection.ts"
import * as Connection from "./McpConnection.ts"
import * as McpResult from "./McpResult.ts"
import type { Patterns } from "./ToolFilter.ts"
import * as ToolFilter from "./ToolFilter.ts"
import type { Tool, ToolSource } from "./ToolSource.ts"
import { ToolError } from "./ToolSource.ts"

export interface Options extends Patterns {
  /** In the names of its tools. */
  readonly name: string
  /** Where it takes requests. A user and password in it are sent as `authorization`; records have it without them and its query. */
  readonly url: URL
  /** Sent with every request. Default none. */
  readonly headers?: Readonly<Record<string, Redacted.Redacted>>
  /** After which time its tools are listed again, also if it does not say that they have changed. Default 1 minute. */
  readonly refreshInterval?: Duration.Input
  /** Between attempts to reach it. Default exponential, from 1 second to 30. */
  readonly retry?: Schedule.Schedule<unknown>
}

/**
 * Never waits for the server: its tools are there once it has been reached. While it cannot be reached, the last ones stay, so that
 * requests stay alike, and calls fail. Which revision of the protocol it understands is found out. Ends with the scope.
 */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<ToolSource, never, HttpClient.HttpClient | Scope.Scope> {
  const { name, retry = untilThirty, refreshInterval = "1 minute" } = options
  const { server, url, without } = serverOf(options, Connection.quiet(yield* HttpClient.HttpClient))
  // Closes only when nothing uses them any more: what is forked below ends before.
  const connections = yield* Scope.fork(yield* Effect.scope)
  const filter = ToolFilter.make(options)
  const leftOut = new Set<string>()
  const wake = Latch.makeUnsafe()
  let state: State = { _tag: "Connecting", done: Deferred.makeUnsafe() }
  let preferred: Connection.Protocol = Connection.protocols[0]
  let tools: ReadonlyArray<Tool> = []
  let listed = "[]"

  const become = (next: State) => {
    const last = state
    state = next
    if (last._tag === "Connecting") Deferred.doneUnsafe(last.done, Exit.void)
  }

  const open = Effect.fnUntraced(function* (protocol: Connection.Protocol): Effect.fn.Return<Held, McpClientError> {
    const own = yield* Scope.fork(connections)
    const opened = Connection.open({ ...server, leftOut: (tool) => void invalid.add(tool) }, protocol)
    const connection = yield* Scope.provide(opened, own).pipe(Effect.onError(() => Scope.close(own, Exit.void)))
    preferred = protocol
    return { connection, scope: own, calls: 0, idle: undefined }
  })
  const invalid = new Set<string>()
  const other = () => (preferred === Connection.protocols[0] ? Connection.protocols[1] : Connection.protocols[0])
  const openEither = Effect.suspend(() => Effect.catchIf(open(preferred), Connection.isRefusal, () => open(other())))

  const refresh = ({ connection }: Held) =>
    connection.tools.pipe(
      Effect.tap(() => {
        const fresh = Array.from(invalid).filter((tool) => !leftOut.has(tool))
        for (const tool of fresh) leftOut.add(tool)
        invalid.clear()
        return Effect.forEach(fresh, warnOfInvalid, { discard: true })
      }),
      Effect.flatMap((all) => filter(sorted(all))),
      Effect.map((offered) => {
        const text = Json.print(
          offered.map(({ name: tool, description, inputSchema }) => [tool, description, inputSchema])
        )
        if (text === listed) return
        listed = text ?? ""
        tools = offered.map(toTool)
      })
    )

  const connect = openEither.pipe(
    Effect.tap((held) => Effect.onError(refresh(held), () => Scope.close(held.scope, Exit.void))),
    Effect.tapError((error) => {
      if (state._tag === "Away") return Effect.void
      become({ _tag: "Away" })
      return Effect.logWarning(`MCP server ${name} cannot be used: ${without(reasonOf(error))}`)
    }),
    Effect.retry(retry),
    Effect.tap((held) => {
      const isNews = state._tag === "Away" || !wasThere
      wasThere = true
      become({ _tag: "Connected", held })
      return isNews ? Effect.logInfo(`MCP server ${name} is there, with ${tools.length} tools`) : Effect.void
    })
  )
  let wasThere = false

  const watch = (held: Held) =>
    Effect.raceFirst(wake.await, Effect.sleep(refreshInterval)).pipe(
      Effect.andThen(Effect.sync(() => wake.closeUnsafe())),
      Effect.andThen(Effect.suspend(() => (isCurrent(held) ? refresh(held) : Effect.void))),
      // However often a server says that its tools have changed.
      Effect.andThen(Effect.sleep("100 millis")),
      Effect.repeat({ while: () => isCurrent(held) }),
      Effect.ignore,
      Effect.ensuring(Effect.sync(() => expire(held)))
    )
  const isCurrent = (held: Held) => state._tag === "Connected" && state.held === held
  const expire = (held: Held) => {
    if (isCurrent(held)) become({ _tag: "Connecting", done: Deferred.makeUnsafe() })
    wake.openUnsafe()
  }
  const changed = Effect.sync(() => void wake.openUnsafe())

  yield* connect.pipe(
    Effect.flatMap((held) =>
      Effect.raceFirst(watch(held), Effect.andThen(held.connection.listen(changed, retry), Effect.never)).pipe(
        Effect.andThen(Effect.forkIn(retire(held), connections))
      )
    ),
    Effect.forever,
    Effect.annotateLogs({ server: name }),
    Effect.forkScoped
  )

  const connected: Effect.Effect<Held, ToolError> = Effect.suspend(() => {
    switch (state._tag) {
      case "Connected":
        return Effect.succeed(state.held)
      case "Connecting":
        return Effect.andThen(Deferred.await(state.done), connected)
      case "Away":
        return failed(`server ${name} cannot be reached`)
    }
  })

  const toTool = (tool: McpSchema.Tool): Tool => {
    const send = (args: Readonly<Record<string, unknown>>) => (held: Held) =>
      during(held, held.connection.call(tool, args))
    return {
      name: tool.name,
      description: tool.description,
      inputSchema: tool.inputSchema,
      call: (args) => {
        if (!isRecord(args)) return failed("the arguments must be a JSON object")
        return Effect.flatMap(connected, (held) =>
          Effect.catchIf(send(args)(held), isExpired, () => {
            expire(held)
            return Effect.flatMap(connected, send(args))
          })
        ).pipe(
          Effect.map(McpResult.toResult),
          Effect.catchTag("McpClientError", (error) => {
            if (isUnreachable(error)) wake.openUnsafe()
            return failed(without(messageOf(name, error)))
          })
        )
      }
    }
  }

  return { name, url, tools: () => tools }
})

/** A connection, and what still uses it. */
interface Held {
  readonly connection: McpConnection
  readonly scope: Scope.Closeable
  calls: number
  /** Done when the last call ends, if something waits for it. */
  idle: Deferred.Deferred<void> | undefined
}

type State =
  | { readonly _tag: "Connecting"; readonly done: Deferred.Deferred<void> }
  | { readonly _tag: "Connected"; readonly held: Held }
  | { readonly _tag: "Away" }

const untilThirty = Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("30 seconds")])

const during = <A, E>(held: Held, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.acquireUseRelease(
    Effect.sync(() => void held.calls++),
    () => effect,
    () =>
      Effect.sync(() => {
        held.calls--
        if (held.calls === 0 && held.idle !== undefined) Deferred.doneUnsafe(held.idle, Exit.void)
      })
  )

/** Closes it when its calls have ended. */
const retire = (held: Held): Effect.Effect<void> =>
  Effect.suspend(() => {
    held.idle = Deferred.makeUnsafe()
    const ended = held.calls === 0 ? Effect.void : Deferred.await(held.idle)
    return Effect.andThen(ended, Scope.close(held.scope, Exit.void))
  })

const warnOfInvalid = (tool: string) =>
  Effect.annotateLogs(Effect.logWarning("a tool is not valid, and not offered: are its arguments an object?"), { tool })

/** By name, each name once. */
const sorted = (tools: ReadonlyArray<McpSchema.Tool>): ReadonlyArray<McpSchema.Tool> => {
  const byName = new Map(tools.toReversed().map((tool) => [tool.name, tool]))
  return Array.from(byName.values()).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const failed = (message: string) => Effect.fail(new ToolError({ message }))

const isExpired = (error: ToolError | McpClientError): error is McpClientError =>
  error._tag === "McpClientError" && error.reason._tag === "ClosedError" && error.reason.sessionExpired === true

const isUnreachable = ({ reason }: McpClientError): boolean =>
  reason._tag === "TransportError" || reason._tag === "ClosedError" || reason._tag === "HttpError"

const messageOf = (server: string, error: McpClientError): string =>
  error.reason._tag === "TransportError"
    ? `server ${server} cannot be reached or has broken off, so it is not known what the call has done`
    : `server ${server}: ${reasonOf(error)}`

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

/** Where requests go, what records may say of it, and how to make a text free of what is secret. */
const serverOf = ({ url, headers = {} }: Options, http: HttpClient.HttpClient) => {
  const bare = new URL(url)
  bare.username = bare.password = bare.hash = ""
  const known = new URL(bare)
  known.search = ""
  const own = url.username + url.password === "" ? {} : { authorization: basic(url) }
  const plain = Object.entries(headers).map(([key, value]) => [key.toLowerCase(), Redacted.value(value)] as const)
  const sent: Readonly<Record<string, string>> = { ...own, ...Object.fromEntries(plain) }
  const values = [...Object.values(sent), ...url.searchParams.values(), decoded(url.password), url.password]
  const secrets = [...values, ...values.flatMap((value) => value.split(" "))].filter(({ length }) => length > 3)
  const without = (text: string) => secrets.reduce((left, secret) => left.replaceAll(secret, "<secret>"), text)
  const server: Omit<Server, "leftOut"> = { url: bare.href, headers: sent, http }
  return { server, url: known.href, without }
}

const basic = ({ username, password }: URL) => `Basic ${Base64.encode(`${decoded(username)}:${decoded(password)}`)}`

const decoded = (text: string): string =>
  Result.getOrElse(
    Result.try(() => decodeURIComponent(text)),
    () => text
  )
