/** The vendors before which the gateway is put. A new one is one row. */
import type * as Effect from "effect/Effect"
import * as OpenAiChat from "../../src/dialects/OpenAiChat.ts"
import * as Cooldown from "../../src/keys/Cooldown.ts"
import type { InvalidKeys } from "../../src/keys/InvalidKeys.ts"
import * as Redacted from "effect/Redacted"
import * as Anthropic from "../../src/providers/Anthropic.ts"
import * as Bedrock from "../../src/providers/Bedrock.ts"
import * as Copilot from "../../src/providers/Copilot.ts"
import * as CredentialHeader from "../../src/providers/CredentialHeader.ts"
import * as OpenAi from "../../src/providers/OpenAi.ts"
import * as Provider from "../../src/providers/Provider.ts"
import * as BedrockMessages from "./BedrockMessages.ts"
import * as Chat from "./Chat.ts"
import type { Fixture } from "./Fixture.ts"
import * as Messages from "./Messages.ts"
import * as Responses from "./Responses.ts"

export interface Vendor {
  readonly name: string
  readonly make: (options: Provider.Options) => Effect.Effect<Provider.Provider, Provider.InvalidProvider | InvalidKeys>
  /** What stands before the routes in a client's path. */
  readonly prefix: string
  /** What stands before them in the upstream's URL. */
  readonly upstream: string
  readonly bridged: ReadonlyArray<Bridged>
  /** A passthrough route, if there is one. */
  readonly models: string | undefined
  /** Who speaks where no bridged route is meant. */
  readonly fixture: Fixture
  /** A credential where the vendor takes it. */
  readonly credential: (secret: string) => Readonly<Record<string, string>>
  /** What a caller without a credential is told where there is no pool either. */
  readonly missing: string
  readonly hasPool: boolean
}

export interface Bridged {
  readonly path: string
  readonly fixture: Fixture
}

const apiKey = (secret: string) => ({ "x-api-key": secret })
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` })

export const messages: Bridged = { path: "/v1/messages", fixture: Messages.fixture }
export const chat: Bridged = { path: "/chat/completions", fixture: Chat.fixture }
export const responses: Bridged = { path: "/responses", fixture: Responses.fixture }

export const anthropic: Vendor = {
  name: "anthropic",
  make: Anthropic.make,
  prefix: "/anthropic",
  upstream: "https://api.anthropic.com",
  bridged: [messages],
  models: "/v1/models",
  fixture: Messages.fixture,
  credential: apiKey,
  missing: "no provider credential: this provider has no keys of its own, send yours in x-api-key or Authorization",
  hasPool: true
}

export const openai: Vendor = {
  name: "openai",
  make: OpenAi.make,
  prefix: "/openai/v1",
  upstream: "https://api.openai.com/v1",
  bridged: [chat, responses],
  models: "/models",
  fixture: Chat.fixture,
  credential: bearer,
  missing: "no provider credential: this provider has no keys of its own, send yours in Authorization (Bearer)",
  hasPool: true
}

/** A vendor that nobody knows but an embedder: OpenAI's chat at another place. */
export const acme: Vendor = {
  ...openai,
  name: "acme",
  make: (options) =>
    Provider.make(
      {
        type: "acme",
        baseUrl: "https://llm.acme.test/api/v3",
        dialect: OpenAiChat.dialect,
        bridgedRoutes: [{ path: "/chat/completions", dialect: OpenAiChat.dialect }],
        passthroughRoutes: ["/models", "/models/"],
        credential: CredentialHeader.bearer
      },
      options
    ),
  prefix: "/acme",
  upstream: "https://llm.acme.test/api/v3",
  bridged: [chat]
}

export const copilot: Vendor = {
  ...openai,
  name: "copilot",
  make: Copilot.make,
  prefix: "/copilot",
  upstream: "https://api.individual.githubcopilot.com",
  missing: "missing Copilot authorization: Authorization header not found or invalid",
  hasPool: false
}

/** Anthropic's models behind a wire format of Amazon's; its keys are the ids of AWS credentials. */
export const bedrock: Vendor = {
  ...anthropic,
  name: "bedrock",
  make: ({ keys, ...options }) =>
    Bedrock.make(
      {
        region: "us-east-1",
        model: BedrockMessages.model,
        smallFastModel: BedrockMessages.smallFastModel,
        ...(keys && {
          credentials: keys.map((key) => ({
            accessKeyId: Redacted.value(key),
            secretAccessKey: Redacted.make("NEVER-SHOWN")
          }))
        })
      },
      // As all others have it; its own schedule has a test of its own.
      { name: "bedrock", cooldown: Cooldown.defaultSchedule, ...options }
    ),
  prefix: "/bedrock",
  upstream: "https://bedrock-runtime.us-east-1.amazonaws.com",
  bridged: [{ path: "/v1/messages", fixture: BedrockMessages.fixture }],
  models: undefined,
  credential: () => ({})
}

/** Those that have keys of their own and take requests as they come. */
export const pooled: ReadonlyArray<Vendor> = [anthropic, openai, acme]

/** Those that take requests as they come. */
export const all: ReadonlyArray<Vendor> = [...pooled, copilot]

/** Everybody. */
export const mounted: ReadonlyArray<Vendor> = [...all, bedrock]
