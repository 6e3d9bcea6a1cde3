/** What the gateway knows of itself, as the admin API says it. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Key } from "../../keys/Key.ts"
import type { KeyPool } from "../../keys/KeyPool.ts"
import type { KeyStatus, Why } from "../../keys/KeyState.ts"
import type { Provider } from "../../providers/Provider.ts"
import type { CircuitStatus } from "../../upstream/CircuitBreakers.ts"
import type { Reload } from "../Reload.ts"
import type { BreakerReport, KeyReport, PoolReport, Readiness } from "./AdminApi.ts"

/** The keys of a provider. */
export const pool = (provider: Provider): Effect.Effect<typeof PoolReport.Type> => {
  const keys = provider.keyFailover.pool
  const { type, name } = provider
  if (keys === undefined) return Effect.succeed({ provider: name, type, keys: [] })
  return Effect.map(keys.statuses, (statuses) => ({
    provider: name,
    type,
    keys: keys.keys.map((each) => key(keys, each, statuses[each.index]))
  }))
}

/** One of them. */
export const key = (
  { provider }: KeyPool,
  { index, hint }: Key,
  status: KeyStatus | undefined
): typeof KeyReport.Type => {
  const state = status?.state ?? { _tag: "Valid" }
  return {
    provider,
    index,
    key: hint,
    state: stateOf[state._tag],
    ...(state._tag === "Temporary" && { until: instant(state.until) }),
    ...(status?.why && { why: whyOf(status.why) }),
    ...(status?.recheckAt !== undefined && { recheckAt: instant(status.recheckAt) })
  }
}

const stateOf = { Valid: "valid", Temporary: "temporary", Permanent: "permanent" } as const

const whyOf = (why: Why): string => {
  switch (why._tag) {
    case "Answered":
      return `the provider has answered ${why.status}`
    case "Operator":
      return "disabled by an operator"
  }
}

export const breaker = ({ opensUntil, ...circuit }: CircuitStatus): typeof BreakerReport.Type => ({
  ...circuit,
  ...(opensUntil !== undefined && { opensUntil: instant(opensUntil) })
})

/** The last reload, if it was refused. */
export const refusedReload = (
  last: ReturnType<Reload["Service"]["last"]>
): Pick<typeof Readiness.Type, "refusedReload"> =>
  last?.outcome._tag === "Refused"
    ? { refusedReload: { at: instant(last.at), problems: last.outcome.problems.length } }
    : {}

const instant = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))
