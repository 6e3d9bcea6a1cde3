/** One connection to an MCP server, over Streamable HTTP or to a process, in the revision of the protocol that it understands. */
import * as McpClient from "effect/ai/McpClient"
import { McpClientError, TransportError } from "effect/ai/McpClientError"
import * as McpProtocol from "effect/ai/McpProtocol"
import type * as McpSchema from "effect/ai/McpSchema"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Sse from "effect/encoding/Sse"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Result from "effect/Result"
import type * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import type * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Json from "../domain/Json.ts"
import * as McpResult from "./McpResult.ts"

export interface McpConnection {
  readonly tools: Effect.Effect<ReadonlyArray<McpSchema.Tool>, McpClientError>
  readonly call: (
    tool: McpSchema.Tool,
    args: Readonly<Record<string, unknown>>
  ) => Effect.Effect<McpSchema.CallToolResult, McpClientError>
  /**
   * Runs `changed` when the server says that its tools have changed, and when it begins to listen. It ends if the server does not say
   * such things; a stream that breaks off is opened again by the schedule.
   */
  readonly listen: (changed: Effect.Effect<void>, retry: Schedule.Schedule<unknown>) => Effect.Effect<void>
}

/** Opens one. It ends, and with it the server's session or the process, when the scope closes. */
export type Open = (protocol: Protocol) => Effect.Effect<McpConnection, McpClientError, Scope.Scope>

/** Hears the names of tools that are not valid, at each list. */
export type LeftOut = (tool: string) => void

/** Over HTTP. */
export interface Server {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly http: HttpClient.HttpClient
}

/** As the client calls itself. */
export const clientInfo = { name: "effect-aibridge", version: "0.1.0" }

export type Protocol = McpProtocol.ProtocolAdapter<McpClient.ProtocolVersion>

export const newest: Protocol = McpProtocol.v2026_07_28

// The client's type knows two revisions only; older ones it speaks as it does 2025-11-25, with the version that the adapter says.
const older = [
  McpProtocol.v2025_06_18,
  McpProtocol.v2025_03_26
] as ReadonlyArray<McpProtocol.ProtocolAdapter> as ReadonlyArray<Protocol>

const protocols: ReadonlyArray<Protocol> = [newest, McpProtocol.v2025_11_25, ...older]

/** All that there are, the newest first but for the one that a server has understood before. */
export const startingWith = (first: Protocol = newest): ReadonlyArray<Protocol> => [
  first,
  ...protocols.filter((protocol) => protocol !== first)
]

/** Whether a server that has answered so may understand another revision. */
export const isRefusal = ({ reason }: McpClientError): boolean =>
  reason._tag === "UnsupportedError" ||
  reason._tag === "ProtocolError" ||
  (reason._tag === "HttpError" && reason.status >= 400 && reason.status < 500 && !ofCaller.has(reason.status))

// What a server says to one who is not known, not allowed, or asks too often.
const ofCaller: ReadonlySet<number> = new Set([401, 403, 429])

/** Without spans (which would show headers), trace context and redirects (which would carry headers elsewhere). */
export const quiet = (http: HttpClient.HttpClient): HttpClient.HttpClient =>
  HttpClient.transform(http, (sent) =>
    sent.pipe(
      Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
      Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" })
    )
  )

export const openHttp = ({ url, headers, http }: Server, leftOut: LeftOut): Open =>
  Effect.fnUntraced(function* (protocol) {
    let session: string | undefined
    const client = HttpClient.tap(http, (response) =>
      Effect.sync(() => {
        session = response.headers["mcp-session-id"] ?? session
      })
    )
    const transport = yield* McpClient.http({ url, protocol, headers }).pipe(
      Effect.provideService(HttpClient.HttpClient, client)
    )
    const stream = () => withHeaders(subscription(url, protocol), { ...headers, ...sessionHeader(session) }, protocol)
    const connection = yield* over(transport, leftOut)
    return {
      ...connection,
      listen: (changed, retry) =>
        Effect.repeat(
          Effect.suspend(() => heard(http, stream(), changed)),
          { schedule: retry, while: (isOffered) => isOffered }
        ).pipe(Effect.asVoid)
    }
  })

