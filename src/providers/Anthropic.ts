/** Anthropic and everything that speaks its API at another base URL. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { RequestHeaders } from "../domain/HeaderRecord.ts"
import * as AnthropicMessages from "../dialects/AnthropicMessages.ts"
import type { InvalidKeys } from "../keys/InvalidKeys.ts"
import * as KeyPool from "../keys/KeyPool.ts"
import * as KeyPoolResponse from "./KeyPoolResponse.ts"
import type { ByokCredential, Provider } from "./Provider.ts"
import { bearerToken, InvalidProvider, namePattern, parseBaseUrl } from "./Provider.ts"

/** One Anthropic instance and its pool. */
export interface Options extends Omit<KeyPool.Options, "provider" | "keys"> {
  /** The instance's name and mount point: lower-case letters, digits and single hyphens. Default `anthropic`. */
  readonly name?: string
  /** Default `https://api.anthropic.com`. */
  readonly baseUrl?: string
  /** The pool, in order of preference. Default none: every caller brings a key of its own. */
  readonly keys?: ReadonlyArray<Redacted.Redacted<string>>
}

/** The vendor's own. */
export const defaultBaseUrl = "https://api.anthropic.com"

/** Fails with `InvalidProvider` for a bad name or base URL, with `InvalidKeys` for keys that no pool can hold. */
export const make = Effect.fn("Anthropic.make")(function* (
  options: Options = {}
): Effect.fn.Return<Provider, InvalidProvider | InvalidKeys> {
  const name = options.name ?? "anthropic"
  if (!namePattern.test(name)) {
    const detail = "must contain only lowercase alphanumeric characters and hyphens"
    return yield* new InvalidProvider({ provider: name, option: "name", detail })
  }
  const baseUrl = parseBaseUrl(options.baseUrl ?? defaultBaseUrl)
  if (typeof baseUrl === "string") {
    return yield* new InvalidProvider({ provider: name, option: "baseUrl", detail: baseUrl })
  }
  const { keys } = options
  const pool = keys === undefined ? undefined : yield* KeyPool.make({ ...options, provider: name, keys })
  return {
    type: "anthropic",
    name,
    baseUrl,
    routePrefix: `/${name}`,
    dialect: AnthropicMessages.dialect,
    bridgedRoutes: [{ path: "/v1/messages", dialect: AnthropicMessages.dialect }],
    passthroughRoutes: ["/v1/models", "/v1/models/", "/v1/messages/count_tokens", "/api/event_logging/"],
    keyFailover: {
      pool,
      isByok: (headers) => byokCredential(headers) !== undefined,
      injectAuthKey: (headers, key) => ({ ...headers, "x-api-key": Redacted.value(key) }),
      byokCredential,
      buildKeyPoolResponse: KeyPoolResponse.make(AnthropicMessages.dialect)
    }
  }
})

// An API key wins over a bearer token; whatever else stands in Authorization is the caller's business and goes through.
const byokCredential = (headers: RequestHeaders): ByokCredential | undefined => {
  const apiKey = headers["x-api-key"]?.trim()
  if (apiKey) return { header: "x-api-key", value: apiKey, secret: apiKey }
  const authorization = headers["authorization"]?.trim()
  if (!authorization) return undefined
  return { header: "authorization", value: authorization, secret: bearerToken(authorization) ?? authorization }
}
