/** Anthropic Messages: `POST /v1/messages` and its server-sent events. */
import * as Result from "effect/Result"
import * as Json from "../domain/Json.ts"
import * as AnthropicAnswer from "./AnthropicAnswer.ts"
import * as AnthropicTurns from "./AnthropicTurns.ts"
import type { Dialect } from "./Dialect.ts"
import { parseBody } from "./Dialect.ts"
import * as EventData from "./EventData.ts"

/** As Anthropic documents it ("Messages" and "Streaming messages"). A stream ends with `message_stop` or `error`. */
export const dialect: Dialect = {
  name: "anthropic-messages",
  readRequest: (body) =>
    Result.map(parseBody(body), ({ model, members }) => {
      const last = Json.elements(members["messages"]).at(-1)
      return {
        model,
        stream: members["stream"] === true,
        userId: userId(members["metadata"]),
        prompt: prompt(last),
        toolResultId: toolResultId(last),
        body,
        omitted: undefined
      }
    }),
  answerReader: AnthropicAnswer.reader,
  readAnswer: AnthropicAnswer.read,
  renderError: (status, message) => render(errorType(status), message),
  renderStreamError: (message) => streamErrorOf(render("api_error", message)),
  streamErrorOf: (error) => streamErrorOf(error),
  terminalEvents: ["message_stop", "error"],
  errorEvents: ["error"],
  isTerminalData: (head) => terminalData.test(head),
  isErrorData: (head) => errorData.test(head),
  terminalDataStarts: ["{"],
  tools: AnthropicTurns.toolDialect,
  keepalive: new TextEncoder().encode(`event: ping\ndata: {"type": "ping"}\n\n`)
}

const streamErrorOf = (error: string): Uint8Array => EventData.write("error", error)

const render = (type: string, message: string): string => JSON.stringify({ type: "error", error: { type, message } })

const terminalData = /"type"\s*:\s*"(?:message_stop|error)"/
const errorData = /"type"\s*:\s*"error"/

const userId = (metadata: unknown): string | undefined => Json.string(Json.member(metadata, "user_id"))

// What comes before the last text is mostly not the user's: clients put context there.
const prompt = (message: unknown): string | undefined => {
  if (Json.member(message, "role") !== "user") return undefined
  const content = Json.member(message, "content")
  if (typeof content === "string") return content
  const text = Json.elements(content).findLast((item) => textOf(item) !== undefined)
  return textOf(text)
}

const textOf = (item: unknown): string | undefined =>
  Json.member(item, "type") === "text" ? Json.string(Json.member(item, "text")) : undefined

// All results of one turn come together, so that one id leads to it.
const toolResultId = (message: unknown): string | undefined => {
  const result = Json.elements(Json.member(message, "content")).findLast((item) => resultId(item) !== undefined)
  return resultId(result)
}

const resultId = (item: unknown): string | undefined =>
  Json.member(item, "type") === "tool_result" ? Json.string(Json.member(item, "tool_use_id")) || undefined : undefined

// As Anthropic documents its error types; statuses that it does not list take the type of their class.
const errorType = (status: number): string => {
  switch (status) {
    case 401:
      return "authentication_error"
    case 403:
      return "permission_error"
    case 404:
      return "not_found_error"
    case 413:
      return "request_too_large"
    case 429:
      return "rate_limit_error"
    case 503:
    case 529:
      return "overloaded_error"
    case 408:
    case 504:
      return "timeout_error"
    default:
      return status >= 500 ? "api_error" : "invalid_request_error"
  }
}
