/** How long one provider may take: what it says itself goes before what holds for all. */
import * as Duration from "effect/Duration"

/** Each must be positive; `Duration.infinity` is no limit. */
export interface Options {
  /**
   * How long the provider may take to begin its answer, each attempt by itself. `UpstreamUndici` and `UpstreamHttpClient` honour
   * it; of another client its author says so. Default: the client's own, 10 minutes with `UpstreamUndici`.
   */
  readonly upstreamTimeout?: Duration.Input
  /** How long it may be silent within an answer. Honoured and by default as `upstreamTimeout`. */
  readonly idleTimeout?: Duration.Input
  /**
   * How long a request may take from when its body was read to the end of its answer, all attempts together. Default: that of
   * `GatewayOptions`, 1 hour. `UpstreamUndici`, `UpstreamHttpClient` and `ScriptedUpstream` can be ended by it.
   */
  readonly totalTimeout?: Duration.Input
}

/** Limits of one exchange upstream, in milliseconds. 0: none. Absent: the client's own. */
export interface Timeouts {
  /** Until the head. */
  readonly headers?: number
  /** Of silence within the body. */
  readonly idle?: number
}

/** The same in the form in which it is used; `undefined` where nothing is said. */
export interface Resolved {
  readonly timeouts: Timeouts | undefined
  readonly totalTimeout: Duration.Duration | undefined
}

/** A limit that cannot be. */
export interface Refused {
  readonly option: keyof Options
  readonly detail: string
}

export const resolve = ({ upstreamTimeout, idleTimeout, totalTimeout }: Options): Resolved | Refused => {
  for (const [option, limit] of [
    ["upstreamTimeout", upstreamTimeout],
    ["idleTimeout", idleTimeout],
    ["totalTimeout", totalTimeout]
  ] as const) {
    if (limit !== undefined && !Duration.isPositive(Duration.fromInputUnsafe(limit))) {
      return { option, detail: "must be a positive time" }
    }
  }
  return {
    timeouts:
      upstreamTimeout === undefined && idleTimeout === undefined
        ? undefined
        : {
            ...(upstreamTimeout !== undefined && { headers: toMillis(upstreamTimeout) }),
            ...(idleTimeout !== undefined && { idle: toMillis(idleTimeout) })
          },
    totalTimeout: totalTimeout === undefined ? undefined : Duration.fromInputUnsafe(totalTimeout)
  }
}

const toMillis = (limit: Duration.Input): number => {
  const millis = Duration.toMillis(limit)
  return Number.isFinite(millis) ? Math.max(1, Math.ceil(millis)) : 0
}
