/** One vendor of the simulated provider: where it is, which credentials it takes, and what it answers. */
import type { IncomingHttpHeaders } from "node:http"
import { member } from "../domain/Json.ts"

export interface SimulatedVendor {
  readonly type: "anthropic" | "openai" | "copilot"
  /** What its base URL adds to the server's own. */
  readonly path: string
  /** Made up: nothing but this provider takes them. None: any credential will do. */
  readonly keys: readonly [string, string, string] | undefined
  /** The credential among these headers, where the vendor looks for it. */
  readonly credential: (headers: IncomingHttpHeaders) => string | undefined
  /** The body of a 401. */
  readonly refused: unknown
  /** The body of a 429. */
  readonly limited: unknown
  /** The answer to a caller whose credential is good. */
  readonly answer: (request: Request) => Answer
}

export interface Request {
  /** The method and the path behind the base URL, such as `POST /chat/completions`. */
  readonly route: string
  /** The JSON in its body; `undefined` if there is none. */
  readonly body: unknown
}

export type Answer =
  | { readonly _tag: "Json"; readonly status: number; readonly body: unknown }
  /** Server-sent events, ready for the wire. */
  | { readonly _tag: "Events"; readonly events: ReadonlyArray<string> }

export const json = (status: number, body: unknown): Answer => ({ _tag: "Json", status, body })

export const events = (all: ReadonlyArray<string>): Answer => ({ _tag: "Events", events: all })

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
