/** The part of the admin API that reads back what was recorded: its description. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"

const instant = Schema.String.annotate({ description: "A date and time of ISO 8601, in UTC." })
// JSON has no undefined: what is not known is left out.
const optional = <S extends Schema.Top>(schema: S) => Schema.optional(schema)

/** One interception as it stands in a list. What is not known is left out. */
export const InterceptionReport = Schema.Struct({
  id: Schema.String,
  startedAt: instant,
  actor: Schema.String,
  provider: Schema.String,
  providerType: Schema.String,
  endpoint: Schema.String,
  model: Schema.String,
  stream: Schema.Boolean,
  credentialKind: Schema.String,
  client: Schema.String,
  userAgent: optional(Schema.String),
  session: optional(Schema.String),
  /** Left out as long as it is under way. */
  end: optional(
    Schema.Struct({
      at: instant,
      reason: Schema.String,
      status: optional(Schema.Number),
      attempts: Schema.Number,
      credentialHint: optional(Schema.String),
      usageQuality: Schema.String,
      parentId: optional(Schema.String),
      rootId: Schema.String
    })
  )
}).annotate({ identifier: "InterceptionReport" })

const tokens = {
  input: Schema.Number,
  output: Schema.Number,
  cacheRead: Schema.Number,
  cacheWrite: Schema.Number
}

/** One interception with all that happened in it. */
export const InterceptionDetails = Schema.Struct({
  ...InterceptionReport.fields,
  attempts: Schema.Array(
    Schema.Struct({
      number: Schema.Number,
      at: instant,
      credentialHint: Schema.String,
      status: optional(Schema.Number),
      failure: optional(Schema.String),
      /** In milliseconds, to the head of the answer. */
      duration: Schema.Number
    })
  ),
  prompts: Schema.Array(Schema.String),
  tokens: Schema.Array(
    Schema.Struct({ ...tokens, extra: Schema.Record(Schema.String, Schema.Number), quality: Schema.String })
  ),
  tools: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      name: Schema.String,
      args: Schema.String,
      injected: Schema.Boolean,
      /** Of an injected one that is a server's. */
      serverUrl: optional(Schema.String),
      error: optional(Schema.String)
    })
  ),
  thoughts: Schema.Array(Schema.Struct({ source: Schema.String, text: Schema.String }))
}).annotate({ identifier: "InterceptionDetails" })

/** What an actor has used of a model on a day. */
export const UsageReport = Schema.Struct({
  day: Schema.String,
  actor: Schema.String,
  model: Schema.String,
  interceptions: Schema.Number,
  ...tokens
}).annotate({ identifier: "UsageReport" })

/** Nothing was recorded under that id. */
export class NoSuchInterception extends Schema.TaggedError<NoSuchInterception>()(
  "NoSuchInterception",
  { message: Schema.String },
  { httpApiStatus: 404 }
) {}

/** A filter, a cursor or a limit that cannot be. */
export class BadQuery extends Schema.TaggedError<BadQuery>()(
  "BadQuery",
  { message: Schema.String },
  { httpApiStatus: 400 }
) {}

/** The database does not answer, or there is none. */
export class NoRecords extends Schema.TaggedError<NoRecords>()(
  "NoRecords",
  { message: Schema.String },
  { httpApiStatus: 503 }
) {}

const filter = {
  actor: optional(Schema.String),
  client: optional(Schema.String),
  session: optional(Schema.String),
  model: optional(Schema.String),
  from: optional(Schema.String),
  to: optional(Schema.String)
}

const describe = (description: string) => OpenApi.annotations({ description })

/** Those who look after a gateway ask who used what. */
export const records = HttpApiGroup.make("records").add(
  HttpApiEndpoint.get("list", "/interceptions", {
    query: { ...filter, cursor: optional(Schema.String), limit: optional(Schema.NumberFromString) },
    success: Schema.Struct({ interceptions: Schema.Array(InterceptionReport), next: optional(Schema.String) }),
    error: [BadQuery, NoRecords]
  }).annotateMerge(
    describe(
      "Interceptions, the latest first. `from` and `to` are dates, or dates and times; `next` is the next page's cursor."
    )
  ),
  HttpApiEndpoint.get("get", "/interceptions/:id", {
    params: { id: Schema.String },
    success: InterceptionDetails,
    error: [NoSuchInterception, NoRecords]
  }).annotateMerge(describe("One interception with its attempts, prompts, tokens, tools and thoughts.")),
  HttpApiEndpoint.get("usage", "/usage", {
    query: filter,
    success: Schema.Array(UsageReport),
    error: [BadQuery, NoRecords]
  }).annotateMerge(describe("Tokens by day, actor and model."))
)
