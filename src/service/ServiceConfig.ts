/** The settings of the Node service, read from environment variables. Every message names the variable and never its secret. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { fitsHeader } from "../domain/Credential.ts"
import type { Token } from "../inbound/Authenticator.ts"
import { InvalidKeys, refusal } from "../keys/InvalidKeys.ts"
import type { KeyFailurePolicy } from "../keys/KeyFailurePolicy.ts"
import * as FailurePolicy from "../keys/KeyFailurePolicy.ts"
import type * as Bedrock from "../providers/Bedrock.ts"
import type * as CircuitBreakerOptions from "../providers/CircuitBreakerOptions.ts"
import { namePattern, parseBaseUrl } from "../providers/Provider.ts"
import * as BedrockConfig from "./BedrockConfig.ts"
import * as CircuitBreakerConfig from "./CircuitBreakerConfig.ts"
import type { Environment } from "./Settings.ts"
import { Settings } from "./Settings.ts"
import * as Vendors from "./Vendors.ts"

export type { Environment } from "./Settings.ts"

/** All settings, checked. */
export interface ServiceConfig {
  /** `AIBRIDGE_HOST`. Default `127.0.0.1`. */
  readonly host: string
  /** `AIBRIDGE_PORT`, 0 for any free one. Default 8787. */
  readonly port: number
  /** `AIBRIDGE_TOKENS`: `name=token`, comma-separated. None: open, on loopback only. */
  readonly tokens: ReadonlyArray<Token>
  /** `AIBRIDGE_PROVIDER_<N>_...`, N from 0. None: the simulated ones. */
  readonly providers: ReadonlyArray<ProviderConfig>
  /** `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in upper or lower case. */
  readonly proxy: { readonly httpProxy?: string; readonly httpsProxy?: string; readonly noProxy?: string }
  /** `AIBRIDGE_SEND_ACTOR_HEADERS`: whether upstreams are told on whose behalf bridged requests are made. Default false. */
  readonly sendActorHeaders: boolean
  /** `AIBRIDGE_CIRCUIT_BREAKER_...`: what holds where a provider says nothing itself. Default off. */
  readonly circuitBreaker: CircuitBreakerOptions.Options | undefined
  /** What looks like a mistake but stops nothing. */
  readonly warnings: ReadonlyArray<string>
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
  /** `_KEY_FAILURE_POLICY`: `strict` or `lenient`. Default `strict`. */
  readonly keyFailurePolicy: KeyFailurePolicy
  /** `_RECHECK`, such as `5m`: how long after a refusal a key is tried again. Default never. */
  readonly recheck: Duration.Duration | undefined
  /** `_CIRCUIT_BREAKER_...`. Default as for all. */
  readonly circuitBreaker: CircuitBreakerOptions.Options | undefined
  /** `_BEDROCK_...`, with the type `anthropic`. Default: Anthropic itself. */
  readonly bedrock: Bedrock.Options | undefined
}

/** Everything that is wrong, each with the variable's name and what to do. */
export class InvalidConfig extends Schema.TaggedError<InvalidConfig>()("InvalidConfig", {
  problems: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return this.problems.join("\n")
  }
}

/** All settings of the service, and those of a provider by the end of their names: a variable with another name is a typing error. */
export const options: ReadonlyArray<string> = [
  "AIBRIDGE_HOST",
  "AIBRIDGE_PORT",
  "AIBRIDGE_TOKENS",
  "AIBRIDGE_SEND_ACTOR_HEADERS",
  ...CircuitBreakerConfig.fields.map((field) => `AIBRIDGE_${field}`)
]
export const fields: ReadonlyArray<string> = [
  "TYPE",
  "NAME",
  "KEY",
  "KEYS",
  "BASE_URL",
  "KEY_FAILURE_POLICY",
  "RECHECK",
  ...CircuitBreakerConfig.fields,
  ...BedrockConfig.fields
]

