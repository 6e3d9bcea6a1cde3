/** What ends an exchange early, for clients whose exchanges are effects in a scope: see `UpstreamRequest.whenStopped`. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import type { UpstreamRequest } from "./Upstream.ts"

export interface EarlyEnd {
  /** What the exchange was ended with; `undefined` as long as it was not. */
  readonly error: () => UpstreamError | undefined
  /** Waits for it, and fails with it. */
  readonly wait: Effect.Effect<never, UpstreamError>
}

/** Registers it until the scope closes. */
export const register = (
  { whenStopped }: Pick<UpstreamRequest, "whenStopped">,
  scope: Scope.Scope
): Effect.Effect<EarlyEnd> =>
  Effect.suspend(() => {
    if (whenStopped === undefined) return Effect.succeed(never)
    const stopped = Deferred.makeUnsafe<never, UpstreamError>()
    let error: UpstreamError | undefined
    const unregister = whenStopped((reason) => {
      error ??= reason
      Deferred.doneUnsafe(stopped, Effect.fail(error))
    })
    const end: EarlyEnd = { error: () => error, wait: Deferred.await(stopped) }
    return Effect.as(Scope.addFinalizer(scope, Effect.sync(unregister)), end)
  })

const never: EarlyEnd = { error: () => undefined, wait: Effect.never }
