/** What can go wrong between us and an upstream before its answer is complete. None of it says anything about a key. */
import * as Schema from "effect/Schema"

/** No answer: refused, reset before an answer, unknown host, TLS failure. */
export class Unreachable extends Schema.TaggedClass<Unreachable>()("Unreachable", {
  /** The system's or the client's short code for it, such as `ECONNREFUSED`. Never a text that could hold a secret. */
  code: Schema.String
}) {}

/** It took longer than the limit. */
export class TimedOut extends Schema.TaggedClass<TimedOut>()("TimedOut", {
  /** Of what: the upstream's silence, or the whole request with all its attempts, which the gateway has then ended itself. */
  limit: Schema.Literals(["silence", "total"])
}) {}

/** The answer had begun and ended before it was complete. */
export class Cut extends Schema.TaggedClass<Cut>()("Cut", { code: Schema.String }) {}

/** The gateway itself has ended the answer, because it stops. */
export class Stopped extends Schema.TaggedClass<Stopped>()("Stopped", {}) {}

/** There is nothing to sign a request with, so it was not sent. */
export class NoCredentials extends Schema.TaggedClass<NoCredentials>()("NoCredentials", {
  /** What is missing, for the client. */
  summary: Schema.String,
  /** Why, in one short line, for the log: it may name roles and accounts. Never a text that could hold a secret. */
  detail: Schema.String
}) {}

/** An upstream call that gave no complete answer. */
export class UpstreamError extends Schema.TaggedError<UpstreamError>()("UpstreamError", {
  reason: Schema.Union([Unreachable, TimedOut, Cut, Stopped, NoCredentials])
}) {
  override get message(): string {
    switch (this.reason._tag) {
      case "Unreachable":
        return `upstream unreachable (${this.reason.code})`
      case "TimedOut":
        return this.reason.limit === "silence"
          ? "upstream timed out"
          : "the request took longer than the gateway lets one take"
      case "Cut":
        return "upstream closed the stream early"
      case "Stopped":
        return "the gateway is shutting down, try again"
      case "NoCredentials":
        return this.reason.summary
    }
  }
}

/** @param code short and harmless, such as `ECONNREFUSED` */
export const unreachable = (code: string): UpstreamError => new UpstreamError({ reason: new Unreachable({ code }) })

/** @param limit what took too long. Default `silence` */
export const timedOut = (limit: TimedOut["limit"] = "silence"): UpstreamError =>
  new UpstreamError({ reason: new TimedOut({ limit }) })

/** @param code short and harmless, such as `ECONNRESET` */
export const cut = (code: string): UpstreamError => new UpstreamError({ reason: new Cut({ code }) })

/** Ended by the gateway. */
export const stopped = (): UpstreamError => new UpstreamError({ reason: new Stopped({}) })

/** @param detail one short and harmless line, for the log */
export const noCredentials = (summary: string, detail: string): UpstreamError =>
  new UpstreamError({ reason: new NoCredentials({ summary, detail }) })

/**
 * The short code of a client's or the system's error, if it has a harmless one. Only the code: messages may hold hosts,
 * headers and more.
 */
export const codeOf = (cause: unknown): string => {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined
  return typeof code === "string" && /^[A-Z0-9_]{1,60}$/.test(code) ? code : "UNKNOWN"
}
