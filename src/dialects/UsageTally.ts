/** Adds up nothing: keeps the last number that a vendor has said of each kind of tokens. */
import * as Json from "../domain/Json.ts"
import type { Usage } from "../domain/Usage.ts"

/** Names that lead from the usage object inwards. */
type Path = ReadonlyArray<string>

/** Where a vendor says its numbers. */
export interface UsageMembers {
  readonly input: Path
  readonly output: Path
  readonly cacheRead: Path
  readonly cacheWrite: Path
  /** Whether the vendor counts what it has read from a cache as input, too. */
  readonly isCacheReadInInput: boolean
  /** Other numbers, by the names of `Usage.extra`. */
  readonly extra: Readonly<Record<string, Path>>
}

/** The numbers of one answer. */
export class UsageTally {
  private readonly members: UsageMembers
  private readonly extras: ReadonlyArray<readonly [name: string, path: Path]>
  private input: number | undefined
  private output: number | undefined
  private cacheRead: number | undefined
  private cacheWrite: number | undefined
  private readonly extra = new Map<string, number>()

  constructor(members: UsageMembers) {
    this.members = members
    this.extras = Object.entries(members.extra)
  }

  /** Takes what a usage object says; where it says nothing, what was said before stays. Answers whether it has said anything. */
  add(usage: unknown): boolean {
    if (typeof usage !== "object" || usage === null) return false
    let isSaid = false
    const said = (path: Path): number | undefined => {
      const count = countAt(usage, path)
      isSaid ||= count !== undefined
      return count
    }
    this.input = said(this.members.input) ?? this.input
    this.output = said(this.members.output) ?? this.output
    this.cacheRead = said(this.members.cacheRead) ?? this.cacheRead
    this.cacheWrite = said(this.members.cacheWrite) ?? this.cacheWrite
    for (const [name, path] of this.extras) {
      const count = said(path)
      if (count !== undefined) this.extra.set(name, count)
    }
    return isSaid
  }

  /** `undefined` if nothing was said of input, output or caches. */
  get usage(): Usage | undefined {
    const { input, output, cacheRead, cacheWrite } = this
    if ((input ?? output ?? cacheRead ?? cacheWrite) === undefined) return undefined
    const cached = this.members.isCacheReadInInput ? (cacheRead ?? 0) : 0
    return {
      input: Math.max(0, (input ?? 0) - cached),
      output: output ?? 0,
      cacheRead: cacheRead ?? 0,
      cacheWrite: cacheWrite ?? 0,
      extra: Object.fromEntries(this.extra)
    }
  }
}

// Anything but a whole number from 0 is as good as absent.
const countAt = (usage: unknown, path: Path): number | undefined => {
  let value = usage
  for (const name of path) value = Json.member(value, name)
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
