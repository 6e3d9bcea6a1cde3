/** All tools of the gateway's own, by the names that models know them by. */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as Hash from "effect/Hash"
import type { Tool, ToolSource } from "./ToolSource.ts"

/** A tool that is offered to models. */
export interface InjectedTool {
  /** See `idOf`. */
  readonly id: string
  readonly tool: Tool
  readonly source: ToolSource
}

export interface ToolSources {
  /** Those that there are now, sorted by id, so that requests stay alike. The same array as long as nothing has changed. */
  readonly injected: () => ReadonlyArray<InjectedTool>
}

/** What `Gateway.layer` asks. Default: no tools, and requests are not touched. */
export const ToolSources = Context.Reference<ToolSources>("effect-aibridge/tools/ToolSources", {
  defaultValue: () => ({ injected: () => none })
})

const none: ReadonlyArray<InjectedTool> = []

export const make = (sources: ReadonlyArray<ToolSource>): ToolSources => {
  let lists: ReadonlyArray<ReadonlyArray<Tool>> = []
  let injected = none
  return {
    injected: () => {
      if (sources.every((source, index) => source.tools() === lists[index])) return injected
      lists = sources.map((source) => source.tools())
      injected = named(sources.flatMap((source) => source.tools().map((tool) => ({ source, tool }))))
      return injected
    }
  }
}

export const layer = (sources: ReadonlyArray<ToolSource>): Layer.Layer<never> =>
  Layer.sync(ToolSources, () => make(sources))

/**
 * `bmcp_<source>_<tool>`, as providers take it: letters, digits, `_` and `-`, at most 64 characters. A name that had to be changed
 * for it ends with a hash of what it was.
 */
export const idOf = (source: string, tool: string): string => {
  const name = `bmcp_${source}_${tool}`
  const legal = name.replace(/[^a-zA-Z0-9_-]/g, "_")
  return legal === name && name.length <= longest ? name : withHash(legal, name)
}

const longest = 64

const withHash = (legal: string, name: string): string => {
  const hash = (Hash.string(name) >>> 0).toString(36)
  return `${legal.slice(0, longest - hash.length - 1)}_${hash}`
}

// Of two that come to one id, as `a_b` of `c` and `b` of `c_a` do, the first one has it; so it stays, as long as sources do.
const named = (tools: ReadonlyArray<Omit<InjectedTool, "id">>): ReadonlyArray<InjectedTool> => {
  const byId = new Map<string, InjectedTool>()
  for (const { source, tool } of tools) {
    const id = idOf(source.name, tool.name)
    const free = byId.has(id) ? withHash(id, `${source.name}\n${tool.name}`) : id
    if (!byId.has(free)) byId.set(free, { id: free, source, tool })
  }
  return Array.from(byId.values()).toSorted((a, b) => (a.id < b.id ? -1 : 1))
}
