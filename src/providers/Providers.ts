/** The providers that a gateway serves. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Provider } from "./Provider.ts"
import { InvalidProvider } from "./Provider.ts"

/** All provider instances of a gateway, in order. */
export class Providers extends Context.Service<
  Providers,
  {
    readonly all: ReadonlyArray<Provider>
  }
>()("effect-aibridge/providers/Providers") {}

/** Makes every provider at start. Fails with the first one's error, or `InvalidProvider` if two have the same name. */
export const layer = <E = never, R = never>(
  providers: ReadonlyArray<Effect.Effect<Provider, E, R>>
): Layer.Layer<Providers, E | InvalidProvider, R> =>
  Layer.effect(
    Providers,
    Effect.gen(function* () {
      const all = yield* Effect.all(providers)
      const names = all.map((provider) => provider.name)
      const twice = names.find((name, index) => names.indexOf(name) < index)
      if (twice !== undefined) {
        return yield* new InvalidProvider({ provider: twice, option: "name", detail: "another provider has it" })
      }
      return Providers.of({ all })
    })
  )
