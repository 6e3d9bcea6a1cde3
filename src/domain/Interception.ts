/** One bridged client request with all its attempts and its answer. */

/** Carries an interception's id to the client. */
export const idHeader = "x-aibridge-interception-id"

/** A new id (UUID v4). */
export const nextId = (): string => crypto.randomUUID()

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
