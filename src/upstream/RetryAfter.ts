/** When an upstream says that it may be called again. */
import * as Duration from "effect/Duration"
import * as Headers from "effect/http/Headers"
import * as Result from "effect/Result"
import type { ResponseHeaders } from "../domain/HeaderRecord.ts"
import { first } from "../domain/HeaderRecord.ts"

/**
 * Reads `retry-after-ms` (milliseconds, may be fractional), else `Retry-After` (seconds, may be fractional, or an HTTP date;
 * RFC 9110 section 10.2.3). A value that is not finite, not positive, unreadable, in the past or over 30 days counts as
 * absent.
 *
 * @param now epoch milliseconds, for dates
 */
export const parse = (headers: ResponseHeaders, now: number): Duration.Duration | undefined => {
  const millis = usable(Number(decimal(first(headers, "retry-after-ms"))))
  if (millis !== undefined) return Duration.millis(millis)
  const value = first(headers, "retry-after")
  if (value === undefined) return undefined
  const seconds = usable(Number(decimal(value)) * 1000)
  if (seconds !== undefined) return Duration.millis(seconds)
  const date = Headers.parseRetryAfter(value)
  if (Result.isFailure(date) || date.success._tag === "Duration") return undefined
  const wait = usable(Duration.toMillis(Headers.retryAfterDelay(date.success, now)))
  return wait === undefined ? undefined : Duration.millis(wait)
}

const longest = Duration.toMillis("30 days")

const usable = (millis: number): number | undefined =>
  Number.isFinite(millis) && millis > 0 && millis <= longest ? millis : undefined

// `Number` alone would also take "0x10" and "".
const decimal = (text: string | undefined): string => (text !== undefined && /^[-+.\de]+$/i.test(text) ? text : "NaN")
