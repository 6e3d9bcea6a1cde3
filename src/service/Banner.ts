/** What the service says when it has started: where it listens, what it serves, and lines to paste. */
import type { ServiceConfig } from "./ServiceConfig.ts"

/** What there is to say. */
export interface Facts {
  /** Such as `http://127.0.0.1:8787`. */
  readonly url: string
  readonly nodeVersion: string
  readonly config: ServiceConfig
  /** Where the simulated provider listens, if it is the one that is served. */
  readonly simulatedUrl: string | undefined
}

/** The banner, several lines. */
export const render = ({ url, nodeVersion, config, simulatedUrl }: Facts): string => {
  const name = config.providers[0]?.name ?? "anthropic"
  return [
    `effect-aibridge listens on ${url} (Node ${nodeVersion})`,
    "",
    ...(simulatedUrl === undefined
      ? config.providers.map((provider) => served(url, provider))
      : simulated(url, simulatedUrl)),
    config.tokens.length === 0
      ? "  callers   open: no tokens, this machine only. Set AIBRIDGE_TOKENS=name=token to ask for one"
      : `  callers   ${config.tokens.map((token) => token.name).join(", ")} (by gateway token)`,
    "",
    "Try it:",
    "",
    curl(reachable(url), name, config, false),
    "",
    curl(reachable(url), name, config, true),
    ""
  ].join("\n")
}

const served = (url: string, provider: ServiceConfig["providers"][number]): string => {
  const keys = provider.keys === undefined ? "no keys: callers bring their own" : `${provider.keys.length} key(s)`
  return `  provider  ${provider.name} (${provider.type}) at ${url}/${provider.name}, ${keys}`
}

const simulated = (url: string, simulatedUrl: string): ReadonlyArray<string> => [
  `  provider  anthropic at ${url}/anthropic is SIMULATED by ${simulatedUrl}: no account is used, no request leaves this machine.`,
  "            Of its three keys the first is rate-limited now and then and the second gets revoked: watch the log.",
  "            Set AIBRIDGE_PROVIDER_0_TYPE=anthropic and AIBRIDGE_PROVIDER_0_KEYS=... for the real one."
]

// All addresses at once are an address to listen on, not one to call.
const reachable = (url: string): string => url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")

const curl = (url: string, name: string, config: ServiceConfig, stream: boolean): string => {
  const body = `{"model":"claude-sonnet-4-5","max_tokens":64,${stream ? `"stream":true,` : ""}"messages":[{"role":"user","content":"Hello"}]}`
  const [provider] = config.providers
  const bringsKey = provider !== undefined && provider.keys === undefined
  const headers = [
    "content-type: application/json",
    "anthropic-version: 2023-06-01",
    ...(bringsKey ? ["x-api-key: <your provider key>"] : []),
    ...(config.tokens.length === 0
      ? []
      : [`${bringsKey ? "x-aibridge-token:" : "authorization: Bearer"} <gateway token>`])
  ]
  const options = headers.map((header) => `-H '${header}'`).join(" ")
  return `curl ${stream ? "-N " : ""}${url}/${name}/v1/messages ${options} -d '${body}'`
}
