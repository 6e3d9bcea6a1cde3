/** One vendor of the simulated provider: where it is, which credentials it takes, and what it answers. */
import type { IncomingHttpHeaders } from "node:http"
import { member } from "../domain/Json.ts"

export interface SimulatedVendor {
  readonly name: "anthropic" | "openai" | "copilot" | "bedrock"
  readonly type: "anthropic" | "openai" | "copilot"
  /** What its base URL adds to the server's own. */
  readonly path: string
  /** Made up: nothing but this provider takes them. With Bedrock they are the ids of access keys. None: any credential will do. */
  readonly keys: readonly [string, string, string] | undefined
  /** The credential of a request, where the vendor looks for it. */
  readonly credential: (request: Request) => string | undefined
  /** The answer to a request that is refused before its credential is used. Default: there is none such. */
  readonly check?: (request: SentRequest, now: Date) => Answer | undefined
  /** The answer to a credential that is not good. */
  readonly refused: Answer
  /** The answer to a credential that is over its limit. */
  readonly limited: Answer
  /** The answer to a caller whose credential is good. */
  readonly answer: (request: Request) => Answer
  /** The header with an id in every answer. Default: there is none. */
  readonly requestIdHeader?: string
}

/** A request as it came over the wire. */
export interface SentRequest {
  readonly method: string
  /** The path with its query. */
  readonly target: string
  /** Names and values in turn. */
  readonly rawHeaders: ReadonlyArray<string>
  readonly bytes: Uint8Array
}

export interface Request extends SentRequest {
  readonly headers: IncomingHttpHeaders
  /** The method and the path behind the base URL, such as `POST /chat/completions`. */
  readonly route: string
  /** The JSON in its body; `undefined` if there is none. */
  readonly body: unknown
}

export type Answer =
  | {
      readonly _tag: "Json"
      readonly status: number
      readonly body: unknown
      readonly headers: Readonly<Record<string, string>>
    }
  /** A stream, each of its events ready for the wire. */
  | { readonly _tag: "Events"; readonly contentType: string; readonly events: ReadonlyArray<string | Uint8Array> }

export const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  _tag: "Json",
  status,
  body,
  headers
})

/** Server-sent events. */
export const events = (all: ReadonlyArray<string>): Answer => ({
  _tag: "Events",
  contentType: "text/event-stream; charset=utf-8",
  events: all
})

/** What every answer says, as it comes in a stream. */
export const words = ["Hello", " from", " the", " simulated", " provider", ".", " No", " account", " was", " used", "."]

export const text = words.join("")

/** What every request is said to have cost. */
export const inputTokens = 12
export const outputTokens = words.length

/** When everything was made, in seconds since 1970. */
export const created = Date.UTC(2026, 0) / 1000

/** The model that a request asks for, whatever it is. */
export const modelOf = (body: unknown): string => {
  const model = member(body, "model")
  return typeof model === "string" ? model : "unknown"
}

export const asksForStream = (body: unknown): boolean => member(body, "stream") === true
