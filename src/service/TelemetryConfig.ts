/** The settings of metrics and traces: where they are sent, and what of it. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { parseBaseUrl } from "../providers/Provider.ts"
import type { Config } from "./ConfigSchema.ts"
import * as Setting from "./Setting.ts"
import type { Reading } from "./Setting.ts"

export interface TelemetryConfig {
  /** `AIBRIDGE_OTLP_ENDPOINT`, without a slash at its end. Default none: nothing is sent. */
  readonly endpoint: string | undefined
  /** `AIBRIDGE_OTLP_HEADERS`: sent with it, by their names in lower case. Default none. */
  readonly headers: ReadonlyArray<Header>
  /** `AIBRIDGE_OTLP_SIGNALS`: what is sent. Default both. */
  readonly signals: ReadonlyArray<Signal>
  /** `AIBRIDGE_SERVICE_NAME`. Default `aibridge`. */
  readonly serviceName: string
  /** `AIBRIDGE_PROPAGATE_TRACE_CONTEXT`: whether providers are told the trace that a request belongs to. Default false. */
  readonly propagate: boolean
  /** `AIBRIDGE_METRICS_ACTORS`: whether metrics say who called. Default false. */
  readonly actorLabel: boolean
  /** `AIBRIDGE_METRICS_MODELS`: how many models metrics name, and tools, routes and callers. Default 100. */
  readonly maximumModels: number
}

export type Header = readonly [name: string, value: Redacted.Redacted<string>]

export type Signal = "traces" | "metrics"

export const endpoint = Setting.textAs((value): Reading<string> => {
  const parsed = parseBaseUrl(value)
  if (typeof parsed === "string") return Result.fail(parsed)
  return /\/v1\/(?:traces|metrics)$/.test(parsed.path)
    ? Result.fail("must be what comes before /v1/traces and /v1/metrics, which are appended")
    : Result.succeed(parsed.origin + parsed.path)
})

/** `name=value`, comma-separated, values percent-encoded: as OpenTelemetry has it. */
export const headers = Setting.list((entries): Reading<ReadonlyArray<Header>> => {
  const found = new Map<string, Redacted.Redacted<string>>()
  for (const [index, entry] of entries.entries()) {
    const read = header(entry, found)
    if (typeof read === "string") return Result.fail(`entry at index ${index} ${read}`)
    found.set(...read)
  }
  return Result.succeed(Array.from(found))
})

export const signals = Setting.list((entries): Reading<ReadonlyArray<Signal>> => {
  const found = Array.from(new Set(entries)).filter((entry) => entry === "traces" || entry === "metrics")
  return found.length > 0 && entries.every((entry) => found.some((signal) => signal === entry))
    ? Result.succeed(found)
    : Result.fail("must be traces, metrics or both, comma-separated")
})

export const resolve = (config: Config): TelemetryConfig => ({
  endpoint: config.otlpEndpoint,
  headers: config.otlpHeaders ?? [],
  signals: config.otlpSignals ?? ["traces", "metrics"],
  serviceName: config.serviceName ?? "aibridge",
  propagate: config.propagateTraceContext ?? false,
  actorLabel: config.metricsActors ?? false,
  maximumModels: config.metricsModels ?? 100
})

// The header, or what is wrong with it: never with its value, nor with a name that could be a part of one.
const header = (entry: string, others: ReadonlyMap<string, unknown>): Header | string => {
  const separator = entry.indexOf("=")
  if (separator < 0) return "is not of the form name=value"
  const name = entry.slice(0, separator).trim().toLowerCase()
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) return "has a name that no header can have"
  if (reserved.has(name)) return `sets ${name}, which is the message's or the connection's own`
  if (others.has(name)) return `repeats the header ${name}`
  const value = Result.try(() => decodeURIComponent(entry.slice(separator + 1).trim()))
  if (Result.isFailure(value)) return `has a value for ${name} that is not percent-encoded: write % as %25`
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value.success)
    ? [name, Redacted.make(value.success)]
    : `has no value for ${name}, or one with a line break or a character outside ASCII`
}

const reserved = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])
