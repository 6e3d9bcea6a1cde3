/** AWS Signature Version 4 over a request exactly as it is sent. */
import { Sha256 } from "@smithy/core/checksum"
import { SignatureV4 } from "@smithy/signature-v4"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { RequestHeaders } from "../../domain/HeaderRecord.ts"
import type { SignableRequest } from "../Translation.ts"
import type { AwsCredentials } from "./AwsCredentials.ts"

/** What a signature is valid for. */
export interface Scope {
  /** Such as `us-east-1`. */
  readonly region: string
  /** The service's signing name, such as `bedrock`. */
  readonly service: string
  /** Further headers that are signed, lower-case. Default none. */
  readonly signedHeaders?: ReadonlyArray<string>
}

/**
 * The headers of the request, signed. `host` is signed but not among them: the client upstream sets it, from the origin as
 * it is signed here. A signature and any other `x-amz-` header that came with the request are gone.
 *
 * Signed are `host`, `content-type`, `x-amz-date`, `x-amz-security-token` and `x-amzn-*`: what AWS asks for ("Create a
 * signed AWS API request"), but nothing more, because whatever else lies on the way may change the rest.
 *
 * @param now epoch milliseconds
 */
export const sign = (
  request: SignableRequest,
  credentials: AwsCredentials,
  scope: Scope,
  now: number
): Effect.Effect<RequestHeaders> => {
  const headers = withoutSignature(request.headers)
  const signer = new SignatureV4({
    service: scope.service,
    region: scope.region,
    credentials: exposed(credentials),
    sha256: Sha256,
    applyChecksum: false
  })
  const { host, hostname, protocol } = new URL(request.origin)
  const [path = "/", ...query] = request.path.split("?")
  const toSign = {
    method: request.method,
    protocol,
    hostname,
    path,
    query: queryOf(query.join("?")),
    headers: { ...signable(headers, scope.signedHeaders ?? []), host },
    body: request.body
  }
  return Effect.map(
    Effect.promise(() => signer.sign(toSign, { signingDate: new Date(now) })),
    (signed) => ({ ...headers, ...only(signed.headers, (name) => name !== "host") })
  )
}

const exposed = ({ accessKeyId, secretAccessKey, sessionToken }: AwsCredentials) => ({
  accessKeyId,
  secretAccessKey: Redacted.value(secretAccessKey),
  ...(sessionToken && { sessionToken: Redacted.value(sessionToken) })
})

const withoutSignature = (headers: RequestHeaders): RequestHeaders =>
  only(headers, (name) => name !== "host" && !name.startsWith("x-amz-"))

// Only plain values: others do not look the same to everybody on the way.
const signable = (headers: RequestHeaders, further: ReadonlyArray<string>): RequestHeaders =>
  only(
    headers,
    (name, value) =>
      (name === "content-type" || name.startsWith("x-amzn-") || further.includes(name)) &&
      /^[\t\x20-\x7e]*$/.test(value)
  )

const only = (headers: RequestHeaders, isWanted: (name: string, value: string) => boolean): RequestHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name, value]) => isWanted(name, value)))

const queryOf = (query: string): Record<string, Array<string>> => {
  const parameters = new URLSearchParams(query)
  return Object.fromEntries(Array.from(new Set(parameters.keys()), (name) => [name, parameters.getAll(name)]))
}
