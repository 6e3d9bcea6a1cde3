/** What answers of OpenAI Responses say: usage, calls of tools, thoughts. */
import * as Json from "../domain/Json.ts"
import type { Answer, Thought } from "../domain/Usage.ts"
import type { AnswerReader } from "./AnswerReader.ts"
import { AnswerDraft, argsText, parseAnswer, toolCall } from "./AnswerReader.ts"
import type { UsageMembers } from "./UsageTally.ts"

/** Numbers come with the last event only, and with it once more all items that have come one by one; or none of them. */
export const reader = (): AnswerReader => {
  const draft = new AnswerDraft(usage)
  let isFinal = false

  return {
    event: (data) => {
      if (!(draft.isIdentified ? matters : mattersAtFirst).test(data)) return
      const event = Json.parse(data)
      switch (Json.member(event, "type")) {
        case "response.output_item.done":
          return addItem(draft, Json.member(event, "item"), [])
        case "response.completed":
        case "response.incomplete":
        case "response.failed":
          isFinal = true
          return addResponse(draft, Json.member(event, "response"))
        default:
          draft.identify(Json.member(Json.member(event, "response"), "id"))
      }
    },
    answer: () => draft.answer(isFinal)
  }
}

/** A whole answer. */
export const read = (body: Uint8Array): Answer => {
  const draft = new AnswerDraft(usage)
  addResponse(draft, parseAnswer(body))
  return draft.answer(true)
}

// In a string a quote has a backslash before it, so that these are types, or a whole string that is one.
const matters = /"response\.(?:output_item\.done|completed|incomplete|failed)"/
const mattersAtFirst = /"response\.(?:output_item\.done|completed|incomplete|failed|created|queued|in_progress)"/

// As OpenAI documents it: the input holds what was read from a cache.
const usage: UsageMembers = {
  input: ["input_tokens"],
  output: ["output_tokens"],
  cacheRead: ["input_tokens_details", "cached_tokens"],
  cacheWrite: ["input_tokens_details", "cache_write_tokens"],
  isCacheReadInInput: true,
  extra: {
    output_reasoning: ["output_tokens_details", "reasoning_tokens"],
    total_tokens: ["total_tokens"]
  }
}

// All items of a response; some may have come before.
const addResponse = (draft: AnswerDraft, response: unknown): void => {
  draft.identify(Json.member(response, "id"))
  draft.usage.add(Json.member(response, "usage"))
  const { thoughts } = draft.answer(false)
  for (const item of Json.elements(Json.member(response, "output"))) addItem(draft, item, thoughts)
}

/**
 * A call is known again by its id. Not so thoughts: with some vendors the ids of other items change from event to event.
 *
 * @param known thoughts that may come again
 */
const addItem = (draft: AnswerDraft, item: unknown, known: ReadonlyArray<Thought>): void => {
  switch (Json.member(item, "type")) {
    case "function_call":
      return addCall(draft, item, argsText(Json.member(item, "arguments")))
    case "custom_tool_call": {
      const input = Json.member(item, "input")
      return addCall(draft, item, typeof input === "string" ? input : argsText(input))
    }
    case "reasoning":
      for (const summary of Json.elements(Json.member(item, "summary")))
        draft.thought(Json.member(summary, "text"), "reasoning_summary", known)
      return
    case "message":
      if (Json.member(item, "phase") !== "commentary") return
      for (const part of Json.elements(Json.member(item, "content")))
        if (Json.member(part, "type") === "output_text") draft.thought(Json.member(part, "text"), "commentary", known)
  }
}

const addCall = (draft: AnswerDraft, item: unknown, args: string): void => {
  const status = Json.member(item, "status")
  const isCutOff = status === "incomplete" || status === "in_progress"
  const id = Json.string(Json.member(item, "call_id")) ?? ""
  if (!isCutOff && (id === "" || !draft.hasCall(id))) draft.call(toolCall(id, Json.member(item, "name"), args))
}
