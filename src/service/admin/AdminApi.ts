/** The admin API as it is described: what `AdminServer` serves, `AdminClient` calls and `/openapi.json` says. */
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { records } from "./RecordsApi.ts"

const instant = Schema.String.annotate({ description: "A date and time of ISO 8601, in UTC." })

/** A key of a pool. Never the key itself. */
export const KeyReport = Schema.Struct({
  provider: Schema.String,
  /** Its place in the pool, from 0. */
  index: Schema.Number,
  /** Its masked form. */
  key: Schema.String,
  state: Schema.Literals(["valid", "temporary", "permanent"]),
  /** Of a temporary one: when it is valid again. */
  until: Schema.optionalKey(instant),
  /** Who has said that it is not valid. */
  why: Schema.optionalKey(Schema.String),
  /** Of a permanent one: when a request tries it again by itself. */
  recheckAt: Schema.optionalKey(instant)
}).annotate({ identifier: "KeyReport" })

/** A provider and the keys of its pool. */
export const PoolReport = Schema.Struct({
  provider: Schema.String,
  type: Schema.String,
  /** None: callers bring their own. */
  keys: Schema.Array(KeyReport)
}).annotate({ identifier: "PoolReport" })

/** A circuit breaker. */
export const BreakerReport = Schema.Struct({
  provider: Schema.String,
  endpoint: Schema.String,
  model: Schema.String,
  state: Schema.Literals(["closed", "half-open", "open"]),
  /** Of an open one: when a request may probe. */
  opensUntil: Schema.optionalKey(instant)
}).annotate({ identifier: "BreakerReport" })

/** Whether requests are to be sent here. Nothing is asked of providers. */
export const Readiness = Schema.Struct({
  status: Schema.Literals(["ready", "starting", "draining", "cannot record"]),
  /** The last reload of the configuration, if it was refused: what was there before goes on. */
  refusedReload: Schema.optionalKey(
    Schema.Struct({
      at: instant,
      /** How much is wrong; what it is stands in the log. */
      problems: Schema.Number
    })
  )
}).annotate({ identifier: "Readiness" })

/** The gateway takes nothing new: it starts, stops, or has no room left for what it would have to record. */
export class NotReady extends Schema.TaggedError<NotReady>()("NotReady", Readiness.fields, { httpApiStatus: 503 }) {}

/** What a reload has changed. */
export const ReloadReport = Schema.Struct({
  changes: Schema.Array(Schema.String),
  /** Settings that have changed, too, but hold from the next start on. */
  needRestart: Schema.Array(Schema.String),
  warnings: Schema.Array(Schema.String)
}).annotate({ identifier: "ReloadReport" })

/** The configuration is wrong; the one before goes on. */
export class ReloadRefused extends Schema.TaggedError<ReloadRefused>()(
  "ReloadRefused",
  { problems: Schema.Array(Schema.String) },
  { httpApiStatus: 422 }
) {
  override get message(): string {
    return this.problems.join("\n")
  }
}

/** There is no such provider, or no such key in its pool. */
export class NoSuchKey extends Schema.TaggedError<NoSuchKey>()(
  "NoSuchKey",
  { message: Schema.String },
  { httpApiStatus: 404 }
) {}

/** Several keys of the pool look like that. */
export class AmbiguousKey extends Schema.TaggedError<AmbiguousKey>()(
  "AmbiguousKey",
  { message: Schema.String },
  { httpApiStatus: 409 }
) {}

/** No admin token, or a wrong one. */
export class NoAdminToken extends Schema.TaggedError<NoAdminToken>()(
  "NoAdminToken",
  { message: Schema.String },
  { httpApiStatus: 401 }
) {}

/** A web page. */
export class ForeignPage extends Schema.TaggedError<ForeignPage>()(
  "ForeignPage",
  { message: Schema.String },
  { httpApiStatus: 403 }
) {}

/** Asks for the admin token where there is one. */
export class AdminAuthorization extends HttpApiMiddleware.Service<AdminAuthorization>()(
  "effect-aibridge/service/AdminAuthorization",
  {
    requiredForClient: true,
    security: { bearer: HttpApiSecurity.bearer },
    error: [NoAdminToken, ForeignPage]
  }
) {}

const describe = (description: string) => OpenApi.annotations({ description })

const health = HttpApiGroup.make("health").add(
  HttpApiEndpoint.get("live", "/livez", {
    success: Schema.Struct({ status: Schema.Literal("alive") })
  }).annotateMerge(describe("Whether the process answers.")),
  HttpApiEndpoint.get("ready", "/readyz", { success: Readiness, error: NotReady }).annotateMerge(
    describe("Whether requests are to be sent here: not while it stops. No provider is asked.")
  )
)

const keyPath = { params: { provider: Schema.String, key: Schema.String } }
const keyErrors = [NoSuchKey, AmbiguousKey]
const keyDescription = "The key is named by its masked form, or by its place in the pool, from 0."

const operations = HttpApiGroup.make("operations")
  .add(
    HttpApiEndpoint.get("version", "/version", {
      success: Schema.Struct({ version: Schema.String, node: Schema.String })
    }).annotateMerge(describe("What runs.")),
    HttpApiEndpoint.get("metrics", "/metrics", {
      success: Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/plain; version=0.0.4; charset=utf-8" }))
    }).annotateMerge(describe("All metrics, for Prometheus.")),
    HttpApiEndpoint.get("config", "/config", {
      success: Schema.Record(Schema.String, Schema.Unknown)
    }).annotateMerge(describe("The configuration as it holds, secrets masked.")),
    HttpApiEndpoint.get("pools", "/pools", { success: Schema.Array(PoolReport) }).annotateMerge(
      describe("The keys of all providers and their states.")
    ),
    HttpApiEndpoint.post("reset", "/pools/:provider/keys/:key/reset", {
      ...keyPath,
      success: KeyReport,
      error: keyErrors
    }).annotateMerge(describe(`Makes a key usable from now on. ${keyDescription}`)),
    HttpApiEndpoint.post("disable", "/pools/:provider/keys/:key/disable", {
      ...keyPath,
      success: KeyReport,
      error: keyErrors
    }).annotateMerge(describe(`Sets a key aside until it is reset. ${keyDescription}`)),
    HttpApiEndpoint.get("breakers", "/breakers", { success: Schema.Array(BreakerReport) }).annotateMerge(
      describe("The circuit breakers that there are.")
    ),
    HttpApiEndpoint.post("reload", "/reload", { success: ReloadReport, error: ReloadRefused }).annotateMerge(
      describe("Reads the configuration again. If it is wrong nothing changes.")
    )
  )
  .middleware(AdminAuthorization)

/** The admin API. */
export class AdminApi extends HttpApi.make("aibridge-admin")
  .add(health)
  .add(operations)
  .add(records.middleware(AdminAuthorization))
  .annotateMerge(
    OpenApi.annotations({
      title: "effect-aibridge admin API",
      version: "1",
      description: "For those who look after a gateway."
    })
  ) {}
