/** The settings of the Node service, read from environment variables. Every message names the variable and never its secret. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { fitsHeader } from "../domain/Credential.ts"
import type { Token } from "../inbound/Authenticator.ts"
import { InvalidKeys, refusal } from "../keys/InvalidKeys.ts"
import type { KeyFailurePolicy } from "../keys/KeyFailurePolicy.ts"
import * as FailurePolicy from "../keys/KeyFailurePolicy.ts"
import { namePattern, parseBaseUrl } from "../providers/Provider.ts"
import * as Vendors from "./Vendors.ts"

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

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
}

/** Everything that is wrong, each with the variable's name and what to do. */
export class InvalidConfig extends Schema.TaggedError<InvalidConfig>()("InvalidConfig", {
  problems: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return this.problems.join("\n")
  }
}

/** Reads and checks all settings; fails with everything that is wrong at once. */
export const fromEnvironment = (environment: Environment): Effect.Effect<ServiceConfig, InvalidConfig> =>
  Effect.suspend(() => {
    const problems: Array<string> = []
    const warnings: Array<string> = [...unknownOptions(environment)]
    const config: ServiceConfig = {
      host: value(environment, "AIBRIDGE_HOST") ?? "127.0.0.1",
      port: port(environment, problems),
      tokens: tokens(environment, problems),
      providers: providers(environment, problems, warnings),
      proxy: proxy(environment, problems),
      sendActorHeaders: flag(environment, "AIBRIDGE_SEND_ACTOR_HEADERS", problems),
      warnings
    }
    if (config.tokens.length === 0 && !isLoopback(config.host)) {
      problems.push(
        `AIBRIDGE_TOKENS: must be set while AIBRIDGE_HOST is ${config.host}: without tokens anybody who reaches that address ` +
          `could use your keys. Set AIBRIDGE_TOKENS=name=token, or listen on 127.0.0.1`
      )
    }
    const shared = config.tokens.find(({ token }) =>
      config.providers.some(({ keys = [] }) => keys.some((key) => Redacted.value(key) === Redacted.value(token)))
    )
    if (shared !== undefined) {
      problems.push(
        `AIBRIDGE_TOKENS: the token of ${shared.name} is also a provider key: a token must be one of its own`
      )
    }
    return problems.length > 0 ? new InvalidConfig({ problems }) : Effect.succeed(config)
  })

const value = (environment: Environment, name: string): string | undefined => environment[name]?.trim() || undefined

const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host)

const port = (environment: Environment, problems: Array<string>): number => {
  const text = value(environment, "AIBRIDGE_PORT")
  if (text === undefined) return 8787
  const number = Number(text)
  if (!/^\d+$/.test(text) || number > 65_535) problems.push("AIBRIDGE_PORT: must be a number from 0 to 65535")
  return number
}

const proxy = (environment: Environment, problems: Array<string>): ServiceConfig["proxy"] => {
  const nameOf = (upper: string) => [upper.toLowerCase(), upper].find((name) => value(environment, name) !== undefined)
  const urlOf = (upper: string): string | undefined => {
    const name = nameOf(upper)
    if (name === undefined) return undefined
    const text = value(environment, name) ?? ""
    // As other programs do: a host alone means plain HTTP.
    const url = text.includes("://") ? text : `http://${text}`
    const protocol = URL.parse(url)?.protocol
    if (protocol === "http:" || protocol === "https:") return url
    problems.push(`${name}: must be the URL of a proxy, such as http://proxy.example:3128`)
    return undefined
  }
  const httpProxy = urlOf("HTTP_PROXY")
  const httpsProxy = urlOf("HTTPS_PROXY")
  const noProxy = value(environment, nameOf("NO_PROXY") ?? "NO_PROXY")
  return { ...(httpProxy && { httpProxy }), ...(httpsProxy && { httpsProxy }), ...(noProxy && { noProxy }) }
}

const flag = (environment: Environment, option: string, problems: Array<string>): boolean => {
  const text = value(environment, option)?.toLowerCase() ?? "false"
  if (text !== "true" && text !== "false") problems.push(`${option}: must be true or false`)
  return text === "true"
}

