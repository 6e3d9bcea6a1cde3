/** Which of a server's tools are offered, by patterns on their names. */
import * as Effect from "effect/Effect"

export interface Patterns {
  /** A tool is offered only if one of these is found in its name, and none of `deny`. Empty: all. Default empty. */
  readonly allow?: ReadonlyArray<RegExp>
  /** A tool is not offered if one of these is found in its name. Default empty. */
  readonly deny?: ReadonlyArray<RegExp>
}

/** Whether a tool is offered; `conflict` if not, though `allow` names it too. */
export type Verdict = "offered" | "left out" | "conflict"

/** A pattern may match anywhere in the name, with the case as it is written. */
export const verdict = (name: string, { allow = [], deny = [] }: Patterns): Verdict => {
  const denied = matches(deny, name)
  if (matches(allow, name)) return denied ? "conflict" : "offered"
  return denied || allow.length > 0 ? "left out" : "offered"
}

/** The filter of one server, which logs each tool that is in conflict once. */
export const make = (
  patterns: Patterns
): (<T extends { readonly name: string }>(tools: ReadonlyArray<T>) => Effect.Effect<ReadonlyArray<T>>) => {
  const logged = new Set<string>()
  return (tools) =>
    Effect.suspend(() => {
      const conflicts = tools.map(({ name }) => name).filter((name) => verdict(name, patterns) === "conflict")
      const fresh = Array.from(new Set(conflicts)).filter((name) => !logged.has(name))
      for (const name of fresh) logged.add(name)
      return Effect.as(
        Effect.forEach(fresh, conflict, { discard: true }),
        tools.filter(({ name }) => verdict(name, patterns) === "offered")
      )
    })
}

const conflict = (tool: string) =>
  Effect.annotateLogs(Effect.logWarning("a tool is both allowed and denied, and not offered"), { tool })

// `test` of a pattern with the flag `g` or `y` begins where it has ended before; `search` does not.
const matches = (patterns: ReadonlyArray<RegExp>, name: string): boolean =>
  patterns.some((pattern) => name.search(pattern) >= 0)
