/** The settings of the Node service, out of variables and a file. Every message names the setting and never its secret. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Token } from "../inbound/Authenticator.ts"
import type * as CircuitBreakerOptions from "../providers/CircuitBreakerOptions.ts"
import * as AdminConfig from "./AdminConfig.ts"
import * as CircuitBreakerConfig from "./CircuitBreakerConfig.ts"
import type { Config } from "./ConfigSchema.ts"
import { ConfigSchema, places } from "./ConfigSchema.ts"
import type { Environment } from "./ConfigSource.ts"
import * as ConfigSource from "./ConfigSource.ts"
import type { ProviderConfig } from "./ProviderConfig.ts"
import * as NotOffered from "./NotOffered.ts"
import * as Providers from "./ProviderConfig.ts"
import * as RecordConfig from "./RecordConfig.ts"
import * as TelemetryConfig from "./TelemetryConfig.ts"
import * as TokenConfig from "./TokenConfig.ts"
import * as ToolConfig from "./ToolConfig.ts"

export type { Environment } from "./ConfigSource.ts"
export type { ProviderConfig } from "./ProviderConfig.ts"

/** All settings, checked. */
export interface ServiceConfig {
  /** `AIBRIDGE_HOST`. Default `127.0.0.1`. */
  readonly host: string
  /** `AIBRIDGE_PORT`, 0 for any free one. Default 8787. */
  readonly port: number
  /** `AIBRIDGE_TOKENS`: `name=token` or `name=sha256:<its hash>`, comma-separated. None: open, on loopback only. */
  readonly tokens: ReadonlyArray<Token>
  /** `AIBRIDGE_ADMIN_HOST`, `AIBRIDGE_ADMIN_PORT` and `AIBRIDGE_ADMIN_TOKEN`. */
  readonly admin: AdminConfig.AdminConfig
  /** `AIBRIDGE_PROVIDER_<N>_...`, N from 0. None: the simulated ones. */
  readonly providers: ReadonlyArray<ProviderConfig>
  /** `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in upper or lower case. */
  readonly proxy: { readonly httpProxy?: string; readonly httpsProxy?: string; readonly noProxy?: string }
  /** `AIBRIDGE_SEND_ACTOR_HEADERS`: whether upstreams are told on whose behalf bridged requests are made. Default false. */
  readonly sendActorHeaders: boolean
  /** `AIBRIDGE_STRUCTURED_LOGGING`: whether log lines are JSON. Default false: logfmt. */
  readonly structuredLogging: boolean
  /** `AIBRIDGE_SHUTDOWN_TIMEOUT`: how long requests under way may take when the service is stopped. Default 30 seconds. */
  readonly shutdownTimeout: Duration.Duration
  /** `AIBRIDGE_REQUEST_TIMEOUT`, `_UPSTREAM_TIMEOUT`, `_IDLE_TIMEOUT`, `_TOTAL_TIMEOUT`, `_MAXIMUM_BODY_SIZE` and `_MAXIMUM_HEADER_SIZE`. */
  readonly limits: Limits
  /** `AIBRIDGE_MAX_CONCURRENCY`: how many requests may be under way at once. Default 0: any number. */
  readonly maxConcurrency: number
  /** `AIBRIDGE_RATE_LIMIT`: how many requests a caller may send in a minute. Default 0: any number. */
  readonly rateLimit: number
  /** `AIBRIDGE_ALLOW_BYOK`: what holds where a provider says nothing itself. Default true. */
  readonly allowByok: boolean
  /** `AIBRIDGE_DUMP_DIR`: what holds where a provider says nothing itself. Default none. */
  readonly dumpDir: string | undefined
  /** `AIBRIDGE_CIRCUIT_BREAKER_...`: what holds where a provider says nothing itself. Default off. */
  readonly circuitBreaker: CircuitBreakerOptions.Options | undefined
  /** `AIBRIDGE_DATABASE_URL`, `_RECORD_CONTENT`, `_RECORD_FAILURE`, `_CLIENT_GONE` and `_RETENTION`. */
  readonly record: RecordConfig.RecordConfig
  /** `AIBRIDGE_OTLP_...`, `_SERVICE_NAME`, `_PROPAGATE_TRACE_CONTEXT`, `_METRICS_ACTORS` and `_METRICS_MODELS`. */
  readonly telemetry: TelemetryConfig.TelemetryConfig
  /** `AIBRIDGE_MCP_<N>_...`, `AIBRIDGE_TOOL_ITERATIONS`, `_TIMEOUT` and `_RESULT_SIZE`. */
  readonly tools: ToolConfig.ToolConfig
  /** What looks like a mistake but stops nothing. */
  readonly warnings: ReadonlyArray<string>
}