const tokens = (environment: Environment, problems: Array<string>): ReadonlyArray<Token> => {
  const text = value(environment, "AIBRIDGE_TOKENS")
  if (text === undefined) return []
  const seen = new Set<string>()
  return text.split(",").flatMap((entry, index) => {
    const problem = (detail: string) => {
      problems.push(`AIBRIDGE_TOKENS: entry at index ${index} ${detail}`)
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

const options = new Set(["AIBRIDGE_HOST", "AIBRIDGE_PORT", "AIBRIDGE_TOKENS", "AIBRIDGE_SEND_ACTOR_HEADERS"])

const unknownOptions = (environment: Environment): ReadonlyArray<string> =>
  Object.keys(environment)
    .filter((name) => name.startsWith("AIBRIDGE_") && !name.startsWith("AIBRIDGE_PROVIDER_") && !options.has(name))
    .map((name) => `ignoring unknown option ${name} (check for typos)`)

const fields = new Set(["TYPE", "NAME", "KEY", "KEYS", "BASE_URL", "KEY_FAILURE_POLICY", "RECHECK"])

const providers = (
  environment: Environment,
  problems: Array<string>,
  warnings: Array<string>
): ReadonlyArray<ProviderConfig> => {
  const indexes = new Set<number>()
  for (const name of Object.keys(environment)) {
    const match = /^AIBRIDGE_PROVIDER_([^_]*)_?(.*)$/.exec(name)
    if (match === null || value(environment, name) === undefined) continue
    const [, index = "", field = ""] = match
    if (!/^(?:0|[1-9]\d*)$/.test(index)) problems.push(`${name}: what follows AIBRIDGE_PROVIDER_ must be a number`)
    else if (fields.has(field)) indexes.add(Number(index))
    else warnings.push(`ignoring unknown provider field ${name} (check for typos)`)
  }
  const sorted = [...indexes].toSorted((a, b) => a - b)
  const skipped = sorted.findIndex((index, position) => index !== position)
  if (skipped >= 0)
    problems.push(
      `AIBRIDGE_PROVIDER_${skipped}_TYPE: index ${skipped} was skipped, number providers from 0 without gaps`
    )

  const names = new Map<string, string>()
  return sorted.flatMap((index) => provider(environment, `AIBRIDGE_PROVIDER_${index}`, names, problems))
}

const provider = (
  environment: Environment,
  prefix: string,
  names: Map<string, string>,
  problems: Array<string>
): ReadonlyArray<ProviderConfig> => {
  const type = value(environment, `${prefix}_TYPE`)
  if (!Vendors.isType(type)) {
    const what = type === undefined ? "TYPE is required" : "unknown TYPE"
    problems.push(`${prefix}_TYPE: ${what}, use ${Vendors.types.join(", ")}`)
    return []
  }
  const name = value(environment, `${prefix}_NAME`) ?? type
  if (!namePattern.test(name)) {
    problems.push(`${prefix}_NAME: must contain only lowercase alphanumeric characters and hyphens`)
  }
  const other = names.get(name)
  if (other === undefined) names.set(name, prefix)
  else problems.push(`${prefix}_NAME: duplicate NAME "${name}", ${other} has it too`)

  const baseUrl = value(environment, `${prefix}_BASE_URL`)
  const parsed = baseUrl === undefined ? undefined : parseBaseUrl(baseUrl)
  if (typeof parsed === "string") problems.push(`${prefix}_BASE_URL: ${parsed}`)
  return [
    {
      type,
      name,
      baseUrl,
      keys: keys(environment, prefix, type, problems),
      keyFailurePolicy: keyFailurePolicy(environment, `${prefix}_KEY_FAILURE_POLICY`, problems),
      recheck: duration(environment, `${prefix}_RECHECK`, problems)
    }
  ]
}

const keyFailurePolicy = (environment: Environment, option: string, problems: Array<string>): KeyFailurePolicy => {
  const name = value(environment, option) ?? "strict"
  if (name === "strict" || name === "lenient") return FailurePolicy[name]
  problems.push(`${option}: unknown policy, use strict or lenient`)
  return FailurePolicy.strict
}

const units = { s: "seconds", m: "minutes", h: "hours", d: "days" } as const

const duration = (environment: Environment, option: string, problems: Array<string>): Duration.Duration | undefined => {
  const text = value(environment, option)
  if (text === undefined) return undefined
  const [, count = "", unit] = /^(\d+)([smhd])$/.exec(text) ?? []
  if (Number(count) > 0 && count.length < 6 && (unit === "s" || unit === "m" || unit === "h" || unit === "d")) {
    return Duration.fromInputUnsafe(`${Number(count)} ${units[unit]}`)
  }
  problems.push(`${option}: must be a positive number (at most 99999) with a unit: 30s, 5m, 2h or 1d`)
  return undefined
}

const keys = (
  environment: Environment,
  prefix: string,
  type: Vendors.Type,
  problems: Array<string>
): ReadonlyArray<Redacted.Redacted<string>> | undefined => {
  const single = environment[`${prefix}_KEY`]
  const several = environment[`${prefix}_KEYS`]
  if (single !== undefined && several !== undefined) {
    problems.push(`${prefix}_KEYS: KEY and KEYS are mutually exclusive`)
    return undefined
  }
  const option = single === undefined ? `${prefix}_KEYS` : `${prefix}_KEY`
  const text = single ?? several
  if (text === undefined) return undefined
  if (Vendors.vendors[type].isByokOnly) {
    problems.push(
      `${option}: KEY/KEYS are not supported for TYPE ${type}: its callers always bring their own credential`
    )
    return undefined
  }
  const entries = text.trim() === "" ? [] : text.split(",").map((entry) => entry.trim())
  const refused = refusal(entries)
  if (refused !== undefined) problems.push(`${option}: ${new InvalidKeys({ provider: "", reason: refused }).message}`)
  return entries.map((entry) => Redacted.make(entry))
}
