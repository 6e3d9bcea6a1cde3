/** Anthropic, everything that speaks its API at another base URL, and its models on Amazon Bedrock. */
import * as Effect from "effect/Effect"
import * as AnthropicMessages from "../dialects/AnthropicMessages.ts"
import * as Bedrock from "./Bedrock.ts"
import * as CredentialHeader from "./CredentialHeader.ts"
import * as Provider from "./Provider.ts"

export interface Options extends Provider.Options {
  /** Asks Bedrock instead: with credentials of its own, so there are no `keys`, and at a base URL of its own. */
  readonly bedrock?: Bedrock.Options
}

/** Anthropic's routes hold their version, so its base URL does not. */
export const vendor: Provider.Vendor = {
  type: "anthropic",
  baseUrl: "https://api.anthropic.com",
  dialect: AnthropicMessages.dialect,
  bridgedRoutes: [{ path: "/v1/messages", dialect: AnthropicMessages.dialect }],
  passthroughRoutes: ["/v1/models", "/v1/models/", "/v1/messages/count_tokens", "/api/event_logging/"],
  credential: CredentialHeader.apiKey
}

/** Mounted at `/anthropic`, or `/<name>`. Fails as `Provider.make`. */
export const make = ({ bedrock, ...options }: Options = {}) => {
  if (bedrock === undefined) return Provider.make(vendor, options)
  const { keys, baseUrl, ...others } = options
  if (keys === undefined && baseUrl === undefined) return Bedrock.make(bedrock, others)
  const detail = "has credentials and a base URL of its own: leave out keys and baseUrl"
  return Effect.fail(new Provider.InvalidProvider({ provider: options.name ?? vendor.type, option: "bedrock", detail }))
}
