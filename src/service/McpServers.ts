/** The MCP servers of a configuration, as sources of tools. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as Scope from "effect/Scope"
import * as McpToolSource from "../tools/McpToolSource.ts"
import type { ToolSource } from "../tools/ToolSource.ts"
import type { McpServer } from "./ToolConfig.ts"
import { toPattern } from "./ToolConfig.ts"

/** Connected in the background, until the scope closes. Without a proxy. */
export const sources = (
  servers: ReadonlyArray<McpServer>
): Effect.Effect<ReadonlyArray<ToolSource>, never, Scope.Scope> =>
  Effect.forEach(servers, ({ name, url, headers, allow, deny }) =>
    McpToolSource.make({
      name,
      url: new URL(url),
      headers: Object.fromEntries(headers),
      allow: allow.map(toPattern),
      deny: deny.map(toPattern)
    })
  ).pipe(Effect.provide(FetchHttpClient.layer, { local: true }))
