/** How many requests may be under way at once. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { GatewayError } from "../domain/GatewayError.ts"
import * as Refusal from "../domain/GatewayError.ts"

export interface ConcurrencyLimit {
  /**
   * Counts a request as under way until its scope closes: until its answer was sent, or its client left. Fails with
   * `GatewayError` (`ConcurrencyLimited`) if too many are.
   */
  readonly enter: Effect.Effect<void, GatewayError, Scope.Scope>
}

/** What `Gateway.layer` asks. Default none: as many as come. */
export const ConcurrencyLimit = Context.Reference<ConcurrencyLimit | undefined>(
  "effect-aibridge/inbound/ConcurrencyLimit",
  { defaultValue: () => undefined }
)

/** One for all callers and providers together. What `maximum` answers holds at that moment; 0: any number, uncounted. */
export const make = (maximum: () => number): ConcurrencyLimit => {
  let underWay = 0
  const leave = Effect.sync(() => {
    underWay--
  })
  const counted = Effect.uninterruptible(
    Effect.flatMap(Effect.scope, (scope) => {
      if (underWay >= maximum()) return limited
      underWay++
      return Scope.addFinalizer(scope, leave)
    })
  )
  return {
    enter: Effect.suspend(() => (maximum() === 0 ? Effect.void : counted))
  }
}

/** In the memory of this process. */
export const layer = (maximum: number): Layer.Layer<never> => Layer.sync(ConcurrencyLimit, () => make(() => maximum))

const limited = Effect.fail(Refusal.make(new Refusal.ConcurrencyLimited({})))
