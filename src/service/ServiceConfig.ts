/** The settings of the Node service, out of variables and a file. Every message names the setting and never its secret. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Token } from "../inbound/Authenticator.ts"
import type { KeyFailurePolicy } from "../keys/KeyFailurePolicy.ts"
import * as FailurePolicy from "../keys/KeyFailurePolicy.ts"
import type * as Bedrock from "../providers/Bedrock.ts"
import type * as CircuitBreakerOptions from "../providers/CircuitBreakerOptions.ts"
import * as Result from "effect/Result"
import * as SchemaIssue from "effect/SchemaIssue"
import * as BedrockConfig from "./BedrockConfig.ts"
import * as CircuitBreakerConfig from "./CircuitBreakerConfig.ts"
import type { Config, ProviderSettings } from "./ConfigSchema.ts"
import { ConfigSchema, places } from "./ConfigSchema.ts"
import type { Environment, Path } from "./ConfigSource.ts"
import * as ConfigSource from "./ConfigSource.ts"
import * as TokenConfig from "./TokenConfig.ts"
import * as Vendors from "./Vendors.ts"

export type { Environment } from "./ConfigSource.ts"

/** All settings, checked. */
export interface ServiceConfig {
  /** `AIBRIDGE_HOST`. Default `127.0.0.1`. */
  readonly host: string
  /** `AIBRIDGE_PORT`, 0 for any free one. Default 8787. */
  readonly port: number
  /** `AIBRIDGE_TOKENS`: `name=token` or `name=sha256:<its hash>`, comma-separated. None: open, on loopback only. */
  readonly tokens: ReadonlyArray<Token>
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
  /** `AIBRIDGE_REQUEST_TIMEOUT`, `_UPSTREAM_TIMEOUT`, `_IDLE_TIMEOUT`, `_MAXIMUM_BODY_SIZE` and `_MAXIMUM_HEADER_SIZE`. */
  readonly limits: Limits
  /** `AIBRIDGE_MAX_CONCURRENCY`: how many requests may be under way at once. Default 0: any number. */
  readonly maxConcurrency: number
  /** `AIBRIDGE_RATE_LIMIT`: how many requests a caller may send in a minute. Default 0: any number. */
  readonly rateLimit: number
  /** `AIBRIDGE_ALLOW_BYOK`: what holds where a provider says nothing itself. Default true. */
  readonly allowByok: boolean
  /** `AIBRIDGE_CIRCUIT_BREAKER_...`: what holds where a provider says nothing itself. Default off. */
  readonly circuitBreaker: CircuitBreakerOptions.Options | undefined
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
  /** Default 32 MiB. */
  readonly maximumBodySize: number
  /** Default 64 KiB. */
  readonly maximumHeaderSize: number
}

/** The settings of one provider, by the end of their variables' names. */
export interface ProviderConfig {
  /** `_TYPE`. */
  readonly type: Vendors.Type
  /** `_NAME`. Default the type. */
  readonly name: string
  /** `_KEYS`, comma-separated, in order of preference. None: callers bring their own. */
  readonly keys: ReadonlyArray<Redacted.Redacted<string>> | undefined
  /** `_BASE_URL`. Default the vendor's. */
  readonly baseUrl: string | undefined
  /** `_ALLOW_BYOK`: whether callers may bring a key of their own. Default as for all. */
  readonly allowByok: boolean
  /** `_KEY_FAILURE_POLICY`: `strict` or `lenient`. Default `strict`. */
  readonly keyFailurePolicy: KeyFailurePolicy
  /** `_COOLDOWN`, such as `5s,1m`: the rest after a limit that names none, the n-th of a row the n-th. Default the vendor's. */
  readonly cooldown: ReadonlyArray<Duration.Duration> | undefined
  /** `_RECHECK`, such as `5m`: how long after a refusal a key is tried again. Default never. */
  readonly recheck: Duration.Duration | undefined
  /** `_CIRCUIT_BREAKER_...`. Default as for all. */
  readonly circuitBreaker: CircuitBreakerOptions.Options | undefined
  /** `_BEDROCK_...`, with the type `anthropic`. Default: Anthropic itself. */
  readonly bedrock: Bedrock.Options | undefined
}

/** Everything that is wrong, each with the setting's name and what to do. */
export class InvalidConfig extends Schema.TaggedError<InvalidConfig>()("InvalidConfig", {
  problems: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return this.problems.join("\n")
  }
}

