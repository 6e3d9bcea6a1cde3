/**
 * Everything that can be configured, as one schema: of the configuration file and, by the same names in capitals, of the
 * environment (`ConfigSource`). What belongs together is checked in `ServiceConfig`.
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { InvalidKeys, refusal } from "../keys/InvalidKeys.ts"
import type { KeyFailurePolicy } from "../keys/KeyFailurePolicy.ts"
import * as FailurePolicy from "../keys/KeyFailurePolicy.ts"
import type { BetaFlag, ExemptField } from "../providers/bedrock/ModelTables.ts"
import { regionPattern } from "../providers/Bedrock.ts"
import { statusProblem } from "../providers/CircuitBreakerOptions.ts"
import { namePattern, parseBaseUrl } from "../providers/Provider.ts"
import { extraHeaders } from "./ExtraHeadersConfig.ts"
import * as RecordConfig from "./RecordConfig.ts"
import * as Setting from "./Setting.ts"
import type { Reading } from "./Setting.ts"
import * as TelemetryConfig from "./TelemetryConfig.ts"
import * as TokenConfig from "./TokenConfig.ts"
import * as ToolConfig from "./ToolConfig.ts"
import * as Vendors from "./Vendors.ts"

const { list, textAs } = Setting

const keys = list((entries): Reading<ReadonlyArray<Redacted.Redacted<string>>> => {
  const refused = refusal(entries)
  return refused === undefined
    ? Result.succeed(entries.map((entry) => Redacted.make(entry)))
    : Result.fail(new InvalidKeys({ provider: "", reason: refused }).message)
})

const baseUrl = textAs((value): Reading<string> => {
  const parsed = parseBaseUrl(value)
  return typeof parsed === "string" ? Result.fail(parsed) : Result.succeed(value)
})

const statuses = list((entries): Reading<ReadonlyArray<number>> => {
  const found = entries.map((entry) => (/^\d+$/.test(entry) ? Number(entry) : Number.NaN))
  const problem = statusProblem(new Set(found))
  return problem === undefined ? Result.succeed(found) : Result.fail(problem)
})

// An empty one would be a part of every model's name.
const models = list((entries): Reading<ReadonlyArray<string>> => {
  const empty = entries.indexOf("")
  return empty < 0 ? Result.succeed(entries) : Result.fail(`entry at index ${empty} is empty`)
})

/** `name:model`, and `name` alone if `orName`. */
const pairs = <A>(orName: boolean, make: (name: string, model: string | undefined) => A) =>
  list((entries): Reading<ReadonlyArray<A>> => {
    const found: Array<A> = []
    for (const [index, entry] of entries.entries()) {
      if (entry === "") return Result.fail(`entry at index ${index} is empty`)
      const [, name, model] = /^([^:]*[^:\s])\s*:\s*(\S+)$/.exec(entry) ?? []
      if (name !== undefined && model !== undefined) found.push(make(name, model))
      else if (orName && !entry.includes(":")) found.push(make(entry, undefined))
      else return Result.fail(`entry "${entry}" is not of the form name:model`)
    }
    return Result.succeed(found)
  })

const betaFlags = pairs(true, (flag, model): BetaFlag => (model === undefined ? { flag } : { flag, models: [model] }))

const exemptFields = pairs(false, (field, model = ""): ExemptField => ({ field, models: [model] }))

const proxy = textAs((value): Reading<string> => {
  // As other programs do: a host alone means plain HTTP.
  const url = value.includes("://") ? value : `http://${value}`
  const protocol = URL.parse(url)?.protocol
  return protocol === "http:" || protocol === "https:"
    ? Result.succeed(url)
    : Result.fail("must be the URL of a proxy, such as http://proxy.example:3128")
})

const type = textAs((value): Reading<Vendors.Type> =>
  Vendors.isType(value) ? Result.succeed(value) : Result.fail(`unknown TYPE, use ${Vendors.types.join(", ")}`)
)

const name = textAs((value): Reading<string> =>
  namePattern.test(value)
    ? Result.succeed(value)
    : Result.fail("must contain only lowercase alphanumeric characters and hyphens")
)

const region = textAs((value): Reading<string> =>
  regionPattern.test(value) ? Result.succeed(value) : Result.fail("region must be one of AWS, such as us-east-1")
)

const keyFailurePolicy = textAs((value): Reading<KeyFailurePolicy> =>
  value === "strict" || value === "lenient"
    ? Result.succeed(FailurePolicy[value])
    : Result.fail("unknown policy, use strict or lenient")
)

const group = <Fields extends Schema.Struct.Fields>(fields: Fields) =>
  Schema.optionalKey(Schema.Struct(fields).annotate({ message: "must hold settings by their names" }))

// A secret may be in a file of its own; `ConfigSource` reads it and puts it in its place.
function inFiles<Name extends string>(names: ReadonlyArray<Name>) {
  const field = Setting.text("A file that holds the setting of this name without File.")
  return Object.fromEntries(names.map((each) => [`${each}File`, field])) as {
    readonly [name in Name as `${name}File`]: typeof field
  }
}