/** Reads and checks all settings; fails with everything that is wrong at once. */
export const fromEnvironment = (environment: Environment): Effect.Effect<ServiceConfig, InvalidConfig> =>
  Effect.suspend(() => {
    const settings = new Settings(environment)
    const { problems, warnings } = settings
    warnings.push(...unknownOptions(environment))
    const breakers = CircuitBreakerConfig.read(settings, "AIBRIDGE")
    const config: ServiceConfig = {
      host: settings.text("AIBRIDGE_HOST") ?? "127.0.0.1",
      port: settings.number("AIBRIDGE_PORT", 0, 65_535) ?? 8787,
      tokens: tokens(settings),
      providers: providers(settings, breakers),
      proxy: proxy(settings),
      sendActorHeaders: settings.flag("AIBRIDGE_SEND_ACTOR_HEADERS") ?? false,
      circuitBreaker: CircuitBreakerConfig.options(breakers),
      warnings
    }
    if (config.tokens.length === 0 && !isLoopback(config.host)) {
      settings.problem(
        "AIBRIDGE_TOKENS",
        `must be set while AIBRIDGE_HOST is ${config.host}: without tokens anybody who reaches that address ` +
          `could use your keys. Set AIBRIDGE_TOKENS=name=token, or listen on 127.0.0.1`
      )
    }
    const shared = config.tokens.find(({ token }) =>
      config.providers.some((provider) => secretsOf(provider).includes(Redacted.value(token)))
    )
    if (shared !== undefined) {
      settings.problem(
        "AIBRIDGE_TOKENS",
        `the token of ${shared.name} is also a provider key: a token must be one of its own`
      )
    }
    return problems.length > 0 ? new InvalidConfig({ problems }) : Effect.succeed(config)
  })

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host)

const secretsOf = ({ keys = [], bedrock }: ProviderConfig): ReadonlyArray<string> => [
  ...keys.map(Redacted.value),
  ...(bedrock?.credentials ?? []).map(({ secretAccessKey }) => Redacted.value(secretAccessKey))
]

const proxy = (settings: Settings): ServiceConfig["proxy"] => {
  const nameOf = (upper: string) =>
    [upper.toLowerCase(), upper].find((name) => settings.text(name) !== undefined) ?? upper
  const urlOf = (upper: string): string | undefined => {
    const name = nameOf(upper)
    const text = settings.text(name)
    if (text === undefined) return undefined
    // As other programs do: a host alone means plain HTTP.
    const url = text.includes("://") ? text : `http://${text}`
    const protocol = URL.parse(url)?.protocol
    if (protocol === "http:" || protocol === "https:") return url
    return settings.problem(name, "must be the URL of a proxy, such as http://proxy.example:3128")
  }
  const httpProxy = urlOf("HTTP_PROXY")
  const httpsProxy = urlOf("HTTPS_PROXY")
  const noProxy = settings.text(nameOf("NO_PROXY"))
  return { ...(httpProxy && { httpProxy }), ...(httpsProxy && { httpsProxy }), ...(noProxy && { noProxy }) }
}

const tokens = (settings: Settings): ReadonlyArray<Token> => {
  const text = settings.text("AIBRIDGE_TOKENS")
  if (text === undefined) return []
  const seen = new Set<string>()
  return text.split(",").flatMap((entry, index) => {
    const problem = (detail: string) => {
      settings.problem("AIBRIDGE_TOKENS", `entry at index ${index} ${detail}`)
      return []
    }
    const separator = entry.indexOf("=")
    if (separator < 0) return problem("is not of the form name=token")
    const name = entry.slice(0, separator).trim()
    const token = entry.slice(separator + 1).trim()
    if (name === "") return problem("has no name")
    if (!fitsHeader(token))
      return problem("has no token, or one with a space, a line break or a character outside ASCII")
    if (seen.has(token)) return problem("repeats the token of an earlier one")
    seen.add(token)
    return [{ name, token: Redacted.make(token) }]
  })
}

const unknownOptions = (environment: Environment): ReadonlyArray<string> =>
  Object.keys(environment)
    .filter((name) => name.startsWith("AIBRIDGE_") && !name.startsWith("AIBRIDGE_PROVIDER_"))
    .filter((name) => !options.includes(name) && !name.endsWith(CircuitBreakerConfig.notOffered))
    .map((name) => `ignoring unknown option ${name} (check for typos)`)

const providers = (
  settings: Settings,
  breakers: CircuitBreakerConfig.CircuitBreakerSettings
): ReadonlyArray<ProviderConfig> => {
  const indexes = new Set<number>()
  for (const name of Object.keys(settings.environment)) {
    const match = /^AIBRIDGE_PROVIDER_([^_]*)_?(.*)$/.exec(name)
    if (match === null || settings.text(name) === undefined) continue
    const [, index = "", field = ""] = match
    if (!/^(?:0|[1-9]\d*)$/.test(index)) settings.problem(name, "what follows AIBRIDGE_PROVIDER_ must be a number")
    else if (fields.includes(field)) indexes.add(Number(index))
    else if (field !== CircuitBreakerConfig.notOffered)
      settings.warnings.push(`ignoring unknown provider field ${name} (check for typos)`)
  }
  const sorted = [...indexes].toSorted((a, b) => a - b)
  const skipped = sorted.findIndex((index, position) => index !== position)
  if (skipped >= 0) {
    const detail = `index ${skipped} was skipped, number providers from 0 without gaps`
    settings.problem(`AIBRIDGE_PROVIDER_${skipped}_TYPE`, detail)
  }

  const names = new Map<string, string>()
  return sorted.flatMap((index) => provider(settings, `AIBRIDGE_PROVIDER_${index}`, names, breakers))
}

