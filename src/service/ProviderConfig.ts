/** The settings of providers: those of a list, or of a type's only one, and what must not stand together in them. */
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import type { KeyFailurePolicy } from "../keys/KeyFailurePolicy.ts"
import * as FailurePolicy from "../keys/KeyFailurePolicy.ts"
import * as Bedrock from "../providers/Bedrock.ts"
import type * as CircuitBreakerOptions from "../providers/CircuitBreakerOptions.ts"
import type { ExtraHeader } from "../providers/ExtraHeaders.ts"
import * as ExtraHeaders from "../providers/ExtraHeaders.ts"
import * as BedrockConfig from "./BedrockConfig.ts"
import * as CircuitBreakerConfig from "./CircuitBreakerConfig.ts"
import type { Config, ProviderSettings } from "./ConfigSchema.ts"
import type { ConfigSource, Path } from "./ConfigSource.ts"
import * as Vendors from "./Vendors.ts"

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
  /** `_DUMP_DIR`: its requests and answers are written to files in `<it>/<name>`. Default as for all. */
  readonly dumpDir: string | undefined
  /** `_UPSTREAM_TIMEOUT`, such as `30s`: how long it may take to begin its answer. Default as for all, so the next two. */
  readonly upstreamTimeout: Duration.Duration | undefined
  /** `_IDLE_TIMEOUT`: how long it may be silent within an answer. */
  readonly idleTimeout: Duration.Duration | undefined
  /** `_TOTAL_TIMEOUT`: how long a request to it may take, all attempts together. */
  readonly totalTimeout: Duration.Duration | undefined
  /** `_EXTRA_HEADERS`: `name=value`, comma-separated, sent with every request to it. Default none. */
  readonly extraHeaders: ReadonlyArray<ExtraHeader>
  /** `_CIRCUIT_BREAKER_...`. Default as for all. */
  readonly circuitBreaker: CircuitBreakerOptions.Options | undefined
  /** `_BEDROCK_...`, with the type `anthropic`. Default: Anthropic itself. */
  readonly bedrock: Bedrock.Options | undefined
}

/** All providers: those of the list, and before them those that are the only ones of their type. */
export const resolveAll = (config: Config, source: ConfigSource): ReadonlyArray<ProviderConfig> => {
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
  source: ConfigSource
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
  source: ConfigSource
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
  const { extraHeaders = [] } = settings
  const refused = bedrock && ExtraHeaders.problem(extraHeaders, Bedrock.isReservedHeader)
  if (refused !== undefined) source.problem([...paths.provider, "extraHeaders"], refused)
  return {
    type,
    name,
    baseUrl,
    keys,
    allowByok,
    keyFailurePolicy,
    cooldown: settings.cooldown,
    recheck,
    dumpDir: (settings.dumpDir ?? config.dumpDir) || undefined,
    upstreamTimeout: settings.upstreamTimeout,
    idleTimeout: settings.idleTimeout,
    totalTimeout: settings.totalTimeout,
    extraHeaders,
    circuitBreaker: CircuitBreakerConfig.options(config.circuitBreaker, circuitBreaker),
    bedrock
  }
}

const resolveKeys = (
  settings: ProviderSettings,
  type: Vendors.Type,
  path: Path,
  source: ConfigSource
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
