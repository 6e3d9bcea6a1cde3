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
  const millis = usable(decimal(first(headers, "retry-after-ms"))) ?? fromRetryAfter(first(headers, "retry-after"), now)
  return millis === undefined ? undefined : Duration.millis(millis)
}

const fromRetryAfter = (value: string | undefined, now: number): number | undefined => {
  const seconds = usable(decimal(value) * 1000)
  if (value === undefined || seconds !== undefined) return seconds
  const date = Headers.parseRetryAfter(value)
  return Result.isFailure(date) ? undefined : usable(Duration.toMillis(Headers.retryAfterDelay(date.success, now)))
}

const longest = Duration.toMillis("30 days")

const usable = (millis: number): number | undefined =>
  Number.isFinite(millis) && millis > 0 && millis <= longest ? millis : undefined

// `Number` alone would also take "0x10" and "".
const decimal = (text: string | undefined): number =>
  text !== undefined && /^[-+.\de]+$/i.test(text) ? Number(text) : Number.NaN
