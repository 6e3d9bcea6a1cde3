/** Which credential one request uses upstream: the provider's pool, or the caller's own as a pool of one. */
import * as Effect from "effect/Effect"
import type { GatewayError } from "../domain/GatewayError.ts"
import * as Refusal from "../domain/GatewayError.ts"
import type { RequestHeaders } from "../domain/HeaderRecord.ts"
import type { Key } from "../keys/Key.ts"
import type { KeyPool } from "../keys/KeyPool.ts"
import * as Pool from "../keys/KeyPool.ts"
import type { Provider } from "../providers/Provider.ts"

export interface Credential {
  readonly pool: KeyPool
  /** The headers with the key where the provider wants it. */
  readonly inject: (headers: RequestHeaders, key: Key) => RequestHeaders
}

/**
 * @param own the headers in which a credential of the caller's own may be
 *
 * Fails with `GatewayError`: `Unauthorized` if there is neither a pool nor a credential of the caller, `Forbidden` if only the
 * caller's could be used and the provider does not allow it.
 */
export const choose = (provider: Provider, own: RequestHeaders): Effect.Effect<Credential, GatewayError> => {
  const { pool, isByok, byokCredential, injectAuthKey, missingCredential } = provider.keyFailover
  const credential = isByok(own) ? byokCredential(own) : undefined
  if (!provider.allowByok && (credential !== undefined || pool === undefined)) return byokForbidden
  if (credential !== undefined) {
    const { header, value, secret } = credential
    return Effect.succeed({
      pool: Pool.byok(provider.name, secret),
      inject: (outgoing) => ({ ...outgoing, [header]: value })
    })
  }
  if (pool === undefined) return Effect.fail(Refusal.make(new Refusal.Unauthorized({ detail: missingCredential })))
  return Effect.succeed({ pool, inject: (outgoing, key) => injectAuthKey(outgoing, key.value) })
}

const byokForbidden = Effect.fail(
  Refusal.make(
    new Refusal.Forbidden({
      detail:
        "callers may not bring a provider credential of their own (AIBRIDGE_ALLOW_BYOK is false): send the gateway token alone"
    })
  )
)
