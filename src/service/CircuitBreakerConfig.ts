/** The settings of circuit breakers: of one provider, or of all that say nothing themselves. */
import type * as CircuitBreakerOptions from "../providers/CircuitBreakerOptions.ts"
import type { CircuitBreakerSettings } from "./ConfigSchema.ts"
import type { ConfigSource, Path } from "./ConfigSource.ts"

/** A provider's options, its own settings before those of all; `undefined` if its breakers are off. */
export const options = (
  ofAll: CircuitBreakerSettings = {},
  own: CircuitBreakerSettings = {}
): CircuitBreakerOptions.Options | undefined => {
  const { enabled = false, maxRequests: _, ...breaker } = { ...ofAll, ...own }
  return enabled ? breaker : undefined
}

/** Says what has no effect. */
export const warn = (
  { maxRequests, ...others }: CircuitBreakerSettings,
  path: Path,
  source: ConfigSource,
  ofAll: CircuitBreakerSettings = {}
): void => {
  if (maxRequests !== undefined) {
    const name = source.nameOf([...path, "maxRequests"])
    source.warnings.push(
      `ignoring ${name}: a half-open circuit lets one probe through at a time, and its success closes it`
    )
  }
  const [field] = Object.keys(others)
  if (field === undefined || others.enabled !== undefined || ofAll.enabled !== undefined) return
  const enabled = source.nameOf([...path, "enabled"])
  source.warnings.push(`${source.nameOf([...path, field])} has no effect unless ${enabled} is true`)
}
