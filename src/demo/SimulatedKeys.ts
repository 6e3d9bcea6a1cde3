/** How the simulated keys wear off: the first is rate-limited now and then, the second gets revoked, the third is always good. */

/** How long a limited key rests, as a vendor may say it: 10 seconds. */
export const retryAfter = { "retry-after": "10" }

/** Every third request with the first key, beginning with the second one, is over its limit. */
const limitedEvery = 3

/** The second key works once. */
const servedBeforeRevoked = 1

export type Outcome = "served" | "limited" | "refused"

/** What each further use of a credential comes to. A credential that is none of the keys is always refused. */
export const make = (keys: readonly [string, string, string]): ((credential: string | undefined) => Outcome) => {
  const uses = new Map<string | undefined, number>(keys.map((key) => [key, 0]))
  const [first, second] = keys

  return (credential) => {
    const before = uses.get(credential)
    if (before === undefined) return "refused"
    const use = before + 1
    uses.set(credential, use)
    if (credential === second && use > servedBeforeRevoked) return "refused"
    return credential === first && use % limitedEvery === 2 ? "limited" : "served"
  }
}
