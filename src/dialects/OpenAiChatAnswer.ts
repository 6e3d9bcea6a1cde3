/** What answers of OpenAI Chat Completions say: usage and calls of tools. Thoughts have no place in this dialect. */
import * as Json from "../domain/Json.ts"
import type { Answer } from "../domain/Usage.ts"
import type { AnswerReader } from "./AnswerReader.ts"
import { AnswerDraft, append, argsText, maximumItems, parseAnswer, toolCall } from "./AnswerReader.ts"
import type { UsageMembers } from "./UsageTally.ts"

/**
 * Numbers come in a chunk of their own behind the others, or with the last of them; some vendors say what it was up to now with
 * each chunk. They are final once an answer has its end: a reason to finish, a chunk without choices that has usage, `[DONE]`.
 */
export const reader = (): AnswerReader => {
  const draft = new AnswerDraft(usage)
  const calls: Array<Call> = []
  // Several answers to one request come side by side; one at least has its end.
  const finished = new Set<unknown>()
  let isOver = false

  const call = (choice: unknown, part: unknown): void => {
    const index = Json.member(part, "index")
    const id = Json.string(Json.member(part, "id")) ?? ""
    const { name, args } = calledBy(part)
    const known = calls.findLast((one) => one.choice === choice && (index === undefined || one.index === index))
    // Some vendors give all calls one index, but each an id.
    const isKnown = known !== undefined && (id === "" || known.id === "" || known.id === id)
    if (!isKnown && calls.length >= maximumItems) return
    const one = isKnown ? known : { choice, index, id, name: "", args: "" }
    if (!isKnown) calls.push(one)
    if (one.id === "") one.id = id
    if (one.name === "") one.name = Json.string(name) ?? ""
    one.args = append(one.args, typeof args === "string" ? args : argsText(args))
  }
  const take = (chunk: unknown): void => {
    draft.identify(Json.member(chunk, "id"))
    const choices = Json.elements(Json.member(chunk, "choices"))
    for (const choice of choices) {
      const index = Json.member(choice, "index")
      for (const part of Json.elements(Json.member(Json.member(choice, "delta"), "tool_calls"))) call(index, part)
      const isFinished = typeof Json.member(choice, "finish_reason") === "string"
      if (isFinished && finished.size < maximumItems) finished.add(index)
    }
    if (draft.usage.add(Json.member(chunk, "usage")) && choices.length === 0) isOver = true
  }

  return {
    event: (data) => {
      if (data.startsWith("[DONE]")) isOver = true
      else if (!draft.isIdentified || matters.test(data)) take(Json.parse(data))
    },
    answer: () => {
      const more = calls
        .filter(({ choice }) => isOver || finished.has(choice))
        .map(({ id, name, args }) => toolCall(id, name, args.trim()))
        .filter((complete) => complete !== undefined)
      return draft.answer(isOver || finished.size > 0, more)
    }
  }
}

/** A whole answer. */
export const read = (body: Uint8Array): Answer => {
  const draft = new AnswerDraft(usage)
  const completion = parseAnswer(body)
  draft.identify(Json.member(completion, "id"))
  draft.usage.add(Json.member(completion, "usage"))
  for (const choice of Json.elements(Json.member(completion, "choices"))) {
    for (const call of Json.elements(Json.member(Json.member(choice, "message"), "tool_calls"))) {
      const { name, args } = calledBy(call)
      draft.call(toolCall(Json.member(call, "id"), name, argsText(args)))
    }
  }
  return draft.answer(true)
}

// In a string a quote has a backslash before it, so that these are names of members.
const matters = /"(?:tool_calls|usage)"\s*:\s*[[{]|"finish_reason"\s*:\s*"/

// As OpenAI documents it: the input holds what was read from a cache.
const usage: UsageMembers = {
  input: ["prompt_tokens"],
  output: ["completion_tokens"],
  cacheRead: ["prompt_tokens_details", "cached_tokens"],
  cacheWrite: ["prompt_tokens_details", "cache_write_tokens"],
  isCacheReadInInput: true,
  extra: {
    prompt_audio: ["prompt_tokens_details", "audio_tokens"],
    completion_accepted_prediction: ["completion_tokens_details", "accepted_prediction_tokens"],
    completion_rejected_prediction: ["completion_tokens_details", "rejected_prediction_tokens"],
    completion_audio: ["completion_tokens_details", "audio_tokens"],
    completion_reasoning: ["completion_tokens_details", "reasoning_tokens"]
  }
}

/** A call of which parts have come. */
interface Call {
  /** The index of its choice. */
  readonly choice: unknown
  /** Its own index in there. */
  readonly index: unknown
  id: string
  name: string
  args: string
}

// A function with arguments in JSON, or a custom tool with any text.
const calledBy = (call: unknown): { readonly name: unknown; readonly args: unknown } => {
  const custom = Json.member(call, "custom")
  if (custom !== undefined) return { name: Json.member(custom, "name"), args: Json.member(custom, "input") }
  const called = Json.member(call, "function")
  return { name: Json.member(called, "name"), args: Json.member(called, "arguments") }
}
