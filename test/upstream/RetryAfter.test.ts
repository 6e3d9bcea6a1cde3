import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import type { ResponseHeaders } from "../../src/domain/HeaderRecord.ts"
import * as RetryAfter from "../../src/upstream/RetryAfter.ts"

const now = Date.UTC(2026, 9, 21, 7, 28, 0)

const days = (count: number): number => count * 86_400_000

const httpDate = (millisFromNow: number): string => new Date(now + millisFromNow).toUTCString()

const parsed = (headers: ResponseHeaders): number | undefined => {
  const delay = RetryAfter.parse(headers, now)
  return delay === undefined ? undefined : Duration.toMillis(delay)
}

describe("RetryAfter.parse of retry-after-ms", () => {
  it.each([
    { value: "2500", millis: 2500 },
    { value: " 1500 ", millis: 1500 },
    { value: "1", millis: 1 },
    { value: "0.5", millis: 0.5 },
    { value: "1500.25", millis: 1500.25 },
    { value: "1e3", millis: 1000 },
    { value: "0", millis: undefined },
    { value: "0.0", millis: undefined },
    { value: "-100", millis: undefined },
    { value: "", millis: undefined },
    { value: "  ", millis: undefined },
    { value: "invalid", millis: undefined },
    { value: "1500ms", millis: undefined },
    { value: "1,500", millis: undefined },
    { value: "0x10", millis: undefined },
    { value: "NaN", millis: undefined },
    { value: "Infinity", millis: undefined },
    { value: "1e400", millis: undefined },
    { value: "2592000000", millis: days(30) },
    { value: "2592000000.5", millis: undefined },
    { value: "2592000001", millis: undefined }
  ])("reads '$value' as $millis ms", ({ value, millis }) => {
    assert.strictEqual(parsed({ "retry-after-ms": value }), millis)
  })
})

describe("RetryAfter.parse of Retry-After in seconds", () => {
  it.each([
    { value: "60", millis: 60_000 },
    { value: " 30 ", millis: 30_000 },
    { value: "1", millis: 1000 },
    { value: "2.5", millis: 2500 },
    { value: "0.25", millis: 250 },
    { value: "86400", millis: days(1) },
    { value: "0", millis: undefined },
    { value: "-5", millis: undefined },
    { value: "", millis: undefined },
    { value: "soon", millis: undefined },
    { value: "5s", millis: undefined },
    { value: "5, 10", millis: undefined },
    { value: "0x10", millis: undefined },
    { value: "NaN", millis: undefined },
    { value: "Infinity", millis: undefined },
    { value: "-Infinity", millis: undefined },
    { value: "1e400", millis: undefined },
    { value: "9".repeat(400), millis: undefined },
    { value: "2592000", millis: days(30) },
    { value: "2592000.001", millis: undefined },
    { value: "2592001", millis: undefined }
  ])("reads '$value' as $millis ms", ({ value, millis }) => {
    assert.strictEqual(parsed({ "retry-after": value }), millis)
  })
})

describe("RetryAfter.parse of Retry-After as a date", () => {
  it.each([
    { behaviour: "waits until the date", value: "Wed, 21 Oct 2026 07:29:30 GMT", millis: 90_000 },
    { behaviour: "reads the obsolete RFC 850 form", value: "Wednesday, 21-Oct-26 07:29:30 GMT", millis: 90_000 },
    { behaviour: "reads the obsolete asctime form", value: "Wed Oct 21 07:29:30 2026", millis: 90_000 },
    { behaviour: "reads a date in one second", value: httpDate(1000), millis: 1000 },
    { behaviour: "takes the present instant as absent", value: httpDate(0), millis: undefined },
    { behaviour: "takes a past date as absent", value: httpDate(-1000), millis: undefined },
    { behaviour: "takes a long past date as absent", value: "Sun, 06 Nov 1994 08:49:37 GMT", millis: undefined },
    { behaviour: "reads a date in 30 days", value: httpDate(days(30)), millis: days(30) },
    { behaviour: "takes a date in over 30 days as absent", value: httpDate(days(30) + 1000), millis: undefined },
    { behaviour: "takes another notation as absent", value: "2026-10-21T07:29:30Z", millis: undefined },
    {
      behaviour: "takes a date that does not exist as absent",
      value: "Wed, 32 Oct 2026 07:29:30 GMT",
      millis: undefined
    }
  ])("$behaviour", ({ value, millis }) => {
    assert.strictEqual(parsed({ "retry-after": value }), millis)
  })

  it("counts from the given instant to the millisecond", () => {
    const delay = RetryAfter.parse({ "retry-after": httpDate(1000) }, now + 999)

    assert.deepStrictEqual(delay, Duration.millis(1))
  })
})

describe("RetryAfter.parse of both headers", () => {
  it.each([
    { behaviour: "finds nothing without headers", headers: {}, millis: undefined },
    {
      behaviour: "prefers milliseconds to seconds",
      headers: { "retry-after-ms": "1500", "retry-after": "30" },
      millis: 1500
    },
    {
      behaviour: "falls back to seconds when the milliseconds are unreadable",
      headers: { "retry-after-ms": "invalid", "retry-after": "10" },
      millis: 10_000
    },
    {
      behaviour: "falls back to seconds when the milliseconds are zero",
      headers: { "retry-after-ms": "0", "retry-after": "5" },
      millis: 5000
    },
    {
      behaviour: "falls back to seconds when the milliseconds are negative",
      headers: { "retry-after-ms": "-1", "retry-after": "5" },
      millis: 5000
    },
    {
      behaviour: "falls back to seconds when the milliseconds are over 30 days",
      headers: { "retry-after-ms": "2592000001", "retry-after": "5" },
      millis: 5000
    },
    {
      behaviour: "falls back to a date",
      headers: { "retry-after-ms": "Infinity", "retry-after": httpDate(5000) },
      millis: 5000
    },
    {
      behaviour: "finds nothing when both are zero",
      headers: { "retry-after-ms": "0", "retry-after": "0" },
      millis: undefined
    },
    {
      behaviour: "reads the first of repeated headers",
      headers: { "retry-after": ["5", "10"] },
      millis: 5000
    }
  ])("$behaviour", ({ headers, millis }) => {
    assert.strictEqual(parsed(headers), millis)
  })
})
