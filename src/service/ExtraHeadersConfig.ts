/** The setting of further headers for a provider: `name=value`, or in the file also a mapping. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { ExtraHeader } from "../providers/ExtraHeaders.ts"
import * as ExtraHeaders from "../providers/ExtraHeaders.ts"
import * as Setting from "./Setting.ts"
import type { Reading } from "./Setting.ts"

const text = Schema.String.annotate({ message: "must be text: put it in quotes" })

/** In text with commas between, so that a value with a comma needs one of the other forms. */
export const headersWith = (problem: (headers: ReadonlyArray<ExtraHeader>) => string | undefined) =>
  Setting.setting(
    Schema.Union([Schema.Array(Schema.String), Schema.Record(Schema.String, text), Schema.String]),
    (written): Reading<ReadonlyArray<ExtraHeader>> => {
      const headers =
        typeof written === "string"
          ? readPairs(written.split(","))
          : isList(written)
            ? readPairs(written)
            : Result.succeed(Object.entries(written).map(([name, value]) => header(name, value)))
      return Result.flatMap(headers, (found) => {
        const wrong = problem(found)
        return wrong === undefined ? Result.succeed(ExtraHeaders.resolve(found)) : Result.fail(wrong)
      })
    },
    "must be name=value, comma-separated, or hold texts by the names of headers"
  )

export const extraHeaders = headersWith((headers) => ExtraHeaders.problem(headers))

// `Array.isArray` knows no list that is read-only.
const isList = (value: object | string): value is ReadonlyArray<string> => Array.isArray(value)

const readPairs = (entries: ReadonlyArray<string>): Reading<ReadonlyArray<ExtraHeader>> => {
  if (entries.length === 0) return Result.fail("must hold at least one name=value")
  const found: Array<ExtraHeader> = []
  for (const [index, entry] of entries.entries()) {
    const separator = entry.indexOf("=")
    if (separator < 0) return Result.fail(`entry at index ${index} is not of the form name=value`)
    found.push(header(entry.slice(0, separator), entry.slice(separator + 1)))
  }
  return Result.succeed(found)
}

const header = (name: string, value: string): ExtraHeader => [name.trim(), Redacted.make(value.trim())]
