/** A source of an MCP server's tools, and the server in a process of its own. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { fileURLToPath } from "node:url"
import * as McpToolSource from "../../src/tools/McpToolSource.ts"
import type { Tool, ToolSource } from "../../src/tools/ToolSource.ts"
import * as Repository from "../deploy/Repository.ts"
import type { TestCommand } from "../deploy/TestCommand.ts"
import * as Command from "../deploy/TestCommand.ts"
import * as Logs from "../gateway/Logs.ts"

const script = fileURLToPath(new URL("./McpServerProcess.ts", import.meta.url))

export type Revision = "2026-07-28" | "2025-11-25" | "2025-06-18" | "2025-03-26"

export interface Server extends TestCommand {
  readonly port: number
}

/** Runs until the scope closes, and listens. */
export const serve = Effect.fnUntraced(function* (
  revision: Revision,
  port = 0
): Effect.fn.Return<Server, never, Scope.Scope> {
  const child = yield* Command.start(process.execPath, [script, String(port), revision], { directory: Repository.root })
  const said = yield* bounded(child.says(/listening on (\d+)/))
  return { ...child, says: (pattern) => bounded(child.says(pattern)), port: Number(said) }
})

const bounded = <A>(effect: Effect.Effect<A>) => effect.pipe(Effect.timeout("10 seconds"), Effect.orDie)

type Sent = Effect.Effect<HttpClientResponse, HttpClientError>

/** A source named `srv`, which looks often. What it logs is put into `lines`, and its requests may go another way. */
export const source = (
  port: number,
  options: Partial<McpToolSource.Options> = {},
  lines: Array<Logs.Line> = [],
  way: (sent: Sent, request: HttpClientRequest) => Sent = (sent) => sent
): Effect.Effect<ToolSource, never, Scope.Scope> =>
  Effect.provide(
    McpToolSource.make({
      name: "srv",
      url: new URL(`http://127.0.0.1:${port}/mcp`),
      refreshInterval: "50 millis",
      retry: Schedule.spaced("20 millis"),
      ...options
    }),
    Layer.merge(Logs.into(lines), Layer.provide(client(way), FetchHttpClient.layer)),
    { local: true }
  )

const client = (way: (sent: Sent, request: HttpClientRequest) => Sent) =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, (http) => HttpClient.transform(http, way))
  )

/** Waits until it holds; a defect after ten seconds. */
export const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.sync(holds).pipe(
    Effect.filterOrFail((does) => does),
    Effect.retry({ schedule: Schedule.spaced("10 millis"), times: 1000 }),
    Effect.orDie,
    Effect.asVoid
  )

export const hasTools = (of: ToolSource) => until(() => of.tools().length > 0)

export const names = (of: ToolSource): ReadonlyArray<string> => of.tools().map(({ name }) => name)

/** A defect if there is none. */
export const tool = (of: ToolSource, name: string): Effect.Effect<Tool> =>
  Effect.fromNullishOr(of.tools().find((one) => one.name === name)).pipe(Effect.orDie)

export const call = (of: ToolSource, name: string, args: unknown = {}) =>
  Effect.flatMap(tool(of, name), (found) => found.call(args))
