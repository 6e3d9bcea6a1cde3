/** OpenAI and everything that speaks its API at another base URL. */
import * as OpenAiChat from "../dialects/OpenAiChat.ts"
import * as OpenAiResponses from "../dialects/OpenAiResponses.ts"
import * as CredentialHeader from "./CredentialHeader.ts"
import * as Provider from "./Provider.ts"

export type Options = Provider.Options

/** The version belongs to the mount point and to the base URL. */
export const vendor: Provider.Vendor = {
  type: "openai",
  baseUrl: "https://api.openai.com/v1",
  version: "/v1",
  dialect: OpenAiChat.dialect,
  bridgedRoutes: [
    { path: "/chat/completions", dialect: OpenAiChat.dialect },
    { path: "/responses", dialect: OpenAiResponses.dialect }
  ],
  passthroughRoutes: ["/conversations", "/conversations/", "/models", "/models/", "/responses/"],
  credential: CredentialHeader.bearer
}

/** Mounted at `/openai/v1`, or `/<name>/v1`. Fails as `Provider.make`. */
export const make = (options: Options = {}) => Provider.make(vendor, options)
