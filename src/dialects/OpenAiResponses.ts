/** OpenAI Responses: `POST .../responses` and its named events. */
import * as Result from "effect/Result"
import { Unsupported } from "../domain/GatewayError.ts"
import * as Json from "../domain/Json.ts"
import type { BridgedRequest, Dialect } from "./Dialect.ts"
import { isTrue, parseBody } from "./Dialect.ts"
import * as EventData from "./EventData.ts"
import * as OpenAiError from "./OpenAiError.ts"
import * as OpenAiResponsesAnswer from "./OpenAiResponsesAnswer.ts"
import * as OpenAiResponsesTurns from "./OpenAiResponsesTurns.ts"

/** As OpenAI's API reference has it ("Responses" and "Streaming events"). A stream ends with one of four events. */
export const dialect: Dialect = {
  name: "openai-responses",
  readRequest: (body) =>
    Result.flatMap(parseBody(body), ({ model, members }) => {
      if (isTrue(members["background"])) return Result.fail(background)
      const stream = isTrue(members["stream"])
      const input = members["input"]
      const last = Json.elements(input).at(-1)
      return Result.succeed<BridgedRequest>({
        model,
        stream,
        userId: undefined,
        prompt: typeof input === "string" ? input : prompt(last),
        toolResultId: toolResultId(last),
        body,
        omitted: undefined
      })
    }),
  answerReader: OpenAiResponsesAnswer.reader,
  readAnswer: OpenAiResponsesAnswer.read,
  renderError: OpenAiError.render,
  renderStreamError: (message) => streamErrorOf(OpenAiError.render(500, message)),
  streamErrorOf: (error) => streamErrorOf(error),
  terminalEvents: ["response.completed", "response.failed", "response.incomplete", "error"],
  errorEvents: ["response.failed", "error"],
  isTerminalData: (head) => terminalData.test(head),
  isErrorData: (head) => errorData.test(head),
  terminalDataStarts: ["{"],
  tools: OpenAiResponsesTurns.toolDialect,
  keepalive: undefined
}

const terminalData = /"type"\s*:\s*"(?:response\.(?:completed|failed|incomplete)|error)"/
const errorData = /"type"\s*:\s*"(?:response\.failed|error)"/

const prompt = (item: unknown): string | undefined => {
  if (Json.member(item, "role") !== "user") return undefined
  const content = Json.member(item, "content")
  if (typeof content === "string") return content
  const texts = Json.elements(content)
    .filter((part) => Json.member(part, "type") === "input_text")
    .map((part) => Json.string(Json.member(part, "text")))
    .filter((text) => text !== undefined)
  return texts.length === 0 ? undefined : texts.join("\n")
}

const toolResultId = (item: unknown): string | undefined => {
  const type = Json.member(item, "type")
  const isResult = type === "function_call_output" || type === "custom_tool_call_output"
  return isResult ? Json.string(Json.member(item, "call_id")) || undefined : undefined
}

// An answer that is fetched later never passes here, so there would be nothing to record.
const background = new Unsupported({
  detail: `background requests are currently not supported: leave out "background", or set it to false`
})

// The documented members, and those that OpenAI really sends: clients read the ones or the others.
const streamErrorOf = (text: string): Uint8Array => {
  const error = Json.member(Json.parse(text), "error")
  const { code = null, message } = Object(error)
  return EventData.write(
    "error",
    JSON.stringify({ type: "error", code, message, param: null, sequence_number: 0, error })
  )
}
