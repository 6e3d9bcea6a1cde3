/** The simulated Bedrock as its callers know it: requests that AWS's own library signs, and frames read without it. */
import { assert } from "@effect/vitest"
import { Sha256 } from "@smithy/core/checksum"
import { SignatureV4 } from "@smithy/signature-v4"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as SimulatedBedrock from "../../src/demo/SimulatedBedrock.ts"
import * as SimulatedProvider from "../../src/demo/SimulatedProvider.ts"
import * as TestHttp from "../service/TestHttp.ts"

export interface Signed {
  /** Default `POST`. */
  readonly method?: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body: Uint8Array
}

export interface Options {
  /** Default `/bedrock/model/some.model-v1%3A0/invoke`. */
  readonly path?: string
  /** Default: one that is accepted. */
  readonly body?: string
  /** Besides the host, which is always signed. */
  readonly headers?: Record<string, string>
  /** When it is signed. Default 0. */
  readonly minutesAgo?: number
  readonly credential?: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** Headers that are sent but not signed. */
  readonly unsigned?: ReadonlyArray<string>
  readonly region?: string
  readonly service?: string
  /** What happens to the request once it is signed. */
  readonly tamper?: (signed: Signed) => Signed
}

export const model = "some.model-v1:0"

export const paths = {
  invoke: "/bedrock/model/some.model-v1%3A0/invoke",
  stream: "/bedrock/model/some.model-v1%3A0/invoke-with-response-stream"
}

/** The body of a request that is accepted. */
export const message = (members: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    anthropic_version: "bedrock-2023-05-31",
    max_tokens: 64,
    messages: [{ role: "user", content: "Hello" }],
    ...members
  })

export const start = Effect.gen(function* () {
  const { url, providers } = yield* SimulatedProvider.start
  const bedrock = providers.flatMap((provider) => provider.bedrock ?? [])[0] ?? {
    ...SimulatedBedrock.settings,
    baseUrl: ""
  }
  const credential = (index: number) => {
    const { accessKeyId = "", secretAccessKey = Redacted.make("") } = bedrock.credentials[index] ?? {}
    return { accessKeyId, secretAccessKey: Redacted.value(secretAccessKey) }
  }
  /** The answer to a request signed with one of the credentials. */
  const ask = Effect.fnUntraced(function* (index: number, options: Options = {}) {
    const { path = paths.invoke, body = message(), minutesAgo = 0, tamper = (signed) => signed, ...rest } = options
    const [pathname = "", query = ""] = path.split("?")
    const signer = new SignatureV4({
      credentials: credential(index),
      ...(rest.credential && { credentials: rest.credential }),
      region: rest.region ?? bedrock.region,
      service: rest.service ?? "bedrock",
      sha256: Sha256
    })
    const { headers } = yield* Effect.promise(() =>
      signer.sign(
        {
          method: "POST",
          protocol: "http:",
          hostname: "127.0.0.1",
          path: pathname,
          query: Object.fromEntries(new URLSearchParams(query)),
          headers: { host: new URL(url).host, "content-type": "application/json", ...rest.headers },
          body
        },
        { unsignableHeaders: new Set(rest.unsigned), signingDate: new Date(new Date().getTime() - minutesAgo * 60_000) }
      )
    )
    const answer = yield* TestHttp.send(url, { method: "POST", ...tamper({ path, headers, body: Buffer.from(body) }) })
    return { ...answer, json: Effect.map(answer.text, (text): unknown => JSON.parse(text)) }
  })
  return { url, providers, bedrock, credential, ask }
})

export interface Frame {
  readonly headers: Readonly<Record<string, string>>
  readonly payload: { readonly bytes: string; readonly p: string }
}

/** Reads frames as "Event stream encoding" of the AWS documentation has them, checksums and all. */
export const frames = (bytes: Buffer): ReadonlyArray<Frame> => {
  if (bytes.length === 0) return []
  const length = bytes.readUInt32BE(0)
  const headersEnd = 12 + bytes.readUInt32BE(4)
  const end = length - 4
  assert.isAtLeast(bytes.length, length, "the last frame is whole")
  assert.strictEqual(bytes.readUInt32BE(8), crc32(bytes.subarray(0, 8)), "the checksum of the prelude")
  assert.strictEqual(bytes.readUInt32BE(end), crc32(bytes.subarray(0, end)), "the checksum of the message")
  const frame: Frame = {
    headers: Object.fromEntries(headersIn(bytes.subarray(12, headersEnd))),
    payload: JSON.parse(bytes.toString("utf8", headersEnd, end))
  }
  return [frame, ...frames(bytes.subarray(length))]
}

// All of them are strings, which is type 7.
const headersIn = (bytes: Buffer): ReadonlyArray<readonly [string, string]> => {
  if (bytes.length === 0) return []
  const nameEnd = 1 + bytes.readUInt8(0)
  assert.strictEqual(bytes.readUInt8(nameEnd), 7)
  const valueStart = nameEnd + 3
  const valueEnd = valueStart + bytes.readUInt16BE(nameEnd + 1)
  return [
    [bytes.toString("utf8", 1, nameEnd), bytes.toString("utf8", valueStart, valueEnd)],
    ...headersIn(bytes.subarray(valueEnd))
  ]
}

/** The CRC of IEEE 802.3, bit by bit. */
const crc32 = (bytes: Buffer): number => {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}

/** What the tests look at in an event of a stream. */
export interface Event {
  readonly type: string
  readonly delta?: Readonly<Record<string, string | null>>
  readonly [member: string]: unknown
}

/** The event in a frame. */
export const eventOf = ({ payload: { bytes } }: Frame): Event =>
  JSON.parse(Buffer.from(bytes, "base64").toString("utf8"))
