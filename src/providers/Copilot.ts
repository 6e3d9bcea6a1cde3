/** GitHub Copilot, always with the caller's own credential. Business and enterprise are instances with other base URLs. */
import * as OpenAiChat from "../dialects/OpenAiChat.ts"
import * as CredentialHeader from "./CredentialHeader.ts"
import * as OpenAi from "./OpenAi.ts"
import * as Provider from "./Provider.ts"
import type * as TimeLimits from "./TimeLimits.ts"

/** There is no pool. */
export type Options = Pick<Provider.Options, "name" | "baseUrl" | "sendActorHeaders" | "extraHeaders"> &
  TimeLimits.Options

/** Routes without a version. Nothing but a well-formed bearer token is a credential. */
export const vendor: Provider.Vendor = {
  type: "copilot",
  baseUrl: "https://api.individual.githubcopilot.com",
  dialect: OpenAiChat.dialect,
  bridgedRoutes: OpenAi.vendor.bridgedRoutes,
  passthroughRoutes: ["/models", "/models/", "/agents/", "/mcp/", "/.well-known/"],
  credential: {
    ...CredentialHeader.bearer,
    own: (headers) =>
      CredentialHeader.bearerToken(headers["authorization"]) === undefined
        ? undefined
        : CredentialHeader.bearer.own(headers),
    missing: "missing Copilot authorization: Authorization header not found or invalid"
  },
  isByokOnly: true
}

/** Mounted at `/copilot`, or `/<name>`. Fails as `Provider.make`. */
export const make = (options: Options = {}) => Provider.make(vendor, options)
