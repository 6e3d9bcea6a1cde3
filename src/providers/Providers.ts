/** The providers that a gateway serves. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as KeyPool from "../keys/KeyPool.ts"
import type { Provider } from "./Provider.ts"
import { InvalidProvider, isSamePlace } from "./Provider.ts"

/** All provider instances of a gateway. */
export class Providers extends Context.Service<
  Providers,
  {
    /** Those of this moment, in order; the same array until they are replaced. */
    readonly all: () => ReadonlyArray<Provider>
    /**
     * Serves these from now on; requests under way finish on what they started with. Keys that a provider of the same name had
     * before keep their states (`KeyPool.follow`), if it is the same upstream. Fails with `InvalidProvider` if two have the same name, and then changes nothing.
     */
    readonly replace: (providers: ReadonlyArray<Provider>) => Effect.Effect<void, InvalidProvider>
  }
>()("effect-aibridge/providers/Providers") {}

/** Makes every provider at start. Fails with the first one's error, or `InvalidProvider` if two have the same name. */
export const layer = <E = never, R = never>(
  providers: ReadonlyArray<Effect.Effect<Provider, E, R>>
): Layer.Layer<Providers, E | InvalidProvider, R> =>
  Layer.effect(
    Providers,
    Effect.gen(function* () {
      let all: ReadonlyArray<Provider> = []
      const replace = (next: ReadonlyArray<Provider>) =>
        checkNames(next).pipe(
          Effect.andThen(Effect.forEach(next, (newer) => follow(newer, all), { discard: true })),
          Effect.andThen(
            Effect.sync(() => {
              all = [...next]
            })
          ),
          Effect.uninterruptible,
          Effect.withSpan("Providers.replace")
        )
      yield* replace(yield* Effect.all(providers))
      return Providers.of({ all: () => all, replace })
    })
  )

const checkNames = (providers: ReadonlyArray<Provider>): Effect.Effect<void, InvalidProvider> => {
  const names = providers.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) < index)
  return twice === undefined
    ? Effect.void
    : Effect.fail(new InvalidProvider({ provider: twice, option: "name", detail: "another provider has it" }))
}

const follow = (newer: Provider, all: ReadonlyArray<Provider>): Effect.Effect<void> => {
  const older = all.find(({ name }) => name === newer.name)
  const before = older?.keyFailover.pool
  const { pool } = newer.keyFailover
  if (older === undefined || before === undefined || pool === undefined) return Effect.void
  return KeyPool.follow(pool, before, isSamePlace(older, newer))
}
