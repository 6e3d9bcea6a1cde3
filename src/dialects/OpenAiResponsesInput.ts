/** The request that follows a response of OpenAI Responses whose tools were run. */
import * as Json from "../domain/Json.ts"
import type { ToolResult } from "../domain/ToolResult.ts"
import * as JsonEdit from "./JsonEdit.ts"
import type { CallResult } from "./ToolTurns.ts"

/** Whether there can be one. */
export const isContinuable = (request: unknown): boolean => {
  const input = Json.member(request, "input") ?? null
  return input === null || typeof input === "string" || Array.isArray(input)
}

/** What makes a request the next one, which has these output items and results. */
export const continued = (
  request: unknown,
  output: ReadonlyArray<unknown>,
  results: ReadonlyArray<CallResult>
): ReadonlyArray<JsonEdit.Change> => {
  const input = Json.member(request, "input")
  const isStored = Json.member(request, "store") !== false
  const items = [...output.filter((item) => isTaken(item, isStored)), ...results.map(callOutput)]
  if (Array.isArray(input)) return [JsonEdit.append(["input"], items)]
  const first = typeof input === "string" ? [{ role: "user", content: input }] : []
  return [JsonEdit.set(["input"], [...first, ...items])]
}

// A thought that is not stored can only come back encrypted.
const isTaken = (item: unknown, isStored: boolean): boolean => {
  const type = Json.member(item, "type")
  if (type === "reasoning" && !isStored) return typeof Json.member(item, "encrypted_content") === "string"
  return taken.has(type)
}

/** The output items that may be in an input. */
const taken: ReadonlySet<unknown> = new Set([
  "message",
  "file_search_call",
  "function_call",
  "web_search_call",
  "computer_call",
  "reasoning",
  "compaction",
  "image_generation_call",
  "code_interpreter_call",
  "custom_tool_call"
])

const callOutput = ({ call, result }: CallResult) => ({
  type: "function_call_output",
  call_id: call.id,
  output: resultText(result)
})

const resultText = ({ content, structuredContent, isError }: ToolResult): string =>
  Json.print({ content, structuredContent, isError }) ?? ""