const circuitBreaker = {
  enabled: Setting.flag("Whether an overloaded provider is left alone for a while. Default false."),
  failureThreshold: Setting.number(1, 4_294_967_295)("So many failures in a row open a circuit. Default 5."),
  interval: Setting.time({ orZero: true })("How often a closed circuit forgets; 0s: never. Default 10s."),
  timeout: Setting.time()("How long a circuit stays open before one request may probe. Default 30s."),
  statuses: statuses("The statuses that are failures. Default 503 and 529."),
  countStreamErrors: Setting.flag("Whether a stream that begins with 200 and dies counts. Default false."),
  maxRequests: Setting.text("Not offered: one request probes at a time, and its success closes the circuit.")
}

const bedrock = {
  region: region("Such as us-east-1. Default: the one in the base URL; one of the two is needed."),
  baseUrl: baseUrl("Default: Bedrock's own in the region."),
  model: Setting.text("The model, inference profile or ARN that is asked."),
  smallFastModel: Setting.text("The one that is asked if a client names a Haiku."),
  accessKey: keys("One access key, as accessKeys."),
  accessKeys: keys("A pool of access keys. Default: what the default chain of the AWS SDKs finds."),
  accessKeySecret: keys("One secret, as accessKeySecrets."),
  accessKeySecrets: keys("The secret of each access key."),
  ...inFiles(["accessKey", "accessKeys", "accessKeySecret", "accessKeySecrets"]),
  modelFamily: Setting.text("What the model is, if its ARN does not say it."),
  smallFastModelFamily: Setting.text("What the small fast model is, if its ARN does not say it."),
  requiresAdaptiveThinking: models("Parts of the names of further models that only think adaptively."),
  supportsAdaptiveThinking: models("Parts of the names of further models that can think adaptively."),
  betaFlags: betaFlags("Further flags that Bedrock takes: flag for all models, flag:model for some."),
  exemptFields: exemptFields("field:model, members of a request that stay although their flag is not sent.")
}

const provider = {
  type: type(`What it is: ${Vendors.types.join(", ")}.`),
  name: name("The instance's name; it is mounted at /<name>. Default: the type."),
  key: keys("The same as keys."),
  keys: keys("Up to 100 keys, in order of preference. Default: callers bring their own."),
  ...inFiles(["key", "keys"]),
  baseUrl: baseUrl("Default: the vendor's own."),
  allowByok: Setting.flag("Whether callers may bring a key of their own. Default as for all."),
  keyFailurePolicy: keyFailurePolicy("What 401 and 403 do to a key: strict or lenient. Default strict."),
  cooldown: Setting.times()(
    "How long a limited key rests if nobody says so, for a row of limits the next one. Default 60s."
  ),
  dumpDir: Setting.text("Where its requests and answers are written to files. Default as for all; empty: nowhere."),
  upstreamTimeout: Setting.time()("How long it may take to begin its answer. Default as for all."),
  idleTimeout: Setting.time()("How long it may be silent within an answer. Default as for all."),
  totalTimeout: Setting.time()("How long a request to it may take, all attempts together. Default as for all."),
  recheck: Setting.time()("How long after a refusal one request tries a key again. Default: never."),
  extraHeaders: extraHeaders("Headers that are sent with every request to it, by their names. Default none."),
  ...inFiles(["extraHeaders"]),
  circuitBreaker: group(circuitBreaker),
  bedrock: group(bedrock)
}

const mcpServer = {
  name: ToolConfig.name("What it is called in the names of its tools: bmcp_<name>_<tool>."),
  url: ToolConfig.url("Where it takes requests (Streamable HTTP)."),
  headers: ToolConfig.headers("Headers that are sent with every request to it, by their names. Default none."),
  ...inFiles(["headers"]),
  allow: ToolConfig.patterns("Its tools with a match for this regular expression in their names. Default all."),
  deny: ToolConfig.patterns("Not those with a match for this one, whatever allow says. Default none.")
}

// How the reference system was configured before it had lists of providers.
const single = {
  key: keys("The keys of the provider of this type, if there is one of it and no list of providers."),
  ...inFiles(["key"]),
  baseUrl: baseUrl("Its base URL.")
}

// Of the reference system: understood, so that nobody looks for a typo, but not offered (`NotOffered`).
const notOffered = {
  enabled: Setting.flag("Not offered: to switch the gateway off, do not start it. May be true."),
  injectCoderMcpTools: Setting.flag("Not offered: tools come from mcpServers. May be false.")
}

const record = {
  databaseUrl: RecordConfig.databaseUrl("sqlite:<path>, postgres://... or none. Default sqlite:data/aibridge.db."),
  ...inFiles(["databaseUrl"]),
  recordContent: Setting.flag("Whether prompts, tool arguments and thoughts are kept, too. Default true."),
  recordFailure: RecordConfig.recordFailure("What becomes of requests that cannot be recorded. Default refuse."),
  clientGone: RecordConfig.clientGone(
    "What becomes of an answer whose client has left: abort, or drain to read its usage. Default abort."
  ),
  retention: Setting.time({ orZero: true })("How long interceptions are kept; 0s: for ever. Default 60d.")
}

