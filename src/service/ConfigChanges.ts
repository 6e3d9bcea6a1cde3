/** How two configurations differ, as far as a gateway that runs has to know. */
import * as Equal from "effect/Equal"
import { isSamePlace } from "../providers/Provider.ts"
import type { ProviderSet } from "./ProviderSet.ts"
import type { ServiceConfig } from "./ServiceConfig.ts"

/** What is fixed when the gateway starts. */
export const ofStart = ({
  host,
  port,
  admin,
  proxy,
  structuredLogging,
  shutdownTimeout,
  limits,
  record,
  telemetry,
  tools
}: ServiceConfig) => ({
  host,
  port,
  admin,
  proxy,
  structuredLogging,
  shutdownTimeout,
  limits,
  record,
  telemetry,
  tools
})

/** The same by the names that the settings have. */
export const flat = ({ admin, proxy, limits, record, telemetry, tools, ...others }: ReturnType<typeof ofStart>) => ({
  ...others,
  adminHost: admin.host,
  adminPort: admin.port,
  adminToken: admin.token,
  ...proxy,
  ...limits,
  databaseUrl: record.url,
  recordContent: record.content,
  recordFailure: record.failure,
  clientGone: record.clientGone,
  retention: record.retention,
  otlpEndpoint: telemetry.endpoint,
  otlpHeaders: telemetry.headers,
  otlpSignals: telemetry.signals,
  serviceName: telemetry.serviceName,
  propagateTraceContext: telemetry.propagate,
  metricsActors: telemetry.actorLabel,
  metricsModels: telemetry.maximumModels,
  mcpServers: tools.servers,
  toolIterations: tools.iterations,
  toolTimeout: tools.timeout,
  toolResultSize: tools.resultSize
})

/** What holds for callers. */
export const ofCallers = ({ tokens, rateLimit, maxConcurrency }: ServiceConfig) => ({
  tokens,
  rateLimit,
  maxConcurrency
})

/** The names of what is not the same. */
export const differences = <Settings extends object>(before: Settings, after: Settings): ReadonlyArray<string> => {
  const one = new Map<string, unknown>(Object.entries(before))
  const other = new Map<string, unknown>(Object.entries(after))
  return Array.from(new Set([...one.keys(), ...other.keys()])).filter(
    (name) => !Equal.equals(one.get(name), other.get(name))
  )
}

/** The names of providers whose circuits say nothing any more: they are gone, are elsewhere, or have none. */
export const withOtherCircuits = (before: ProviderSet, after: ProviderSet): ReadonlyArray<string> =>
  before.flatMap(({ provider }) => {
    const { name } = provider
    const next = after.find((member) => member.provider.name === name)?.provider
    const isSame = next?.circuitBreaker !== undefined && isSamePlace(provider, next)
    return isSame ? [] : [name]
  })

/** What has become of providers, each in a few words. */
export const ofProviders = (before: ProviderSet, after: ProviderSet): ReadonlyArray<string> => {
  const one = new Map(before.map((member) => [member.settings.name, member]))
  const other = new Map(after.map((member) => [member.settings.name, member]))
  return Array.from(new Set([...one.keys(), ...other.keys()])).flatMap((name) => {
    if (!one.has(name)) return [`provider ${name} added`]
    if (!other.has(name)) return [`provider ${name} removed`]
    return one.get(name) === other.get(name) ? [] : [`provider ${name} changed`]
  })
}
