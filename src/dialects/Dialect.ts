/** A wire format: what the gateway must be able to read and say in it. Everything it does not know passes unchanged. */
import * as Result from "effect/Result"

/** What the gateway reads of a bridged request. */
export interface RequestSummary {
  readonly model: string
  /** Whether a stream was asked for. */
  readonly stream: boolean
}

export interface Dialect {
  /** For records and logs. */
  readonly name: string
  /** Reads a request body; the failure says what is wrong with it. Unknown members are nobody's business here. */
  readonly readRequest: (body: Uint8Array) => Result.Result<RequestSummary, string>
  /** The JSON text of an error answer with this HTTP status. */
  readonly renderError: (status: number, message: string) => string
  /** An error as an event of a stream that has begun. */
  readonly renderStreamError: (message: string) => Uint8Array
  /** The names of the events that end a stream. */
  readonly terminalEvents: ReadonlySet<string>
  /** Whether an event without a name ends a stream, by the beginning of its data. */
  readonly isTerminalData: (head: string) => boolean
  /** What keeps a silent stream open, if the dialect has such an event. */
  readonly keepalive: Uint8Array | undefined
}

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

/** The JSON object in a body, or what it is instead. */
export const readJsonObject = (body: Uint8Array): Result.Result<Readonly<Record<string, unknown>>, string> => {
  if (body.length === 0) return Result.fail("it is empty, a JSON object is needed")
  return Result.flatMap(parse(body), (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Result.succeed(value as Readonly<Record<string, unknown>>)
      : Result.fail("it is not a JSON object")
  )
}

/** The `model` of a request: a non-empty string, or what is wrong with it. */
export const readModel = (request: Readonly<Record<string, unknown>>): Result.Result<string, string> => {
  const model = request["model"]
  if (typeof model === "string" && model !== "") return Result.succeed(model)
  return Result.fail(model === undefined ? `"model" is missing` : `"model" must be a non-empty string`)
}

const decoder = new TextDecoder()

const parse = (body: Uint8Array): Result.Result<unknown, string> =>
  Result.try({
    try: (): unknown => JSON.parse(decoder.decode(body)),
    catch: () => "it is not JSON"
  })
