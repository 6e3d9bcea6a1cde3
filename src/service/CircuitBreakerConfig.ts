/** The settings of circuit breakers: of one provider, or of all that say nothing themselves. */
import * as CircuitBreakerOptions from "../providers/CircuitBreakerOptions.ts"
import type { Settings } from "./Settings.ts"

/** By the end of their variables' names. */
export const fields = [
  "CIRCUIT_BREAKER_ENABLED",
  "CIRCUIT_BREAKER_FAILURE_THRESHOLD",
  "CIRCUIT_BREAKER_INTERVAL",
  "CIRCUIT_BREAKER_TIMEOUT",
  "CIRCUIT_BREAKER_STATUSES",
  "CIRCUIT_BREAKER_COUNT_STREAM_ERRORS"
] as const

/** What the reference system has and this one does not. */
export const notOffered = "CIRCUIT_BREAKER_MAX_REQUESTS"

/** What is set; breakers are on only if `isEnabled` is. */
export interface CircuitBreakerSettings extends CircuitBreakerOptions.Options {
  readonly isEnabled?: boolean
}

/** @param prefix such as `AIBRIDGE` or `AIBRIDGE_PROVIDER_0` */
export const read = (settings: Settings, prefix: string): CircuitBreakerSettings => {
  const name = (field: (typeof fields)[number]) => `${prefix}_${field}`
  const isEnabled = settings.flag(name("CIRCUIT_BREAKER_ENABLED"))
  const failureThreshold = settings.number(name("CIRCUIT_BREAKER_FAILURE_THRESHOLD"), 1, 4_294_967_295)
  const interval = settings.duration(name("CIRCUIT_BREAKER_INTERVAL"), { orZero: true })
  const timeout = settings.duration(name("CIRCUIT_BREAKER_TIMEOUT"))
  const statuses = readStatuses(settings, name("CIRCUIT_BREAKER_STATUSES"))
  const countStreamErrors = settings.flag(name("CIRCUIT_BREAKER_COUNT_STREAM_ERRORS"))
  if (settings.text(`${prefix}_${notOffered}`) !== undefined) {
    settings.warnings.push(
      `ignoring ${prefix}_${notOffered}: a half-open circuit lets one probe through at a time, and its success closes it`
    )
  }
  return {
    ...(isEnabled !== undefined && { isEnabled }),
    ...(failureThreshold !== undefined && { failureThreshold }),
    ...(interval !== undefined && { interval }),
    ...(timeout !== undefined && { timeout }),
    ...(statuses !== undefined && { statuses }),
    ...(countStreamErrors !== undefined && { countStreamErrors })
  }
}

/** A provider's options, its own settings before those of all; `undefined` if its breakers are off. */
export const options = (
  ofAll: CircuitBreakerSettings,
  own: CircuitBreakerSettings = {}
): CircuitBreakerOptions.Options | undefined => {
  const { isEnabled = false, ...breaker } = { ...ofAll, ...own }
  return isEnabled ? breaker : undefined
}

const readStatuses = (settings: Settings, name: string): ReadonlyArray<number> | undefined => {
  const entries = settings.list(name)
  if (entries.length === 0) return undefined
  const statuses = entries.map((entry) => (/^\d+$/.test(entry) ? Number(entry) : Number.NaN))
  const wrong = CircuitBreakerOptions.statusProblem(new Set(statuses))
  return wrong === undefined ? statuses : settings.problem(name, wrong)
}
