/**
 * Between the dialect that a client speaks and a wire format of the vendor's own (Bedrock). Plain data in and out; what goes
 * over the network stays with `Upstream`, and which key is used with `Failover`.
 */
import type * as Effect from "effect/Effect"
import type { RequestHeaders, ResponseHeaders } from "../domain/HeaderRecord.ts"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import type { Key } from "../keys/Key.ts"

export interface Translation {
  /** The model that is asked when a client names this one; it is also the one in records and labels. */
  readonly model: (asked: string) => string
  /** A request as it goes out, but for its credential. Once per request. */
  readonly request: (request: DialectRequest) => WireRequest
  /** The headers of a request with a credential for exactly this request. Once per attempt. Fails if there is none to be had. */
  readonly authorize: (request: SignableRequest, key: Key) => Effect.Effect<RequestHeaders, UpstreamError>
  /** What is to be done with an answer, by its head. */
  readonly answer: (head: AnswerHead) => AnswerTranslation
}

/** A bridged request in the client's dialect. */
export interface DialectRequest {
  /** As `Translation.model` has it. */
  readonly model: string
  readonly stream: boolean
  /** Those that pass the gateway, without a credential. */
  readonly headers: RequestHeaders
  /** A JSON object. */
  readonly body: Uint8Array
}

/** The same on the vendor's wire. */
export interface WireRequest {
  /** Behind the base URL, percent-encoded, without a query. */
  readonly path: string
  readonly headers: RequestHeaders
  readonly body: Uint8Array
  /** What could not be translated and went out as it was; for the log. Never a part of a body. */
  readonly warnings: ReadonlyArray<string>
}

/** A request exactly as it is sent. */
export interface SignableRequest {
  readonly method: string
  /** Scheme, host and port. */
  readonly origin: string
  /** Percent-encoded. */
  readonly path: string
  readonly headers: RequestHeaders
  readonly body: Uint8Array
}

export interface AnswerHead {
  readonly status: number
  readonly headers: ResponseHeaders
}

export type AnswerTranslation =
  /** It is in the dialect already. */
  | { readonly _tag: "Same" }
  /** A stream that becomes the dialect's events, as they come. */
  | { readonly _tag: "Events"; readonly headers: ResponseHeaders; readonly decoder: () => EventDecoder }
  /** A short answer, an error mostly, that is read to its end first. */
  | { readonly _tag: "Whole"; readonly translate: (body: Uint8Array) => AnswerHead & { readonly body: Uint8Array } }

/** Turns the chunks of one stream, split anywhere, into the bytes of the dialect's events. */
export interface EventDecoder {
  /** The events that are complete with this chunk. */
  readonly push: (chunk: Uint8Array) => Decoded
}

export interface Decoded {
  readonly events: ReadonlyArray<Uint8Array>
  /** Whether what followed them cannot be read: the stream is broken and nothing more may be pushed. */
  readonly isBroken: boolean
}
