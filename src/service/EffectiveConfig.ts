/** The configuration as it holds, with its defaults and every secret masked: for people, and for programs as JSON. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import { join } from "node:path"
import { hint } from "../domain/Credential.ts"
import * as RecordConfig from "./RecordConfig.ts"
import type { Token } from "../inbound/Authenticator.ts"
import * as CircuitBreakerOptions from "../providers/CircuitBreakerOptions.ts"
import type { Limits, ProviderConfig, ServiceConfig } from "./ServiceConfig.ts"
import type { McpServer } from "./ToolConfig.ts"
import { vendors } from "./Vendors.ts"

/** Plain data. */
export type Masked = { readonly [name: string]: unknown }

export const mask = (config: ServiceConfig): Masked => ({
  host: config.host,
  port: config.port,
  tokens: config.tokens.map(maskToken),
  adminHost: config.admin.host,
  adminPort: config.admin.port,
  adminToken: config.admin.token === undefined ? "none" : hint(Redacted.value(config.admin.token)),
  maxConcurrency: config.maxConcurrency === 0 ? "any" : config.maxConcurrency,
  rateLimit: config.rateLimit === 0 ? "off" : config.rateLimit,
  shutdownTimeout: Duration.format(config.shutdownTimeout),
  requestTimeout: Duration.format(config.limits.requestTimeout),
  upstreamTimeout: Duration.format(config.limits.upstreamTimeout),
  idleTimeout: Duration.format(config.limits.idleTimeout),
  totalTimeout: Duration.format(config.limits.totalTimeout),
  maximumBodySize: config.limits.maximumBodySize,
  maximumHeaderSize: config.limits.maximumHeaderSize,
  structuredLogging: config.structuredLogging,
  sendActorHeaders: config.sendActorHeaders,
  dumpDir: config.dumpDir ?? "off",
  ...Object.fromEntries(Object.entries(config.proxy).map(([name, value]) => [name, withoutPassword(value)])),
  databaseUrl: RecordConfig.show(config.record.url),
  recordContent: config.record.content,
  recordFailure: config.record.failure,
  clientGone: config.record.clientGone,
  retention: Duration.isFinite(config.record.retention) ? Duration.format(config.record.retention) : "for ever",
  otlpEndpoint: config.telemetry.endpoint ?? "none",
  otlpHeaders: config.telemetry.headers.map(([name, value]) => `${name}=${hint(Redacted.value(value))}`),
  otlpSignals: config.telemetry.signals,
  serviceName: config.telemetry.serviceName,
  propagateTraceContext: config.telemetry.propagate,
  metricsActors: config.telemetry.actorLabel,
  metricsModels: config.telemetry.maximumModels,
  toolIterations: config.tools.iterations,
  toolTimeout: Duration.format(config.tools.timeout),
  toolResultSize: config.tools.resultSize,
  mcpServers: config.tools.servers.map(maskMcpServer),
  providers: config.providers.map((provider) => maskProvider(provider, config.limits))
})

const maskToken = ({ name, token, expires, providers, models }: Token): string => {
  const limits = [
    ...(expires === undefined ? [] : [`until ${DateTime.formatIso(expires)}`]),
    ...(providers === undefined ? [] : [`providers ${providers.join(" ")}`]),
    ...(models === undefined ? [] : [`models ${models.join(" ")}`])
  ]
  return `${name}=${hint(Redacted.value(token))}${limits.length === 0 ? "" : ` (${limits.join("; ")})`}`
}

// A proxy's URL may hold a user's name and password.
const withoutPassword = (url: string): string => url.replace(/\/\/[^@/]*@/, "//...@")

const maskProvider = (provider: ProviderConfig, limits: Limits): Masked => {
  const { type, name, keys, baseUrl, allowByok, keyFailurePolicy, cooldown, recheck, dumpDir } = provider
  const { circuitBreaker, bedrock } = provider
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
    allowByok,
    keyFailurePolicy,
    cooldown: cooldown?.map(Duration.format) ?? "the vendor's default",
    recheck: recheck === undefined ? "never" : Duration.format(recheck),
    dumpDir: dumpDir === undefined ? "off" : join(dumpDir, name),
    upstreamTimeout: Duration.format(provider.upstreamTimeout ?? limits.upstreamTimeout),
    idleTimeout: Duration.format(provider.idleTimeout ?? limits.idleTimeout),
    totalTimeout: Duration.format(provider.totalTimeout ?? limits.totalTimeout),
    extraHeaders: provider.extraHeaders.map(([header, value]) => `${header}=${hint(Redacted.value(value))}`),
    circuitBreaker: circuitBreaker === undefined ? "off" : maskBreaker(circuitBreaker)
  }
}

const maskBedrock = (bedrock: NonNullable<ProviderConfig["bedrock"]>): Masked => {
  const { region, baseUrl, model, smallFastModel, modelFamily, smallFastModelFamily, credentials, models } = bedrock
  return {
    ...(region !== undefined && { region }),
    ...(baseUrl !== undefined && { baseUrl }),
    model,
    smallFastModel,
    ...(modelFamily !== undefined && { modelFamily }),
    ...(smallFastModelFamily !== undefined && { smallFastModelFamily }),
    credentials: credentials?.map(({ accessKeyId }) => hint(accessKeyId)) ?? "the default chain's",
    ...models
  }
}

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

const maskMcpServer = ({ name, url, headers, allow, deny }: McpServer): Masked => ({
  name,
  url: withoutQuery(withoutPassword(url)),
  headers: headers.map(([header, value]) => `${header}=${hint(Redacted.value(value))}`),
  allow: allow.length === 0 ? "all" : allow,
  deny
})

// Where some have their key.
const withoutQuery = (url: string): string => url.replace(/\?.*$/s, "?...")

/** Lines for people: one for each setting, indented below what it belongs to. */
export const render = (masked: unknown, indent = ""): ReadonlyArray<string> => {
  const lines: Array<string> = []
  const below = (title: string, value: unknown) => {
    lines.push(indent + title)
    for (const line of render(value, `${indent}  `)) lines.push(line)
  }
  for (const [name, value] of Object.entries(Object(masked))) {
    if (!Array.isArray(value)) {
      if (typeof value === "object" && value !== null) below(name, value)
      else lines.push(`${indent}${name}: ${String(value)}`)
    } else if (value.some((entry) => typeof entry === "object")) {
      for (const [index, entry] of value.entries()) below(`${name}[${index}]`, entry)
    } else {
      lines.push(`${indent}${name}: ${value.length === 0 ? "none" : value.join(", ")}`)
    }
  }
  return lines
}
