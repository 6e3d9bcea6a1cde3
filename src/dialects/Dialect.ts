/** A wire format: what the gateway must be able to read and say in it. Everything it does not know passes unchanged. */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import type { GatewayError } from "../domain/GatewayError.ts"
import { InvalidBody } from "../domain/GatewayError.ts"
import type { Answer } from "../domain/Usage.ts"
import type { AnswerReader } from "./AnswerReader.ts"
import type { ToolDialect } from "./ToolTurns.ts"

/** What the gateway reads of a bridged request, and what goes upstream for it. */
export interface BridgedRequest {
  readonly model: string
  /** Whether a stream was asked for. */
  readonly stream: boolean
  /** Whom the client speaks for by its own account, where the dialect has a member for it: some put their session there. */
  readonly userId: string | undefined
  /** What the user has asked: the text of the last message, if that is the user's own and has one. */
  readonly prompt: string | undefined
  /** The id of the tool call whose result the last message brings: of the last one, if there are several. */
  readonly toolResultId: string | undefined
  /** The bytes for the upstream: the client's own, unless a rule of the dialect edited them. */
  readonly body: Uint8Array
  /** The event that the answer has only because of that edit, if there is one. */
  readonly omitted: OmittedEvent | undefined
}

/** An event of a stream that the client must not see. */
export interface OmittedEvent {
  /** ASCII text that the data of each such event holds, its first letter a rare one: a first look that costs little. */
  readonly marker: string
  /** Whether an event is one, by its data. */
  readonly matches: (data: string) => boolean
}

export interface Dialect {
  /** For records and logs. */
  readonly name: string
  /** Reads a request body, or says what is wrong with it. Unknown members are nobody's business here. */
  readonly readRequest: (body: Uint8Array) => Result.Result<BridgedRequest, GatewayError["reason"]>
  /** A reader for the events of one stream. */
  readonly answerReader: () => AnswerReader
  /** What a whole answer says of itself, once it is here; nothing if it is an error, or no JSON. */
  readonly readAnswer: (body: Uint8Array) => Answer
  /** The JSON text of an error answer with this HTTP status. */
  readonly renderError: (status: number, message: string) => string
  /** An error as an event of a stream that has begun. */
  readonly renderStreamError: (message: string) => Uint8Array
  /** The same of the JSON text of an error answer, such as `renderError` makes, or an upstream has sent. */
  readonly streamErrorOf: (error: string) => Uint8Array
  /** The names of the events that end a stream; none in a dialect whose events are told by their data alone. */
  readonly terminalEvents: ReadonlyArray<string>
  /** Those of them that say that the answer failed, in their data why. */
  readonly errorEvents: ReadonlyArray<string>
  /** Whether an event without a name ends a stream, by the beginning of its data. */
  readonly isTerminalData: (head: string) => boolean
  /** Whether such an event that ends a stream says that the answer failed. */
  readonly isErrorData: (head: string) => boolean
  /** With what such data begins, in ASCII: a first look that costs little. */
  readonly terminalDataStarts: ReadonlyArray<string>
  /** Tools of the gateway's own. */
  readonly tools: ToolDialect
  /** What keeps a silent stream open, if the dialect has such an event. */
  readonly keepalive: Uint8Array | undefined
}

/**
 * Whether an error in a stream is the upstream's, by the beginning of its data: not about the request or the key, as a 4xx
 * would be. Error types and codes of all dialects.
 */
export const isUpstreamsError = (head: string): boolean => !notTheUpstreams.test(head)

const notTheUpstreams =
  /"(?:authentication_error|billing_error|context_length_exceeded|insufficient_quota|invalid_(?:api_key|image_\w+|prompt|request_error)|not_found_error|permission_error|rate_limit_(?:error|exceeded)|request_too_large)"/

/** An answer of our own: always JSON in the dialect's shape, with a length. */
export interface ShapedResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export const shapeError = (
  dialect: Dialect,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {}
): ShapedResponse => ({ status, headers, body: dialect.renderError(status, message) })

/** The header that says when to try again: in whole seconds, rounded up, at least 1 (RFC 9110 section 10.2.3). */
export const retryAfter = (delay: Duration.Duration): Readonly<Record<string, string>> => ({
  "retry-after": String(Math.max(1, Math.ceil(Duration.toSeconds(delay))))
})

/** A request body as JSON: its members, and the model, which is all that is asked of them. */
export interface ParsedBody {
  readonly model: string
  readonly members: Readonly<Record<string, unknown>>
}

/** The JSON object in a body and its `model`, a non-empty string; or what is wrong with it. */
export const parseBody = (body: Uint8Array): Result.Result<ParsedBody, InvalidBody> =>
  Result.flatMap(readJsonObject(body), (members) => {
    const model = members["model"]
    if (typeof model === "string" && model !== "") return Result.succeed({ model, members })
    return invalid(model === undefined ? `"model" is missing` : `"model" must be a non-empty string`)
  })

/** Whether a member means yes to vendors that read such members leniently: `true`, `"true"`, `1` and the like. */
export const isTrue = (value: unknown): boolean =>
  value === true ||
  (typeof value === "number" && value !== 0) ||
  (typeof value === "string" && /^(?:1|t|true)$/i.test(value))

const readJsonObject = (body: Uint8Array): Result.Result<ParsedBody["members"], InvalidBody> => {
  if (body.length === 0) return invalid("it is empty, a JSON object is needed")
  return Result.flatMap(parseJson(body), (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Result.succeed(value as ParsedBody["members"])
      : invalid("it is not a JSON object")
  )
}

const decoder = new TextDecoder()

const parseJson = (body: Uint8Array): Result.Result<unknown, InvalidBody> =>
  Result.try({
    try: (): unknown => JSON.parse(decoder.decode(body)),
    catch: () => new InvalidBody({ detail: "it is not JSON" })
  })

const invalid = (detail: string) => Result.fail(new InvalidBody({ detail }))