const provider = (
  settings: Settings,
  prefix: string,
  names: Map<string, string>,
  breakers: CircuitBreakerConfig.CircuitBreakerSettings
): ReadonlyArray<ProviderConfig> => {
  const type = settings.text(`${prefix}_TYPE`)
  if (!Vendors.isType(type)) {
    const what = type === undefined ? "TYPE is required" : "unknown TYPE"
    settings.problem(`${prefix}_TYPE`, `${what}, use ${Vendors.types.join(", ")}`)
    return []
  }
  const name = settings.text(`${prefix}_NAME`) ?? type
  if (!namePattern.test(name)) {
    settings.problem(`${prefix}_NAME`, "must contain only lowercase alphanumeric characters and hyphens")
  }
  const other = names.get(name)
  if (other === undefined) names.set(name, prefix)
  else settings.problem(`${prefix}_NAME`, `duplicate NAME "${name}", ${other} has it too`)

  const baseUrl = settings.text(`${prefix}_BASE_URL`)
  const parsed = baseUrl === undefined ? undefined : parseBaseUrl(baseUrl)
  if (typeof parsed === "string") settings.problem(`${prefix}_BASE_URL`, parsed)
  return [
    {
      type,
      name,
      baseUrl,
      keys: keys(settings, prefix, type),
      keyFailurePolicy: keyFailurePolicy(settings, `${prefix}_KEY_FAILURE_POLICY`),
      recheck: settings.duration(`${prefix}_RECHECK`),
      circuitBreaker: CircuitBreakerConfig.options(breakers, CircuitBreakerConfig.read(settings, prefix)),
      bedrock: bedrock(settings, prefix, type)
    }
  ]
}

const bedrock = (settings: Settings, prefix: string, type: Vendors.Type): Bedrock.Options | undefined => {
  const [field] = BedrockConfig.present(settings, prefix)
  if (field === undefined) return undefined
  if (type !== "anthropic") {
    return settings.problem(`${prefix}_${field}`, "BEDROCK_* fields are only supported with TYPE anthropic")
  }
  const other = ["KEY", "KEYS"].find((name) => settings.text(`${prefix}_${name}`) !== undefined)
  if (other !== undefined) {
    settings.problem(`${prefix}_${other}`, "KEY/KEYS and BEDROCK_* fields are mutually exclusive")
  }
  if (settings.text(`${prefix}_BASE_URL`) !== undefined) {
    settings.problem(`${prefix}_BASE_URL`, "is not used with BEDROCK_* fields: use BEDROCK_BASE_URL")
  }
  return BedrockConfig.read(settings, prefix)
}

const keyFailurePolicy = (settings: Settings, option: string): KeyFailurePolicy => {
  const name = settings.text(option) ?? "strict"
  if (name === "strict" || name === "lenient") return FailurePolicy[name]
  settings.problem(option, "unknown policy, use strict or lenient")
  return FailurePolicy.strict
}

const keys = (
  settings: Settings,
  prefix: string,
  type: Vendors.Type
): ReadonlyArray<Redacted.Redacted<string>> | undefined => {
  const single = settings.environment[`${prefix}_KEY`]
  const several = settings.environment[`${prefix}_KEYS`]
  if (single !== undefined && several !== undefined) {
    return settings.problem(`${prefix}_KEYS`, "KEY and KEYS are mutually exclusive")
  }
  const option = single === undefined ? `${prefix}_KEYS` : `${prefix}_KEY`
  const text = single ?? several
  if (text === undefined) return undefined
  if (Vendors.vendors[type].isByokOnly) {
    const detail = `KEY/KEYS are not supported for TYPE ${type}: its callers always bring their own credential`
    return settings.problem(option, detail)
  }
  const entries = text.trim() === "" ? [] : text.split(",").map((entry) => entry.trim())
  const refused = refusal(entries)
  if (refused !== undefined) settings.problem(option, new InvalidKeys({ provider: "", reason: refused }).message)
  return entries.map((entry) => Redacted.make(entry))
}
