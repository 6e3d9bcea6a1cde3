import { Redacted } from "effect"
import { CredentialHeader, OpenAiChat, Provider, Providers } from "effect-aibridge"

/** Mounted at `/acme/v1`, with its models at `/acme/v1/models`. */
const acme: Provider.Vendor = {
  type: "acme",
  baseUrl: "https://api.acme.example/openai/v1",
  version: "/v1",
  dialect: OpenAiChat.dialect,
  bridgedRoutes: [{ path: "/chat/completions", dialect: OpenAiChat.dialect }],
  passthroughRoutes: ["/models", "/models/"],
  credential: CredentialHeader.bearer
}

export const providers = Providers.layer([
  Provider.make(acme, { keys: [Redacted.make("acme-first"), Redacted.make("acme-second")] })
])