/** How long and how large things may be. Sizes in bytes. */
export interface Limits {
  /** How long a client may take to send a request, its body included. Default 5 minutes. */
  readonly requestTimeout: Duration.Duration
  /** How long a provider may take to begin its answer. Default 10 minutes. */
  readonly upstreamTimeout: Duration.Duration
  /** How long a provider may be silent within an answer. Default 10 minutes. */
  readonly idleTimeout: Duration.Duration
  /** How long a request may take from when it was read to the end of its answer. Default 1 hour. */
  readonly totalTimeout: Duration.Duration
  /** Default 32 MiB. */
  readonly maximumBodySize: number
  /** Default 64 KiB. */
  readonly maximumHeaderSize: number
}

/** Everything that is wrong, each with the setting's name and what to do. */
export class InvalidConfig extends Schema.TaggedError<InvalidConfig>()("InvalidConfig", {
  problems: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return this.problems.join("\n")
  }
}

/** The names of all variables that are settings, those of a provider's behind `AIBRIDGE_PROVIDER_<N>_`, and those of an MCP server's behind `AIBRIDGE_MCP_<N>_`. */
export const variables: { readonly [scope in keyof typeof places]: ReadonlyArray<string> } = {
  all: places.all
    .filter(([name = ""]) => !name.endsWith("roxy"))
    .map((place) => `AIBRIDGE_${ConfigSource.constantCase(place)}`),
  provider: places.provider.map((place) => ConfigSource.constantCase(place)),
  mcpServer: places.mcpServer.map((place) => ConfigSource.constantCase(place))
}

/** The JSON Schema (draft 2020-12) of the file. */
export const jsonSchema: unknown = (() => {
  const { schema, definitions } = Schema.toJsonSchemaDocument(ConfigSchema, { onExcessProperty: "error" })
  const $schema = "https://json-schema.org/draft/2020-12/schema"
  return { $schema, title: "effect-aibridge", ...schema, $defs: definitions }
})()

/** Variables alone. Fails with everything that is wrong at once. */
export const fromEnvironment = (environment: Environment): Effect.Effect<ServiceConfig, InvalidConfig> =>
  load({ environment, readFile: () => Result.fail("UNSUPPORTED") })

/** Reads and checks all settings; fails with everything that is wrong at once. */
export const load = (options: ConfigSource.Options): Effect.Effect<ServiceConfig, InvalidConfig> =>
  Effect.clockWith((clock) => {
    const source = ConfigSource.find(options)
    const config = resolve(decode(source), source, clock.currentTimeMillisUnsafe())
    return source.problems.length > 0 ? new InvalidConfig({ problems: source.problems }) : Effect.succeed(config)
  })

/** Only where the admin API is and who may use it: whatever else is wrong, the gateway that runs can be asked. */
export const loadAdmin = (options: ConfigSource.Options): Effect.Effect<AdminConfig.AdminConfig, InvalidConfig> =>
  Effect.suspend(() => {
    const source = ConfigSource.find(options)
    const config = decode(source)
    const isUnread =
      options.file !== undefined && source.problems.some((problem) => problem.startsWith(`${options.file}: cannot`))
    if (
      isUnread ||
      ["adminHost", "adminPort", "adminToken", "adminTokenFile"].some((name) => source.hasProblem([name]))
    ) {
      return new InvalidConfig({ problems: source.problems })
    }
    return Effect.succeed(AdminConfig.resolve(config, { tokens: [], secrets: [] }, source))
  })

// What is wrong is told and left out, so that what else is wrong is told, too.
const decode = (source: ConfigSource.ConfigSource): Config => {
  const decoded = decodeTree(source.tree)
  if (Result.isSuccess(decoded)) return decoded.success
  for (const { path = [], message } of issuesOf(decoded.failure.issue).issues) {
    const place = path
      .map((part) => (typeof part === "object" ? part.key : part))
      .map((part) => (typeof part === "number" ? part : String(part)))
    // A token's could have been meant as a limit of it.
    if (message === unknown && place[0] === "tokens") source.problem(place, "no setting of a token (check for typos)")
    else if (message === unknown)
      source.warnings.push(`ignoring unknown option ${source.nameOf(place)} (check for typos)`)
    else if (source.has(place) || !source.hasProblem(place)) source.problem(place, message)
    if (!source.has(place)) return {}
    source.remove(place)
  }
  return decode(source)
}

