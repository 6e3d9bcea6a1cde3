/** Makes a gateway token: random, shown once, and known to the gateway by its hash. */
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"

export interface NewToken {
  /** `aib_` and 32 random bytes in base64url. Not to be kept by us. */
  readonly token: string
  /** What to configure: `name=sha256:...`. */
  readonly setting: string
}

/** A token for a caller of this name, as `isName` wants it. */
export const make = (name: string): Effect.Effect<NewToken, never, Digest.Digest | SecureRandom.SecureRandom> =>
  Effect.gen(function* () {
    const random = yield* SecureRandom.SecureRandom
    const digest = yield* Digest.Digest
    const token = `aib_${Base64Url.encode(yield* random.randomBytes(32))}`
    const hash = yield* digest.digestHex(Digest.sha256, new TextEncoder().encode(token))
    return { token, setting: `${name}=sha256:${hash}` }
  })

/** Whether a name can stand before `=` in a list with commas. */
export const isName = (name: string): boolean => name === name.trim() && /^[^,=\p{Cc}]+$/u.test(name)

/** What is said about one. */
export const render = ({ token, setting }: NewToken): string =>
  [
    token,
    "",
    "This is the only time the token is shown: give it to who it is for. The gateway knows it by its hash; add it to",
    "AIBRIDGE_TOKENS, to the file that AIBRIDGE_TOKENS_FILE names, or to tokens in the configuration file:",
    "",
    setting
  ].join("\n")
