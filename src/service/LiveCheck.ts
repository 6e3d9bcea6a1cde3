/** Asks every key whether it works: by a request for the list of models, which costs nothing. */
import * as Effect from "effect/Effect"
import type { InvalidKeys } from "../keys/InvalidKeys.ts"
import * as ExtraHeaders from "../providers/ExtraHeaders.ts"
import type { InvalidProvider, Provider } from "../providers/Provider.ts"
import { Upstream } from "../upstream/Upstream.ts"
import * as ProviderSet from "./ProviderSet.ts"
import type { ServiceConfig } from "./ServiceConfig.ts"

/** What one key has answered. */
export interface Answer {
  readonly provider: string
  /** The masked form of the key. */
  readonly key: string
  readonly outcome: "works" | "limited" | "refused" | "failed" | "not asked"
  /** The status, or why there is none. */
  readonly detail: string
}

/** One after the other, each provider's keys in order. Providers whose callers bring their own are left out. */
export const ask = (
  config: ServiceConfig
): Effect.Effect<ReadonlyArray<Answer>, InvalidKeys | InvalidProvider, Upstream> =>
  ProviderSet.make(config).pipe(
    Effect.flatMap((set) => Effect.forEach(set, ({ provider }) => askProvider(provider))),
    Effect.map((answers) => answers.flat())
  )

const askProvider = Effect.fnUntraced(function* (provider: Provider) {
  const { pool, injectAuthKey } = provider.keyFailover
  const upstream = yield* Upstream
  const models = provider.passthroughRoutes.find((route) => route.endsWith("/models"))
  // Anthropic's API wants its version; others take no notice.
  const headers = { "anthropic-version": "2023-06-01", "user-agent": "aibridge" }
  ExtraHeaders.add(headers, provider.extraHeaders)
  return yield* Effect.forEach(pool?.keys ?? [], (key): Effect.Effect<Answer> => {
    const about = { provider: provider.name, key: key.hint }
    if (models === undefined) {
      return Effect.succeed({ ...about, outcome: "not asked", detail: "there is no list of models to ask for" })
    }
    const request = {
      method: "GET",
      origin: provider.baseUrl.origin,
      path: provider.baseUrl.path + models,
      headers: injectAuthKey(headers, key.value),
      body: undefined,
      timeouts: provider.timeouts
    }
    return Effect.scoped(upstream.send(request)).pipe(
      Effect.map(({ status }): Answer => ({ ...about, outcome: outcomeOf(status), detail: String(status) })),
      Effect.catch((error) => Effect.succeed<Answer>({ ...about, outcome: "failed", detail: error.message }))
    )
  })
})

const outcomeOf = (status: number): Answer["outcome"] => {
  if (status < 300) return "works"
  if (status === 429) return "limited"
  return status === 401 || status === 403 ? "refused" : "failed"
}