/** To a process that is started for it, over its standard input and output. It is not heard when its tools change. */
export const openStdio = (
  command: ChildProcess.Command,
  spawner: ChildProcessSpawner["Service"],
  leftOut: LeftOut
): Open =>
  Effect.fnUntraced(function* (protocol) {
    const transport = yield* McpClient.stdio({ command, protocol }).pipe(
      Effect.provideService(ChildProcessSpawner, spawner)
    )
    return { ...(yield* over(transport, leftOut)), listen: () => Effect.void }
  })

const over = (transport: McpClient.Transport, leftOut: LeftOut) =>
  McpClient.make({ ...clientInfo, timeout: "15 seconds" }).pipe(
    Effect.provideService(McpClient.Transport, mending(transport, leftOut)),
    calm,
    Effect.map((mcp): Omit<McpConnection, "listen"> => ({
      tools: calm(mcp.listTools()),
      call: (tool, args) => calm(mcp.callTool({ tool, arguments: args }))
    }))
  )

/** What the library interrupts of its own, or breaks by a defect, is an error. The caller's interruption does not come here. */
const calm = <A, R>(effect: Effect.Effect<A, McpClientError, R>): Effect.Effect<A, McpClientError, R> =>
  Effect.catchCause(effect, (cause) =>
    Result.match(Cause.findError(cause), {
      onSuccess: Effect.fail,
      onFailure: (other) =>
        Effect.andThen(
          Cause.hasInterruptsOnly(other)
            ? Effect.void
            : Effect.logError("the MCP client has failed by a defect", other),
          Effect.fail(new McpClientError({ reason: new TransportError({ description: "internal error" }) }))
        )
    })
  )

const mending = (transport: McpClient.Transport, leftOut: LeftOut): McpClient.Transport => ({
  ...transport,
  request: (message, tool) =>
    Effect.map(transport.request(message, tool), (response) =>
      response.error === undefined
        ? { ...response, result: McpResult.mended(message.method, response.result, leftOut) }
        : response
    )
})

const sessionHeader = (session: string | undefined) => session !== undefined && { "mcp-session-id": session }

const withHeaders = (
  request: HttpClientRequest.HttpClientRequest,
  headers: Readonly<Record<string, string>>,
  { protocolVersion }: Protocol
) =>
  HttpClientRequest.setHeaders(request, {
    ...headers,
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": protocolVersion
  })

// Revision 2026-07-28 has a request for it ("Subscriptions"), older ones a stream of the session ("Listening for Messages").
const subscription = (url: string, { protocolVersion }: Protocol): HttpClientRequest.HttpClientRequest =>
  protocolVersion !== newest.protocolVersion
    ? HttpClientRequest.get(url)
    : HttpClientRequest.post(url, { headers: { "mcp-method": "subscriptions/listen" } }).pipe(
        HttpClientRequest.bodyJsonUnsafe({
          jsonrpc: "2.0",
          id: "changes",
          method: "subscriptions/listen",
          params: {
            notifications: { toolsListChanged: true },
            _meta: {
              "io.modelcontextprotocol/protocolVersion": protocolVersion,
              "io.modelcontextprotocol/clientInfo": clientInfo,
              "io.modelcontextprotocol/clientCapabilities": {}
            }
          }
        })
      )

/** Reads one such stream to its end. `false` if the server has none. */
const heard = (
  http: HttpClient.HttpClient,
  request: HttpClientRequest.HttpClientRequest,
  changed: Effect.Effect<void>
): Effect.Effect<boolean> =>
  HttpClient.withScope(http)
    .execute(request)
    .pipe(
      Effect.flatMap((response) =>
        isStream(response)
          ? Effect.as(Effect.andThen(changed, read(response, changed)), true)
          : Effect.succeed(response.status >= 500)
      ),
      Effect.scoped,
      Effect.orElseSucceed(() => true)
    )

const isStream = ({ status, headers }: HttpClientResponse): boolean =>
  status === 200 && headers["content-type"]?.startsWith("text/event-stream") === true

const read = (response: HttpClientResponse, changed: Effect.Effect<void>) => {
  let isChanged = false
  const parser = Sse.makeParser((event) => {
    if (event._tag === "Event") isChanged ||= isListChanged(event.data)
  })
  return response.stream.pipe(
    Stream.decodeText(),
    Stream.runForEach((text) => {
      isChanged = false
      const failure = parser.feed(text)
      return Effect.andThen(
        isChanged ? changed : Effect.void,
        failure === undefined ? Effect.void : Effect.fail(failure)
      )
    })
  )
}

const isListChanged = (data: string): boolean =>
  Json.member(Json.parse(data), "method") === "notifications/tools/list_changed"
