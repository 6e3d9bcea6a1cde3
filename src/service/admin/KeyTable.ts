/** The keys of a gateway as a table for people. */
import * as Duration from "effect/Duration"
import * as Table from "./Table.ts"
import type { KeyReport, PoolReport } from "./AdminApi.ts"

/** @param now epoch milliseconds */
export const render = (pools: ReadonlyArray<typeof PoolReport.Type>, now: number): string => {
  const rows = pools.flatMap(({ provider, keys }) =>
    keys.length === 0
      ? [[provider, "", "", "", "no keys: callers bring their own"]]
      : keys.map((key) => [provider, String(key.index), key.key, key.state, remark(key, now)])
  )
  return Table.render(["PROVIDER", "", "KEY", "STATE", ""], rows)
}

/** One key in a sentence. @param now epoch milliseconds */
export const sentence = (key: typeof KeyReport.Type, now: number): string => {
  const more = remark(key, now)
  return `key ${key.key} of ${key.provider} is ${key.state}${more === "" ? "" : ` (${more})`}`
}

const remark = ({ until, why, recheckAt }: typeof KeyReport.Type, now: number): string =>
  [
    ...(until === undefined ? [] : [`until ${until} (${remaining(until, now)})`]),
    ...(why === undefined ? [] : [why]),
    ...(recheckAt === undefined ? [] : [`tried again from ${recheckAt} on (${remaining(recheckAt, now)})`])
  ].join(", ")

const remaining = (instant: string, now: number): string => {
  const seconds = Math.ceil((Date.parse(instant) - now) / 1000)
  return seconds <= 0 ? "now" : `in ${Duration.format(Duration.seconds(seconds))}`
}
