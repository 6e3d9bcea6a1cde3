/** What one setting may hold, in a variable (always text) or in a file, and what it becomes. The problem of a wrong one never repeats it. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"

/** A value out of what is written, or what is wrong with it. */
export type Reading<A> = Result.Result<A, string>

/** A setting that may be left out, with what is said about it to who writes a file. */
export type Setting<A, E> = (description: string) => Schema.optionalKey<Schema.Codec<A, E>>

/** What is written as `written` says and then read. */
export const setting =
  <A, B, E>(written: Schema.Codec<B, E>, read: (value: B) => Reading<A>, mistyped: string): Setting<A, E> =>
  (description) =>
    Schema.optionalKey(
      written.annotate({ description, message: mistyped }).pipe(
        Schema.decodeTo(
          Schema.declare((value): value is A => value !== undefined),
          {
            decode: SchemaGetter.transformEffect((value: B) =>
              Effect.fromResult(Result.mapError(read(value), (message) => new SchemaIssue.InvalidValue({ message })))
            ),
            encode: SchemaGetter.forbidden(() => "settings are read, not written")
          }
        )
      )
    )

const fail = (problem: string): Reading<never> => Result.fail(problem)

/** Any text that is not blank. */
export const text = setting(Schema.String, (value) => Result.succeed(value.trim()), "must be text")

/** A text that has to be as `read` wants it. */
export const textAs = <A>(read: (value: string) => Reading<A>) =>
  setting(Schema.String, (value) => read(value.trim()), "must be text")

/** A text that must not be shown. */
export const secret = setting(Schema.String, (value) => Result.succeed(Redacted.make(value.trim())), "must be text")

export const flag = setting(
  Schema.Union([Schema.Boolean, Schema.String]),
  (value): Reading<boolean> => {
    const word = String(value).trim().toLowerCase()
    return word === "true" || word === "false" ? Result.succeed(word === "true") : fail("must be true or false")
  },
  "must be true or false"
)

/** A whole number in decimal digits. */
export const number = (minimum: number, maximum: number) => {
  const problem = `must be a number from ${minimum} to ${maximum}`
  return setting(
    Schema.Union([Schema.Finite, Schema.String]),
    (value): Reading<number> => {
      const digits = String(value).trim()
      const parsed = Number(digits)
      const isFine = /^\d+$/.test(digits) && parsed >= minimum && parsed <= maximum
      return isFine ? Result.succeed(parsed) : fail(problem)
    },
    problem
  )
}

/** A time such as `1500ms`, `30s`, `1m30s`. */
export const time = ({ orZero = false } = {}) => {
  const problem = `must be ${orZero ? "a number" : "a positive number"} (at most 99999) with a unit: 30s, 5m, 2h or 1d`
  return setting(
    Schema.String,
    (value): Reading<Duration.Duration> => {
      const duration = parseTime(value)
      return duration !== undefined && (orZero || Duration.isPositive(duration))
        ? Result.succeed(duration)
        : fail(problem)
    },
    problem
  )
}

/** Times, one after the other. */
export const times = () =>
  list((entries): Reading<ReadonlyArray<Duration.Duration>> => {
    if (entries.length === 0) return fail("must name at least one time, such as 60s")
    const durations: Array<Duration.Duration> = []
    for (const [index, entry] of entries.entries()) {
      const duration = parseTime(entry)
      if (duration === undefined || !Duration.isPositive(duration)) {
        return fail(`entry at index ${index} must be a positive number (at most 99999) with a unit: 30s, 5m, 2h or 1d`)
      }
      durations.push(duration)
    }
    return Result.succeed(durations)
  })

const parseTime = (value: string): Duration.Duration | undefined => {
  const trimmed = value.trim()
  if (!/^(?:\d{1,5}(?:ms|s|m|h|d))+$/.test(trimmed)) return undefined
  const parts = Array.from(trimmed.matchAll(/(\d+)([a-z]+)/g))
  return Duration.millis(
    parts.reduce((sum, [, count = "", unit = ""]) => sum + Number(count) * (unitMillis[unit] ?? 0), 0)
  )
}

const unitMillis: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A list: with commas between, or as a list of the file. */
export const list = <A>(read: (entries: ReadonlyArray<string>) => Reading<A>) =>
  setting(
    Schema.Union([Schema.Array(Schema.Union([Schema.String, Schema.Finite])), Schema.String]),
    (value) =>
      read(
        typeof value === "string"
          ? value.trim() === ""
            ? []
            : value.split(",").map((entry) => entry.trim())
          : value.map((entry) => String(entry).trim())
      ),
    "must be a list"
  )

/** A number of bytes, such as `65536`, `64KiB` or `32MiB`. */
export const size = (minimum: number, maximum: number) => {
  const problem = `must be a size from ${minimum} bytes to ${maximum / 1_048_576}MiB, such as 64KiB or 32MiB`
  return setting(
    Schema.Union([Schema.Finite, Schema.String]),
    (value): Reading<number> => {
      const [, count = "", unit = ""] = /^(\d{1,12})(KiB|MiB)?$/.exec(String(value).trim()) ?? []
      const bytes = Number(count) * (unit === "MiB" ? 1_048_576 : unit === "KiB" ? 1024 : 1)
      return count !== "" && bytes >= minimum && bytes <= maximum ? Result.succeed(bytes) : fail(problem)
    },
    problem
  )
}
