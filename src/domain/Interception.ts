/** One bridged client request with all its attempts and its answer. */

/** Carries an interception's id to the client. */
export const idHeader = "x-aibridge-interception-id"

/**
 * A new id: a UUID v7, which begins with the time, so that an index gets new ones at its end.
 *
 * @param now epoch milliseconds
 */
export const nextId = (now: number): string => {
  const time = Math.max(0, Math.trunc(now)).toString(16).padStart(12, "0").slice(-12)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${crypto.randomUUID().slice(15)}`
}

/** How an interception ended. */
export type EndReason =
  /** The client has the whole answer, whatever its status. */
  | "complete"
  /** No answer came: unreachable, reset before an answer, silent too long. */
  | "upstream_error"
  /** The answer broke off. */
  | "upstream_cut"
  /** The client left before the end. */
  | "client_gone"
  /** No key was left. */
  | "exhausted"
  /** A circuit breaker was open: nothing was sent upstream. */
  | "circuit_open"
  /** All of it took longer than the gateway lets a request take. */
  | "timeout"
  /** The gateway has stopped before the end. */
  | "shutdown"
  /** The process that answered it has ended without a word: what the client got is not known. Only found in what was recorded. */
  | "unknown"
