/** Reads single settings out of environment variables, and collects what is wrong with them. Blank is the same as absent. */
import * as Duration from "effect/Duration"

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

export class Settings {
  readonly environment: Environment
  /** Everything that is wrong, each with the variable's name and what to do; never with a value that could be secret. */
  readonly problems: Array<string> = []
  /** What looks like a mistake but stops nothing. */
  readonly warnings: Array<string> = []

  constructor(environment: Environment) {
    this.environment = environment
  }

  text(name: string): string | undefined {
    return this.environment[name]?.trim() || undefined
  }

  /** A problem of this variable. Answers `undefined`, so that readers can return it. */
  problem(name: string, detail: string): undefined {
    this.problems.push(`${name}: ${detail}`)
  }

  flag(name: string): boolean | undefined {
    const text = this.text(name)?.toLowerCase()
    if (text === undefined) return undefined
    return text === "true" || text === "false" ? text === "true" : this.problem(name, "must be true or false")
  }

  /** A whole number in decimal digits. */
  number(name: string, minimum: number, maximum: number): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= minimum && number <= maximum) return number
    return this.problem(name, `must be a number from ${minimum} to ${maximum}`)
  }

  /** A time such as `1500ms`, `30s`, `1m30s`. */
  duration(name: string, { orZero = false } = {}): Duration.Duration | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const parts = /^(?:\d{1,5}(?:ms|s|m|h|d))+$/.test(text) ? Array.from(text.matchAll(/(\d+)([a-z]+)/g)) : []
    const millis = parts.reduce((sum, [, count = "", unit = ""]) => sum + Number(count) * millisOf(unit), 0)
    if (millis > 0 || (orZero && parts.length > 0)) return Duration.millis(millis)
    const what = orZero ? "a number" : "a positive number"
    return this.problem(name, `must be ${what} (at most 99999) with a unit: 30s, 5m, 2h or 1d`)
  }

  /** Comma-separated entries, trimmed; none if it is blank. */
  list(name: string): ReadonlyArray<string> {
    return (
      this.text(name)
        ?.split(",")
        .map((entry) => entry.trim()) ?? []
    )
  }
}

const millisOf = (unit: string): number => {
  switch (unit) {
    case "ms":
      return 1
    case "s":
      return 1_000
    case "m":
      return 60_000
    case "h":
      return 3_600_000
    default:
      return 86_400_000
  }
}
