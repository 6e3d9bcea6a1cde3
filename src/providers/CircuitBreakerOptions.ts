/** When a provider that is overloaded is left alone for a while: the options of its circuit breakers. */
import * as Duration from "effect/Duration"

/** One provider's own; every field has a default. */
export interface Options {
  /** So many failures in a row open a circuit. Default 5. */
  readonly failureThreshold?: number
  /** A closed circuit forgets its failures after each such period. Zero: never. Default 10 seconds. */
  readonly interval?: Duration.Input
  /** How long a circuit stays open before one request may probe. Default 30 seconds. */
  readonly timeout?: Duration.Input
  /** The upstream's statuses that are failures, from 400 to 599; those about a key (401, 403, 429) cannot be. Default 503 and 529. */
  readonly statuses?: ReadonlyArray<number>
  /**
   * Whether a stream that begins with 200 and breaks off is a failure too, or ends with an error event that is not about the
   * request or the key. It is then judged at its end; a probe at the latest after the timeout. Default `false`.
   */
  readonly countStreamErrors?: boolean
}

/** The same with nothing left out. */
export interface ResolvedOptions {
  readonly failureThreshold: number
  readonly interval: Duration.Duration
  readonly timeout: Duration.Duration
  readonly statuses: ReadonlySet<number>
  readonly countStreamErrors: boolean
}

/** What holds unless it is overridden. */
export const defaults: ResolvedOptions = {
  failureThreshold: 5,
  interval: Duration.seconds(10),
  timeout: Duration.seconds(30),
  statuses: new Set([503, 529]),
  countStreamErrors: false
}

/** The options with their defaults, a copy of their own; or what is wrong with them. */
export const resolve = (options: Options): ResolvedOptions | string => {
  const { failureThreshold = defaults.failureThreshold, countStreamErrors = defaults.countStreamErrors } = options
  const interval = options.interval === undefined ? defaults.interval : Duration.fromInputUnsafe(options.interval)
  const timeout = options.timeout === undefined ? defaults.timeout : Duration.fromInputUnsafe(options.timeout)
  const statuses = new Set(options.statuses ?? defaults.statuses)
  if (!Number.isInteger(failureThreshold) || failureThreshold < 1)
    return "failureThreshold must be a whole number from 1"
  if (!isFiniteTime(interval) || Duration.isNegative(interval))
    return "interval must be a finite time, or zero for never"
  if (!isFiniteTime(timeout) || !Duration.isPositive(timeout)) return "timeout must be a finite, positive time"
  const wrong = statusProblem(statuses)
  return wrong ?? { failureThreshold, interval, timeout, statuses, countStreamErrors }
}

/** What is wrong with statuses as failures of a provider, if anything is. */
export const statusProblem = (statuses: ReadonlySet<number>): string | undefined => {
  if (statuses.size === 0) return "statuses must not be empty"
  for (const status of statuses) {
    if (ofKeys.has(status)) return `status ${status} is about a key and cannot be a failure of the provider`
    if (!Number.isInteger(status) || status < 400 || status > 599)
      return "statuses must be whole numbers from 400 to 599"
  }
  return undefined
}

const ofKeys: ReadonlySet<number> = new Set([401, 403, 429])

const isFiniteTime = (duration: Duration.Duration): boolean => Number.isFinite(Duration.toMillis(duration))
