/** How a vendor's credentials travel: in which header of a request a key goes, and where a caller's own one may be. */
import * as Redacted from "effect/Redacted"
import type { RequestHeaders } from "../domain/HeaderRecord.ts"

export interface CredentialHeader {
  /** The headers with this key in the vendor's header, any other value of it replaced. */
  readonly inject: (headers: RequestHeaders, key: Redacted.Redacted<string>) => RequestHeaders
  /** The caller's own credential among these headers. */
  readonly own: (headers: RequestHeaders) => ByokCredential | undefined
  /** Told to a caller who brings no credential where the provider has no keys either. */
  readonly missing: string
  /** The masked form of a key, for logs and records. Default `Credential.hint`. */
  readonly hint?: (key: string) => string
}

/** A credential of the caller's own: the header it travels in, its value there, and the secret in it. */
export interface ByokCredential {
  readonly header: string
  readonly value: string
  readonly secret: string
}

/** `Authorization: Bearer`, as OpenAI and most vendors have it. Whatever else a caller puts there is the vendor's to judge. */
export const bearer: CredentialHeader = {
  inject: (headers, key) => ({ ...headers, authorization: `Bearer ${Redacted.value(key)}` }),
  own: (headers) => {
    const authorization = headers["authorization"]?.trim()
    if (!authorization) return undefined
    return { header: "authorization", value: authorization, secret: bearerToken(authorization) ?? authorization }
  },
  missing: "no provider credential: this provider has no keys of its own, send yours in Authorization (Bearer)"
}

/** `x-api-key`, as Anthropic has it; a caller's own may also be in `Authorization`, but an API key wins. */
export const apiKey: CredentialHeader = {
  inject: (headers, key) => ({ ...headers, "x-api-key": Redacted.value(key) }),
  own: (headers) => {
    const key = headers["x-api-key"]?.trim()
    return key ? { header: "x-api-key", value: key, secret: key } : bearer.own(headers)
  },
  missing: "no provider credential: this provider has no keys of its own, send yours in x-api-key or Authorization"
}

/** The bearer token in an `Authorization` value: exactly `Bearer <token>`, the word in any case. */
export const bearerToken = (authorization: string | undefined): string | undefined => {
  const fields = authorization?.trim().split(/\s+/) ?? []
  return fields.length === 2 && fields[0]?.toLowerCase() === "bearer" ? fields[1] : undefined
}