/** The names of all variables that are settings, and those of a provider's behind `AIBRIDGE_PROVIDER_<N>_`. */
export const variables: { readonly [scope in keyof typeof places]: ReadonlyArray<string> } = {
  all: places.all
    .filter(([name = ""]) => !name.endsWith("roxy"))
    .map((place) => `AIBRIDGE_${ConfigSource.constantCase(place)}`),
  provider: places.provider.map((place) => ConfigSource.constantCase(place))
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
  Effect.suspend(() => {
    const source = ConfigSource.find(options)
    const config = resolve(decode(source), source)
    return source.problems.length > 0 ? new InvalidConfig({ problems: source.problems }) : Effect.succeed(config)
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
  leafHook: (issue) => (issue._tag === "UnexpectedKey" ? unknown : SchemaIssue.defaultLeafHook(issue))
})

const resolve = (config: Config, source: ConfigSource.ConfigSource): ServiceConfig => {
  const { httpProxy, httpsProxy, noProxy, tokens = [], circuitBreaker = {} } = config
  const host = config.host ?? "127.0.0.1"
  CircuitBreakerConfig.warn(circuitBreaker, ["circuitBreaker"], source)
  const providers = resolveProviders(config, source)
  if (tokens.length === 0 && !isLoopback(host)) {
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
  return {
    host,
    port: config.port ?? 8787,
    tokens,
    providers,
    proxy: { ...(httpProxy && { httpProxy }), ...(httpsProxy && { httpsProxy }), ...(noProxy && { noProxy }) },
    sendActorHeaders: config.sendActorHeaders ?? false,
    maxConcurrency: config.maxConcurrency ?? 0,
    rateLimit: config.rateLimit ?? 0,
    allowByok: config.allowByok ?? true,
    structuredLogging: config.structuredLogging ?? false,
    shutdownTimeout: config.shutdownTimeout ?? Duration.seconds(30),
    limits: {
      requestTimeout: config.requestTimeout ?? Duration.minutes(5),
      upstreamTimeout: config.upstreamTimeout ?? Duration.minutes(10),
      idleTimeout: config.idleTimeout ?? Duration.minutes(10),
      maximumBodySize: config.maximumBodySize ?? 32 * 1024 * 1024,
      maximumHeaderSize: config.maximumHeaderSize ?? 64 * 1024
    },
    circuitBreaker: CircuitBreakerConfig.options(circuitBreaker),
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

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host)

const secretsOf = ({ keys = [], bedrock }: ProviderConfig): ReadonlyArray<string> => [
  ...keys.map(Redacted.value),
  ...(bedrock?.credentials ?? []).map(({ secretAccessKey }) => Redacted.value(secretAccessKey))
]

const resolveProviders = (config: Config, source: ConfigSource.ConfigSource): ReadonlyArray<ProviderConfig> => {
  const names = new Map<string, Path>()
  const listed = (config.providers ?? []).flatMap((settings, index) => {
    const path: Path = ["providers", index]
    const { type } = settings
    if (type === undefined) {
      if (!source.hasProblem([...path, "type"])) {
        source.problem([...path, "type"], `TYPE is required, use ${Vendors.types.join(", ")}`)
      }
      return []
    }
    const name = settings.name ?? type
    const other = names.get(name)
    if (other === undefined) names.set(name, path)
    else source.problem([...path, "name"], `duplicate NAME "${name}", ${source.nameOf(other)} has it too`)
    const paths = { provider: path, bedrock: [...path, "bedrock"] }
    return [resolveProvider({ ...settings, type, name }, paths, config, source)]
  })
  return [...resolveSingle(config, names, source), ...listed]
}

// Where a type's only provider is set without a list of providers: on with a key, or Bedrock's region or base URL.
const resolveSingle = (
  config: Config,
  names: ReadonlyMap<string, Path>,
  source: ConfigSource.ConfigSource
): ReadonlyArray<ProviderConfig> => {
  const { bedrock } = config
  const isOnBedrock = bedrock?.region !== undefined || bedrock?.baseUrl !== undefined
  return (["openai", "anthropic"] as const).flatMap((type) => {
    const settings = config[type] ?? {}
    const isBedrock = type === "anthropic" && isOnBedrock
    if (settings.key === undefined && !isBedrock) return []
    const path: Path = settings.key === undefined ? ["bedrock", "region"] : [type, "key"]
    if (names.has(type)) {
      source.problem(path, `conflicts with indexed provider named "${type}"; remove one or the other`)
    }
    const paths = { provider: [type], bedrock: ["bedrock"] }
    const all = { ...settings, ...(isBedrock && { bedrock }), type, name: type }
    return [resolveProvider(all, paths, config, source)]
  })
}

const resolveProvider = (
  settings: ProviderSettings & { readonly type: Vendors.Type; readonly name: string },
  paths: BedrockConfig.Paths,
  config: Config,
  source: ConfigSource.ConfigSource
): ProviderConfig => {
  const { type, name, circuitBreaker = {}, recheck, baseUrl, keyFailurePolicy = FailurePolicy.strict } = settings
  CircuitBreakerConfig.warn(circuitBreaker, [...paths.provider, "circuitBreaker"], source, config.circuitBreaker)
  const keys = resolveKeys(settings, type, paths.provider, source)
  const bedrock = BedrockConfig.resolve(settings, type, paths, source)
  const allowByok = settings.allowByok ?? config.allowByok ?? true
  if (!allowByok && keys === undefined && bedrock === undefined) {
    const option = source.nameOf(settings.allowByok === undefined ? ["allowByok"] : [...paths.provider, "allowByok"])
    source.warnings.push(`${option} is false, but provider "${name}" has no keys: it refuses all requests`)
  }
  return {
    type,
    name,
    baseUrl,
    keys,
    allowByok,
    keyFailurePolicy,
    cooldown: settings.cooldown,
    recheck,
    circuitBreaker: CircuitBreakerConfig.options(config.circuitBreaker, circuitBreaker),
    bedrock
  }
}

const resolveKeys = (
  settings: ProviderSettings,
  type: Vendors.Type,
  path: Path,
  source: ConfigSource.ConfigSource
): ReadonlyArray<Redacted.Redacted<string>> | undefined => {
  if (settings.key !== undefined && settings.keys !== undefined) {
    source.problem([...path, "keys"], "KEY and KEYS are mutually exclusive")
    return undefined
  }
  const keys = settings.key ?? settings.keys
  if (keys === undefined || !Vendors.vendors[type].isByokOnly) return keys
  const field = settings.key === undefined ? "keys" : "key"
  const detail = `KEY/KEYS are not supported for TYPE ${type}: its callers always bring their own credential`
  source.problem([...path, field], detail)
  return undefined
}
