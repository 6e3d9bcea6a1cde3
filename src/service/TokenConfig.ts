/** The settings of gateway tokens: `name=token`, or in the file also each by itself, with what it may be used for. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import { fitsHeader } from "../domain/Credential.ts"
import type { Token } from "../inbound/Authenticator.ts"
import { hashPattern } from "../inbound/Authenticator.ts"
import { namePattern } from "../providers/Provider.ts"
import type { ConfigSource } from "./ConfigSource.ts"
import * as Setting from "./Setting.ts"
import type { Reading } from "./Setting.ts"

// A date is its first moment. A time without a zone would be another one on another machine.
const expires = Setting.textAs((value): Reading<DateTime.Utc> => {
  const [, date] = /^(\d{4}-\d\d-\d\d)(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?$/.exec(value) ?? []
  const found = date === undefined ? Option.none() : DateTime.make(value)
  return Option.isSome(found) && date !== undefined && isDay(date)
    ? Result.succeed(DateTime.toUtc(found.value))
    : Result.fail("must be a date, or a date and time with its zone, in quotes: 2027-01-31 or 2027-01-31T18:00:00Z")
})

// There is no 30th of February, whatever other readers make of it.
const isDay = (date: string): boolean =>
  DateTime.make(date).pipe(Option.exists((day) => DateTime.formatIsoDateUtc(day) === date))

const names = (isName: (entry: string) => boolean, otherwise: string) =>
  Setting.list((entries): Reading<ReadonlyArray<string>> => {
    if (entries.length === 0) return Result.fail("must name at least one; without it all are allowed")
    const wrong = entries.findIndex((entry) => !isName(entry))
    return wrong < 0 ? Result.succeed(entries) : Result.fail(`entry at index ${wrong} ${otherwise}`)
  })

const providers = names((entry) => namePattern.test(entry), "is no name of a provider")

const models = names(
  (entry) => entry !== "" && !entry.slice(0, -1).includes("*"),
  "must be a model's name, or the beginning of one with * at its end"
)

const each = Schema.Struct({
  name: Setting.text("Who has it. Several tokens may have the same name."),
  token: Setting.secret("The token itself."),
  hash: Setting.secret("sha256: and the 64 hexadecimal digits of its hash, instead of the token itself."),
  expires: expires("When it stops being valid, such as 2027-01-31 or 2027-01-31T18:00:00Z. Default never."),
  providers: providers("The names of the providers it may be used for. Default all."),
  models: models("The models it may be used for; with * at its end the beginning of their names. Default all.")
})

/** All tokens, in text (`name=token`, with commas between) or as a list of the file. */
export const tokens = Setting.setting(
  Schema.Union([
    Schema.Array(
      Schema.Union([Schema.String, each]).annotate({ message: "must be name=token, or hold a token's settings" })
    ),
    Schema.String
  ]),
  (value): Reading<ReadonlyArray<Token>> => {
    const entries = typeof value === "string" ? (value.trim() === "" ? [] : value.split(",")) : value
    const found: Array<Token> = []
    const seen = new Set<string>()
    for (const [index, entry] of entries.entries()) {
      const token = typeof entry === "string" ? readPair(entry) : readEach(entry)
      if (Result.isFailure(token)) return Result.fail(`entry at index ${index} ${token.failure}`)
      const digest = digestOf(Redacted.value(token.success.token))
      if (seen.has(digest)) return Result.fail(`entry at index ${index} repeats the token of an earlier one`)
      seen.add(digest)
      found.push(token.success)
    }
    return Result.succeed(found)
  },
  "must be a list"
)

/** Whether a secret is what a token, be it known by its hash only, stands for. */
export const isToken = (secret: string, token: Redacted.Redacted<string>): boolean =>
  sha256(secret) === digestOf(Redacted.value(token))

/**
 * Warns of tokens that are refused already, or soon.
 *
 * @param now epoch milliseconds
 */
export const warnOfExpiry = (all: ReadonlyArray<Token>, now: number, source: ConfigSource): void => {
  for (const [index, { name, expires: end }] of all.entries()) {
    if (end === undefined || end.epochMilliseconds - now > Duration.toMillis(soon)) continue
    const date = DateTime.formatIso(end)
    const what =
      end.epochMilliseconds <= now
        ? `has expired (${date}) and is refused: give it a later date, or remove it`
        : `expires within ${Duration.format(soon)} (${date}): give its owner another one in time`
    source.warnings.push(`${source.nameOf(["tokens", index, "expires"])}: the token of ${name} ${what}`)
  }
}

const soon = Duration.days(7)

const readPair = (entry: string): Reading<Token> => {
  const separator = entry.indexOf("=")
  return separator < 0
    ? Result.fail("is not of the form name=token")
    : readToken({ name: entry.slice(0, separator).trim(), token: entry.slice(separator + 1).trim() })
}

const readEach = ({ token, hash, name = "", ...limits }: typeof each.Type): Reading<Token> => {
  if ((token === undefined) === (hash === undefined)) return Result.fail("needs either a token or a hash")
  if (hash !== undefined && !hashPattern.test(Redacted.value(hash))) return Result.fail(noHash)
  return Result.map(readToken({ name, token: Redacted.value(token ?? hash ?? Redacted.make("")) }), (read) => ({
    ...read,
    ...limits
  }))
}

const readToken = ({ name, token }: { readonly name: string; readonly token: string }): Reading<Token> => {
  if (name === "") return Result.fail("has no name")
  if (!fitsHeader(token)) {
    return Result.fail("has no token, or one with a space, a line break or a character outside ASCII")
  }
  if (/^sha256:/i.test(token) && !hashPattern.test(token)) return Result.fail(noHash)
  return Result.succeed({ name, token: Redacted.make(token) })
}

const noHash = "has a hash that is not sha256: and 64 hexadecimal digits"

const digestOf = (token: string): string => hashPattern.exec(token)?.[1]?.toLowerCase() ?? sha256(token)

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")
