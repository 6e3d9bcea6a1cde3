/** The configuration as it holds, with its defaults and every secret masked: for people, and for programs as JSON. */
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import { hint } from "../domain/Credential.ts"
import * as CircuitBreakerOptions from "../providers/CircuitBreakerOptions.ts"
import type { ProviderConfig, ServiceConfig } from "./ServiceConfig.ts"
import { vendors } from "./Vendors.ts"

/** Plain data. */
export type Masked = { readonly [name: string]: unknown }

export const mask = (config: ServiceConfig): Masked => ({
  host: config.host,
  port: config.port,
  tokens: config.tokens.map(({ name, token }) => `${name}=${hint(Redacted.value(token))}`),
  shutdownTimeout: Duration.format(config.shutdownTimeout),
  sendActorHeaders: config.sendActorHeaders,
  ...Object.fromEntries(Object.entries(config.proxy).map(([name, value]) => [name, withoutPassword(value)])),
  providers: config.providers.map(maskProvider)
})

// A proxy's URL may hold a user's name and password.
const withoutPassword = (url: string): string => url.replace(/\/\/[^@/]*@/, "//...@")

const maskProvider = (provider: ProviderConfig): Masked => {
  const { type, name, keys, baseUrl, keyFailurePolicy, recheck, circuitBreaker, bedrock } = provider
  return {
    type,
    name,
    mountedAt: `/${name}${vendors[type].version ?? ""}`,
    ...(bedrock === undefined
      ? {
          baseUrl: baseUrl ?? vendors[type].baseUrl,
          keys: keys?.map((key) => hint(Redacted.value(key))) ?? "the caller's own"
        }
      : { bedrock: maskBedrock(bedrock) }),
    keyFailurePolicy,
    recheck: recheck === undefined ? "never" : Duration.format(recheck),
    circuitBreaker: circuitBreaker === undefined ? "off" : maskBreaker(circuitBreaker)
  }
}

const maskBedrock = ({
  credentials,
  models,
  defaultChain: _,
  ...bedrock
}: NonNullable<ProviderConfig["bedrock"]>): Masked => ({
  ...bedrock,
  credentials: credentials?.map(({ accessKeyId }) => hint(accessKeyId)) ?? "the default chain's",
  ...models
})

const maskBreaker = (options: CircuitBreakerOptions.Options): Masked | string => {
  const resolved = CircuitBreakerOptions.resolve(options)
  if (typeof resolved === "string") return resolved
  return {
    ...resolved,
    interval: Duration.format(resolved.interval),
    timeout: Duration.format(resolved.timeout),
    statuses: [...resolved.statuses]
  }
}

/** Lines for people: one for each setting, indented below what it belongs to. */
export const render = (masked: unknown, indent = ""): ReadonlyArray<string> =>
  Object.entries(Object(masked)).flatMap(([name, value]) => {
    if (Array.isArray(value) && value.some((entry) => typeof entry === "object")) {
      return value.flatMap((entry, index) => [`${indent}${name}[${index}]`, ...render(entry, `${indent}  `)])
    }
    if (Array.isArray(value)) return [`${indent}${name}: ${value.length === 0 ? "none" : value.join(", ")}`]
    return typeof value === "object" && value !== null
      ? [`${indent}${name}`, ...render(value, `${indent}  `)]
      : [`${indent}${name}: ${String(value)}`]
  })