const telemetry = {
  otlpEndpoint: TelemetryConfig.endpoint(
    "Where metrics and traces are sent: an OTLP collector over HTTP. Default: nowhere."
  ),
  otlpHeaders: TelemetryConfig.headers(
    "name=value for each header sent with them, values percent-encoded. Default none."
  ),
  ...inFiles(["otlpHeaders"]),
  otlpSignals: TelemetryConfig.signals("What is sent: traces, metrics or both. Default both."),
  serviceName: Setting.text("What the gateway is called there. Default aibridge."),
  propagateTraceContext: Setting.flag("Whether providers are told the trace of a request. Default false."),
  metricsActors: Setting.flag("Whether metrics say who called, by name. Default false."),
  metricsModels: Setting.number(1, 10_000)("How many models metrics name, and tools, routes and callers. Default 100.")
}

const all = {
  host: Setting.text("The address to listen on. Default 127.0.0.1."),
  port: Setting.number(0, 65_535)("The port to listen on, 0 for any free one. Default 8787."),
  tokens: TokenConfig.tokens("name=token for each caller. Default: open, on loopback only."),
  ...inFiles(["tokens"]),
  adminHost: Setting.text("The address of the admin API. Default 127.0.0.1."),
  adminPort: Setting.number(0, 65_535)("The port of the admin API, 0 for any free one. Default 8788."),
  adminToken: Setting.secret("The token of the admin API. Default: open, on loopback only."),
  ...inFiles(["adminToken"]),
  shutdownTimeout: Setting.time()("How long requests under way may take when the gateway is stopped. Default 30s."),
  requestTimeout: Setting.time()("How long a client may take to send a request. Default 5m."),
  upstreamTimeout: Setting.time()("How long a provider may take to begin its answer. Default 10m."),
  idleTimeout: Setting.time()("How long a provider may be silent within an answer. Default 10m."),
  totalTimeout: Setting.time()("How long a request may take from its last byte to that of its answer. Default 1h."),
  maximumBodySize: Setting.size(1, 1_073_741_824)("The largest request body. Default 32MiB."),
  maximumHeaderSize: Setting.size(8192, 1_048_576)("The largest head of a request. Default 64KiB."),
  structuredLogging: Setting.flag("Whether log lines are JSON. Default false: logfmt."),
  maxConcurrency: Setting.number(0, 1_000_000)("How many requests may be under way at once. Default 0: any number."),
  rateLimit: Setting.number(0, 1_000_000)("How many requests a caller may send in a minute. Default 0: any number."),
  allowByok: Setting.flag("Whether callers may bring a provider key of their own. Default true."),
  dumpDir: Setting.text("Where requests and answers are written to files, for debugging. Default: nowhere."),
  sendActorHeaders: Setting.flag("Whether providers are told who calls. Default false."),
  httpProxy: proxy("For the way to providers at http. Default none."),
  httpsProxy: proxy("For the way to providers at https. Default none."),
  noProxy: Setting.text("Hosts that are reached without a proxy, comma-separated. Default none."),
  toolIterations: Setting.number(
    1,
    1000
  )("How often tools of MCP servers are run for a request before the model is told to do without. Default 10."),
  toolTimeout: Setting.time()("How long one call of such a tool may take. Default 60s."),
  toolResultSize: Setting.size(1024, 67_108_864)("How large its result may be. Default 1MiB."),
  ...telemetry,
  ...notOffered,
  ...record,
  circuitBreaker: group(circuitBreaker),
  openai: group(single),
  anthropic: group(single),
  bedrock: group(bedrock),
  providers: Schema.optionalKey(Schema.Array(Schema.Struct(provider))),
  mcpServers: Schema.optionalKey(Schema.Array(Schema.Struct(mcpServer)))
}

/** What a file holds; the environment is read as if it were one. */
export const ConfigSchema = Schema.Struct(all)

export type Config = typeof ConfigSchema.Type
export type ProviderSettings = Schema.Schema.Type<Schema.Struct<typeof provider>>
export type CircuitBreakerSettings = Schema.Schema.Type<Schema.Struct<typeof circuitBreaker>>
export type BedrockSettings = Schema.Schema.Type<Schema.Struct<typeof bedrock>>

/** Where each setting is: those of all, those of one provider, and those of one MCP server. */
export const places: { readonly [scope in "all" | "provider" | "mcpServer"]: ReadonlyArray<ReadonlyArray<string>> } = {
  all: [
    ...leaves(all),
    ...leaves(circuitBreaker, "circuitBreaker"),
    ...leaves(single, "openai"),
    ...leaves(single, "anthropic"),
    ...leaves(bedrock, "bedrock")
  ],
  provider: [...leaves(provider), ...leaves(circuitBreaker, "circuitBreaker"), ...leaves(bedrock, "bedrock")],
  mcpServer: leaves(mcpServer)
}

function leaves(fields: object, ...above: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> {
  const groups = new Set(["circuitBreaker", "bedrock", "openai", "anthropic", "providers", "mcpServers"])
  return Object.keys(fields)
    .filter((field) => !groups.has(field))
    .map((field) => above.concat(field))
}
