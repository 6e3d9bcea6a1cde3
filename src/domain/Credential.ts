/** The secret that is sent upstream: where it comes from and the masked form that may be shown. */

/**
 * `centralized`: one of the gateway's own keys. `byok` (bring your own key): the caller's own credential, sent upstream
 * as it came.
 */
export type CredentialKind = "centralized" | "byok"

/**
 * The masked form of a secret, the only one that may reach a log, an error, a span or a record.
 *
 * Counted in Unicode code points: from 20 on it shows 4 at each end, from 10 on 2, from 5 on 1, below that none. The
 * empty secret has the empty hint.
 */
export const hint = (secret: string): string => {
  if (secret === "") return ""
  const points = Array.from(secret)
  const shown = points.length >= 20 ? 4 : points.length >= 10 ? 2 : points.length >= 5 ? 1 : 0
  return points.slice(0, shown).join("") + "..." + points.slice(points.length - shown).join("")
}

/**
 * Whether a header's value holds a secret. One of less than 8 characters, which could stand in a value by chance, must be a
 * whole word of it.
 */
export const holdsSecret = (value: string, secret: string): boolean =>
  value.includes(secret) && (secret.length >= 8 || value.split(/[\s,;=]+/).includes(secret))

/** Whether a header can carry a secret as it is: printable ASCII without spaces, and not nothing. */
export const fitsHeader = (secret: string): boolean => /^[\x21-\x7e]+$/.test(secret)
