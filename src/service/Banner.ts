/** What the service says when it has started: where it listens, what it serves, and lines to paste. */
import * as Redacted from "effect/Redacted"
import * as AnthropicMessages from "../dialects/AnthropicMessages.ts"
import type { ProviderConfig, ServiceConfig } from "./ServiceConfig.ts"
import { vendors } from "./Vendors.ts"

/** What there is to say. */
export interface Facts {
  /** Such as `http://127.0.0.1:8787`. */
  readonly url: string
  /** Of the admin API. */
  readonly adminUrl: string
  readonly nodeVersion: string
  /** What is served, be it simulated or not. */
  readonly config: ServiceConfig
  /** Where the simulated providers listen, if they are the ones that are served. */
  readonly simulatedUrl: string | undefined
}

/** The banner, several lines. */
export const render = ({ url, adminUrl, nodeVersion, config, simulatedUrl }: Facts): string => {
  const [provider] = config.providers
  return [
    `effect-aibridge listens on ${url} (Node ${nodeVersion})`,
    "",
    ...config.providers.map((each) => served(url, each)),
    ...(simulatedUrl === undefined ? [] : simulated(simulatedUrl)),
    config.tokens.length === 0
      ? "  callers   open: no tokens, this machine only. Set AIBRIDGE_TOKENS=name=token to ask for one"
      : `  callers   ${Array.from(new Set(config.tokens.map(({ name }) => name))).join(", ")} (by gateway token)`,
    `  admin     ${adminUrl} (${config.admin.token === undefined ? "open, this machine only" : "by AIBRIDGE_ADMIN_TOKEN"})`,
    ...(provider === undefined
      ? []
      : ["", "Try it:", "", ...[false, true].flatMap((stream) => [curl(reachable(url), provider, config, stream), ""])])
  ].join("\n")
}

const served = (url: string, provider: ProviderConfig): string => {
  const type = provider.bedrock === undefined ? provider.type : `${provider.type} on Bedrock`
  return `  provider  ${provider.name} (${type}) at ${url}${mountOf(provider)}, ${poolOf(provider)}`
}

const poolOf = ({ keys, bedrock }: ProviderConfig): string => {
  if (bedrock !== undefined) {
    const { credentials } = bedrock
    return credentials === undefined ? "credentials of the AWS default chain" : `${credentials.length} credential(s)`
  }
  return keys === undefined ? "no keys: callers bring their own" : `${keys.length} key(s)`
}

const simulated = (simulatedUrl: string): ReadonlyArray<string> => [
  `            All SIMULATED by ${simulatedUrl}: no account is used, no request leaves this machine.`,
  "            Of three keys the first is rate-limited now and then and the second gets revoked: watch the log.",
  "            Where there are no keys any Bearer will do.",
  "            Set AIBRIDGE_PROVIDER_0_TYPE=anthropic and AIBRIDGE_PROVIDER_0_KEYS=... for a real one."
]

// All addresses at once are an address to listen on, not one to call.
const reachable = (url: string): string => url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")

const mountOf = ({ type, name }: ProviderConfig): string => `/${name}${vendors[type].version ?? ""}`

const curl = (url: string, provider: ProviderConfig, { tokens }: ServiceConfig, stream: boolean): string => {
  const { bridgedRoutes, credential } = vendors[provider.type]
  const [route] = bridgedRoutes
  const isAnthropic = route?.dialect === AnthropicMessages.dialect
  const members = isAnthropic ? `"model":"claude-sonnet-4-5","max_tokens":64` : `"model":"gpt-5-mini"`
  const body = `{${members},${stream ? `"stream":true,` : ""}"messages":[{"role":"user","content":"Hello"}]}`
  const bringsKey = provider.keys === undefined && provider.bedrock === undefined
  const own = Object.entries(credential.inject({}, Redacted.make("<your provider key>")))
  const token = `${bringsKey ? "x-aibridge-token:" : "authorization: Bearer"} <gateway token>`
  const headers = [
    "content-type: application/json",
    ...(isAnthropic ? ["anthropic-version: 2023-06-01"] : []),
    ...(bringsKey ? own.map(([name, value]) => `${name}: ${value}`) : []),
    ...(tokens.length === 0 ? [] : [token])
  ].map((header) => `-H '${header}'`)
  return `curl ${stream ? "-N " : ""}${url}${mountOf(provider)}${route?.path} ${headers.join(" ")} -d '${body}'`
}
