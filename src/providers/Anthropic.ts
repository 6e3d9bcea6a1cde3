/** Anthropic and everything that speaks its API at another base URL. */
import * as AnthropicMessages from "../dialects/AnthropicMessages.ts"
import * as CredentialHeader from "./CredentialHeader.ts"
import * as Provider from "./Provider.ts"

export type Options = Provider.Options

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
export const make = (options: Options = {}) => Provider.make(vendor, options)
