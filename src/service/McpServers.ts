/** The MCP servers of a configuration, as sources of tools. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as Scope from "effect/Scope"
import type { ToolSource } from "../tools/ToolSource.ts"
import type { McpServer } from "./ToolConfig.ts"
import { toPattern } from "./ToolConfig.ts"

/** Connected in the background, until the scope closes. Without a proxy. The client is loaded only if there are any. */
export const sources = (
  servers: ReadonlyArray<McpServer>
): Effect.Effect<ReadonlyArray<ToolSource>, never, Scope.Scope> =>
  servers.length === 0
    ? Effect.succeed([])
    : Effect.flatMap(
        Effect.promise(() => import("../tools/McpToolSource.ts")),
        (McpToolSource) =>
          Effect.forEach(servers, ({ name, url, headers, allow, deny }) =>
            McpToolSource.make({
              name,
              url: new URL(url),
              headers: Object.fromEntries(headers),
              allow: allow.map(toPattern),
              deny: deny.map(toPattern)
            })
          )
      ).pipe(Effect.provide(FetchHttpClient.layer, { local: true }))
