/** Tools of the gateway's own, for tests: what becomes of their calls is said by the test. */
import * as Effect from "effect/Effect"
import type { ToolResult } from "../../src/domain/ToolResult.ts"
import type { Tool, ToolError, ToolSource } from "../../src/tools/ToolSource.ts"

export interface Calls {
  /** Those so far: the tool and its arguments. */
  readonly seen: ReadonlyArray<readonly [tool: string, args: unknown]>
  /** How many were interrupted. */
  readonly interrupted: () => number
  readonly source: ToolSource
}

export const url = "http://tools.test/mcp"

export const text = (said: string): ToolResult => ({ isError: false, content: [{ type: "text", text: said }] })

/** A server `srv` with the tools `list` and `say`. */
export const make = (run: (tool: string, args: unknown) => Effect.Effect<ToolResult, ToolError>): Calls => {
  const seen: Array<readonly [string, unknown]> = []
  let interrupted = 0
  const tool = (name: string): Tool => ({
    name,
    description: `Can ${name}`,
    inputSchema: { type: "object", properties: {} },
    call: (args) =>
      Effect.suspend(() => {
        seen.push([name, args])
        return Effect.onInterrupt(run(name, args), () => Effect.sync(() => void interrupted++))
      })
  })
  const tools = [tool("say"), tool("list")]
  return { seen, interrupted: () => interrupted, source: { name: "srv", url, tools: () => tools } }
}

/** Answers at once with the tool's name. */
export const named = () => make((tool) => Effect.succeed(text(`of ${tool}`)))
