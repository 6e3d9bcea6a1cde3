/** OpenAI Chat Completions: `POST .../chat/completions` and its stream, whose events have no names. */
import * as Result from "effect/Result"
import * as Json from "../domain/Json.ts"
import type { BridgedRequest, Dialect, OmittedEvent } from "./Dialect.ts"
import { isTrue, parseBody } from "./Dialect.ts"
import * as EventData from "./EventData.ts"
import * as JsonEdit from "./JsonEdit.ts"
import * as OpenAiChatAnswer from "./OpenAiChatAnswer.ts"
import * as OpenAiChatTurns from "./OpenAiChatTurns.ts"
import * as OpenAiError from "./OpenAiError.ts"

/** As OpenAI's API reference has it ("Chat completions"). A stream ends with `[DONE]`, or with an error in place of a chunk. */
export const dialect: Dialect = {
  name: "openai-chat",
  readRequest: (body) =>
    Result.map(parseBody(body), ({ model, members }) => {
      const stream = isTrue(members["stream"])
      const last = Json.elements(members["messages"]).at(-1)
      const request: BridgedRequest = {
        model,
        stream,
        userId: undefined,
        prompt: prompt(last),
        toolResultId: toolResultId(last),
        body,
        omitted: undefined
      }
      return stream ? withUsage(request, members["stream_options"]) : request
    }),
  answerReader: OpenAiChatAnswer.reader,
  readAnswer: OpenAiChatAnswer.read,
  renderError: OpenAiError.render,
  renderStreamError: (message) => EventData.write("", OpenAiError.render(500, message)),
  streamErrorOf: (error) => EventData.write("", error),
  terminalEvents: [],
  errorEvents: [],
  isTerminalData: (head) => terminalData.test(head),
  isErrorData: (head) => !head.startsWith("[DONE]"),
  terminalDataStarts: ["[DONE]", `{"error"`, "{ ", "{\t"],
  tools: OpenAiChatTurns.toolDialect,
  keepalive: undefined
}

// The sentinel, or an error in place of a chunk.
const terminalData = /^(?:\[DONE\]\s*$|\{\s*"error"\s*:\s*[{"])/

// An empty text is no prompt.
const prompt = (message: unknown): string | undefined => {
  if (Json.member(message, "role") !== "user") return undefined
  const content = Json.member(message, "content")
  if (typeof content === "string") return content || undefined
  const text = Json.elements(content).findLast((part) => textOf(part) !== undefined)
  return textOf(text) || undefined
}

const textOf = (part: unknown): string | undefined =>
  Json.member(part, "type") === "text" ? Json.string(Json.member(part, "text")) : undefined

const toolResultId = (message: unknown): string | undefined =>
  Json.member(message, "role") === "tool" ? Json.string(Json.member(message, "tool_call_id")) || undefined : undefined

/**
 * Usage comes in a stream only if `stream_options.include_usage` asks for it. Where the client did not, we do, and keep the
 * event that comes of it to ourselves. Options that have another type than documented are left for the upstream to judge.
 */
const withUsage = (request: BridgedRequest, options: unknown): BridgedRequest => {
  const { body } = request
  const asking = (edited: Uint8Array): BridgedRequest => ({ ...request, body: edited, omitted: usageOnly })
  if (options === undefined) return asking(JsonEdit.addMember(body, "stream_options", { include_usage: true }))
  if (options === null) return asking(JsonEdit.setMember(body, ["stream_options"], { include_usage: true }))
  if (typeof options !== "object" || Array.isArray(options)) return request
  const asked = Json.member(options, "include_usage") ?? false
  if (asked !== false) return request
  return asking(JsonEdit.setMember(body, ["stream_options", "include_usage"], true))
}

// The last chunk of such a stream: usage, and an empty list of choices.
const usageOnly: OmittedEvent = {
  marker: "_tokens",
  matches: (data) => {
    const chunk = Json.parse(data)
    const choices = Json.member(chunk, "choices")
    const usage = Json.member(chunk, "usage")
    return Array.isArray(choices) && choices.length === 0 && typeof usage === "object" && usage !== null
  }
}