const decodeTree = Schema.decodeUnknownResult(ConfigSchema, { errors: "all", onExcessProperty: "error" })

const unknown = "unknown"

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) =>
    issue._tag === "UnexpectedKey" ? unknown : SchemaIssue.defaultLeafHook(issue).replace(/^Expected /, "must be ")
})

const resolve = (config: Config, source: ConfigSource.ConfigSource, now: number): ServiceConfig => {
  const { httpProxy, httpsProxy, noProxy, tokens = [], circuitBreaker = {} } = config
  const host = config.host ?? "127.0.0.1"
  NotOffered.tell(config, source)
  CircuitBreakerConfig.warn(circuitBreaker, ["circuitBreaker"], source)
  const providers = Providers.resolveAll(config, source)
  if (tokens.length === 0 && !AdminConfig.isLoopback(host)) {
    source.problem(
      ["tokens"],
      `must be set while ${source.nameOf(["host"])} is ${host}: without tokens anybody who reaches that address ` +
        `could use your keys. Set ${source.nameOf(["tokens"])}=name=token, or listen on 127.0.0.1`
    )
  }
  const shared = tokens.find(({ token }) =>
    providers.some((provider) => secretsOf(provider).some((secret) => TokenConfig.isToken(secret, token)))
  )
  if (shared !== undefined) {
    source.problem(["tokens"], `the token of ${shared.name} is also a provider key: a token must be one of its own`)
  }
  warnOfUnknownProviders(tokens, providers, source)
  TokenConfig.warnOfExpiry(tokens, now, source)
  return {
    host,
    port: config.port ?? 8787,
    tokens,
    admin: AdminConfig.resolve(config, { tokens, secrets: providers.flatMap(secretsOf) }, source),
    providers,
    proxy: { ...(httpProxy && { httpProxy }), ...(httpsProxy && { httpsProxy }), ...(noProxy && { noProxy }) },
    sendActorHeaders: config.sendActorHeaders ?? false,
    maxConcurrency: config.maxConcurrency ?? 0,
    rateLimit: config.rateLimit ?? 0,
    allowByok: config.allowByok ?? true,
    dumpDir: config.dumpDir || undefined,
    structuredLogging: config.structuredLogging ?? false,
    shutdownTimeout: config.shutdownTimeout ?? Duration.seconds(30),
    limits: {
      requestTimeout: config.requestTimeout ?? Duration.minutes(5),
      upstreamTimeout: config.upstreamTimeout ?? Duration.minutes(10),
      idleTimeout: config.idleTimeout ?? Duration.minutes(10),
      totalTimeout: config.totalTimeout ?? Duration.hours(1),
      maximumBodySize: config.maximumBodySize ?? 32 * 1024 * 1024,
      maximumHeaderSize: config.maximumHeaderSize ?? 64 * 1024
    },
    circuitBreaker: CircuitBreakerConfig.options(circuitBreaker),
    record: RecordConfig.resolve(config),
    telemetry: TelemetryConfig.resolve(config),
    tools: ToolConfig.resolve(config, source),
    warnings: source.warnings
  }
}

// Reported, not refused: it is a mistake that opens nothing.
const warnOfUnknownProviders = (
  tokens: ReadonlyArray<Token>,
  providers: ReadonlyArray<ProviderConfig>,
  source: ConfigSource.ConfigSource
): void => {
  if (providers.length === 0) return
  for (const { name, providers: allowed = [] } of tokens) {
    for (const missing of allowed.filter((each) => !providers.some((provider) => provider.name === each))) {
      source.warnings.push(
        `${source.nameOf(["tokens"])}: a token of ${name} is for the provider "${missing}", which is not configured`
      )
    }
  }
}

/** The secrets of a provider. */
export const secretsOf = ({ keys = [], bedrock }: ProviderConfig): ReadonlyArray<string> => [
  ...keys.map(Redacted.value),
  ...(bedrock?.credentials ?? []).map(({ secretAccessKey }) => Redacted.value(secretAccessKey))
]
