/**
 * Log lines for refusals that an operator may have to do something about: a limit that is reached, and who is not let in. A
 * client that goes on and on gets few of them, with the number of those that were left out.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { GatewayError } from "../domain/GatewayError.ts"
import { wordOf } from "./RefusalMetrics.ts"

export interface RefusalLog {
  /** Writes a line if this one is worth it. Never one for what the client alone has to mend, such as a bad body. */
  readonly tell: (error: GatewayError, provider: string) => Effect.Effect<void>
}

export interface Options {
  /** At most one line in this time for each reason, provider and actor; unknown callers share theirs. Default 10 seconds. */
  readonly interval?: Duration.Duration
  /** So many of them are told apart; beyond it new ones get no line until there is room again. Default 1000. */
  readonly maximumEntries?: number
}

/** In the memory of this process. */
export const make = ({ interval = Duration.seconds(10), maximumEntries = 1000 }: Options = {}): RefusalLog => {
  const millis = Duration.toMillis(interval)
  // The one that was told first comes first.
  const told = new Map<string, { readonly until: number; suppressed: number }>()

  // How many were left out since the last line; `undefined` if this one is left out, too.
  const turn = (id: string, now: number): number | undefined => {
    const last = told.get(id)
    if (last !== undefined && now < last.until) {
      last.suppressed++
      return undefined
    }
    if (last === undefined && told.size >= maximumEntries) {
      const [first] = told
      if (first === undefined || now < first[1].until) return undefined
      told.delete(first[0])
    }
    told.delete(id)
    told.set(id, { until: now + millis, suppressed: 0 })
    return last?.suppressed ?? 0
  }

  return {
    tell: ({ reason }, provider) => {
      const facts = factsOf(reason)
      if (facts === undefined) return Effect.void
      return Effect.clockWith((clock) => {
        const id = `${reason._tag} ${provider} ${facts["actor"] ?? ""}`
        const suppressed = turn(id, clock.currentTimeMillisUnsafe())
        if (suppressed === undefined) return Effect.void
        return Effect.annotateLogs(Effect.logWarning("request refused"), {
          provider,
          reason: wordOf(reason),
          ...facts,
          ...(suppressed > 0 && { suppressed })
        })
      })
    }
  }
}

// What a line says; `undefined`: there is none. A circuit's changes have lines of their own, and so has the gateway's end.
const factsOf = (reason: GatewayError["reason"]): Readonly<Record<string, string>> | undefined => {
  switch (reason._tag) {
    case "RateLimited":
      return reason.actor === undefined ? {} : { actor: reason.actor }
    // It is all callers together whom it concerns.
    case "ConcurrencyLimited":
    case "NotRecorded":
      return {}
    // A client that has shown nothing was told what to show.
    case "Unauthorized":
      if (reason.actor === undefined && reason.tokenHint === undefined) return undefined
      return {
        ...(reason.actor !== undefined && { actor: reason.actor }),
        ...(reason.tokenHint !== undefined && { token_hint: reason.tokenHint }),
        detail: reason.detail
      }
    case "InvalidBody":
    case "Forbidden":
    case "RouteNotFound":
    case "MethodNotAllowed":
    case "BodyTooLarge":
    case "BodyIncomplete":
    case "Unsupported":
    case "CircuitOpen":
    case "Draining":
      return undefined
  }
}
