/** The tools of the gateway's own in one request: they are offered to the model, and what it calls is found again. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { BridgedRequest, Dialect } from "../dialects/Dialect.ts"
import type { ToolTurns } from "../dialects/ToolTurns.ts"
import type { InjectedTool } from "./ToolSources.ts"

export interface Offer {
  /** The request, with the tools. */
  readonly body: Uint8Array
  readonly turns: ToolTurns
  readonly isInjected: (id: string) => boolean
  readonly find: (id: string) => InjectedTool | undefined
}

/** `undefined` if there are none, or the request cannot have any: it then goes as it is, and a log line says why. */
export const make = (
  injected: ReadonlyArray<InjectedTool>,
  { tools }: Pick<Dialect, "tools">,
  request: Pick<BridgedRequest, "model" | "stream" | "body">
): Effect.Effect<Offer | undefined> => {
  if (injected.length === 0) return nothing
  return Result.match(tools.inject(request, injected.map(offered)), {
    onFailure: (why) => Effect.as(Effect.logWarning(`a request gets no tools: ${why}`), undefined),
    onSuccess: (body) => {
      if (body === request.body) return nothing
      const byId = new Map(injected.map((tool) => [tool.id, tool]))
      const isInjected = (id: string) => byId.has(id)
      const find = (id: string) => byId.get(id)
      return Effect.succeed({ body, turns: tools.turns(body, isInjected), isInjected, find })
    }
  })
}

const nothing = Effect.succeed(undefined)

const offered = ({ id, tool: { description, inputSchema } }: InjectedTool) => ({ id, description, inputSchema })
