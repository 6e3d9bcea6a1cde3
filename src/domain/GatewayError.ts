/** The refusals that are the gateway's own: what was wrong, and the HTTP status that says so. Dialects give them their shape. */
import * as Schema from "effect/Schema"

/** The body is not a JSON object with a model; `detail` says what it is instead. */
export class InvalidBody extends Schema.TaggedClass<InvalidBody>()("InvalidBody", { detail: Schema.String }) {}

/** No credential for the gateway, or a wrong one, or none to send upstream; `detail` says what to send. */
export class Unauthorized extends Schema.TaggedClass<Unauthorized>()("Unauthorized", {
  detail: Schema.String,
  /** Whose credential it is, if it was one. For the log, which has a line if this or the next is there: the client is not told. */
  actor: Schema.optionalKey(Schema.String),
  /** The masked form of what was shown. */
  tokenHint: Schema.optionalKey(Schema.String)
}) {}

/** The caller may not do this; `detail` says why. */
export class Forbidden extends Schema.TaggedClass<Forbidden>()("Forbidden", { detail: Schema.String }) {}

/** Nothing is served there. */
export class RouteNotFound extends Schema.TaggedClass<RouteNotFound>()("RouteNotFound", {
  method: Schema.String,
  path: Schema.String
}) {}

/** Something is served there, but not with this method. */
export class MethodNotAllowed extends Schema.TaggedClass<MethodNotAllowed>()("MethodNotAllowed", {
  method: Schema.String,
  path: Schema.String,
  /** The methods that are allowed, as in the `Allow` header (RFC 9110 section 10.2.1). */
  allow: Schema.String
}) {}

/** More than the gateway takes. */
export class BodyTooLarge extends Schema.TaggedClass<BodyTooLarge>()("BodyTooLarge", {
  /** In bytes. */
  limit: Schema.Number
}) {}

/** The request ended before its body was complete. */
export class BodyIncomplete extends Schema.TaggedClass<BodyIncomplete>()("BodyIncomplete", {}) {}

/** What the gateway does not do; `detail` says what, and what to do instead. */
export class Unsupported extends Schema.TaggedClass<Unsupported>()("Unsupported", { detail: Schema.String }) {}

/** The provider is overloaded and left alone for a while. */
export class CircuitOpen extends Schema.TaggedClass<CircuitOpen>()("CircuitOpen", {
  /** What remains until the next request may probe. */
  retryAfter: Schema.Duration
}) {}

/** As many requests are under way as the gateway takes at once. */
export class ConcurrencyLimited extends Schema.TaggedClass<ConcurrencyLimited>()("ConcurrencyLimited", {}) {}

/** The actor has sent as many requests as the gateway takes of one. */
export class RateLimited extends Schema.TaggedClass<RateLimited>()("RateLimited", {
  /** What remains until the next one is taken. */
  retryAfter: Schema.Duration,
  /** Who it is, for the log. */
  actor: Schema.optionalKey(Schema.String)
}) {}

/** What happens cannot be recorded at the moment. */
export class NotRecorded extends Schema.TaggedClass<NotRecorded>()("NotRecorded", {}) {}

/** The gateway stops and takes nothing new. */
export class Draining extends Schema.TaggedClass<Draining>()("Draining", {}) {}

/** A refusal, with its message and its status. */
export class GatewayError extends Schema.TaggedError<GatewayError>()("GatewayError", {
  reason: Schema.Union([
    InvalidBody,
    Unauthorized,
    Forbidden,
    RouteNotFound,
    MethodNotAllowed,
    BodyTooLarge,
    BodyIncomplete,
    Unsupported,
    CircuitOpen,
    ConcurrencyLimited,
    RateLimited,
    NotRecorded,
    Draining
  ])
}) {
  override get message(): string {
    switch (this.reason._tag) {
      case "InvalidBody":
        return `invalid request body: ${this.reason.detail}`
      case "Unauthorized":
      case "Forbidden":
      case "Unsupported":
        return this.reason.detail
      case "RouteNotFound":
        return `route not supported: ${this.reason.method} ${this.reason.path}`
      case "MethodNotAllowed":
        return `method ${this.reason.method} is not allowed on ${this.reason.path}, use ${this.reason.allow}`
      case "BodyTooLarge":
        return `request body too large, the maximum is ${formatBytes(this.reason.limit)}`
      case "BodyIncomplete":
        return "request body incomplete"
      case "CircuitOpen":
        return "circuit breaker is open"
      case "ConcurrencyLimited":
        return "the gateway has as many requests under way as it takes at once, try again"
      case "RateLimited":
        return "you have sent as many requests as the gateway takes in a minute, try again later"
      case "NotRecorded":
        return "the gateway cannot record requests at the moment, try again"
      case "Draining":
        return "the gateway is shutting down, try again"
    }
  }

  get status(): number {
    switch (this.reason._tag) {
      case "InvalidBody":
      case "BodyIncomplete":
        return 400
      case "Unauthorized":
        return 401
      case "Forbidden":
        return 403
      case "RouteNotFound":
        return 404
      case "MethodNotAllowed":
        return 405
      case "BodyTooLarge":
        return 413
      case "ConcurrencyLimited":
      case "RateLimited":
        return 429
      case "Unsupported":
        return 501
      case "CircuitOpen":
      case "NotRecorded":
      case "Draining":
        return 503
    }
  }
}

/** A refusal for a reason. */
export const make = (reason: GatewayError["reason"]): GatewayError => new GatewayError({ reason })

const formatBytes = (bytes: number): string =>
  bytes >= 1024 * 1024 && bytes % (1024 * 1024) === 0 ? `${bytes / (1024 * 1024)} MiB` : `${bytes} bytes`
