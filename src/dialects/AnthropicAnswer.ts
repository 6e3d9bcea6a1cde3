/** What answers of Anthropic Messages say: usage, calls of tools, thoughts. */
import * as Json from "../domain/Json.ts"
import type { Answer } from "../domain/Usage.ts"
import type { AnswerReader } from "./AnswerReader.ts"
import { AnswerDraft, append, argsText, maximumItems, parseAnswer, toolCall } from "./AnswerReader.ts"
import type { UsageMembers } from "./UsageTally.ts"

/** Numbers come at the start of a message, and again in each `message_delta`: cumulative ones, of which the last count. */
export const reader = (): AnswerReader => {
  const draft = new AnswerDraft(usage)
  // Those that are not complete yet, by their indexes.
  const blocks = new Map<unknown, Block>()
  let isFinal = false

  const start = (index: unknown, content: unknown): void => {
    blocks.delete(index)
    if (isWanted(content) && blocks.size < maximumItems) blocks.set(index, { content, text: "" })
  }
  const delta = (block: Block | undefined, part: unknown): void => {
    if (block === undefined) return
    const text = Json.member(part, Json.member(part, "type") === "thinking_delta" ? "thinking" : "partial_json")
    if (typeof text === "string") block.text = append(block.text, text)
  }
  const stop = (index: unknown): void => {
    const block = blocks.get(index)
    if (block === undefined) return
    blocks.delete(index)
    addBlock(draft, block)
  }

  return {
    event: (data) => {
      if (!matters.test(data)) return
      const event = Json.parse(data)
      const index = Json.member(event, "index")
      switch (Json.member(event, "type")) {
        case "message_start": {
          const message = Json.member(event, "message")
          draft.identify(Json.member(message, "id"))
          draft.usage.add(Json.member(message, "usage"))
          return
        }
        case "content_block_start":
          return start(index, Json.member(event, "content_block"))
        case "content_block_delta":
          return delta(blocks.get(index), Json.member(event, "delta"))
        case "content_block_stop":
          return stop(index)
        case "message_delta":
          if (draft.usage.add(Json.member(event, "usage"))) isFinal = true
          return
        case "message_stop":
          isFinal = true
      }
    },
    answer: () => draft.answer(isFinal)
  }
}

/** A whole answer. */
export const read = (body: Uint8Array): Answer => {
  const draft = new AnswerDraft(usage)
  const message = parseAnswer(body)
  draft.identify(Json.member(message, "id"))
  draft.usage.add(Json.member(message, "usage"))
  for (const content of Json.elements(Json.member(message, "content")))
    if (isWanted(content)) addBlock(draft, { content, text: "" })
  return draft.answer(true)
}

// In a string a quote has a backslash before it, so that these are names of types, or a whole string that is one.
const matters = /"(?:message_(?:start|delta|stop)|content_block_(?:start|stop)|input_json_delta|thinking_delta)"/

// As Anthropic documents it: what was read from a cache, or written to it, is not in the input.
const usage: UsageMembers = {
  input: ["input_tokens"],
  output: ["output_tokens"],
  cacheRead: ["cache_read_input_tokens"],
  cacheWrite: ["cache_creation_input_tokens"],
  isCacheReadInInput: false,
  extra: {
    web_search_requests: ["server_tool_use", "web_search_requests"],
    cache_ephemeral_1h_input: ["cache_creation", "ephemeral_1h_input_tokens"],
    cache_ephemeral_5m_input: ["cache_creation", "ephemeral_5m_input_tokens"]
  }
}

interface Block {
  /** As it began, or the whole of it. */
  readonly content: unknown
  /** What its deltas have brought. */
  text: string
}

// Thoughts in clear text and calls of the client's tools: those that run at the vendor have types of their own.
const isWanted = (content: unknown): boolean => {
  const type = Json.member(content, "type")
  return type === "tool_use" || type === "thinking"
}

const addBlock = (draft: AnswerDraft, { content, text }: Block): void => {
  if (Json.member(content, "type") === "thinking") {
    draft.thought(append(Json.string(Json.member(content, "thinking")) ?? "", text), "thinking")
  } else {
    const args = argsText(text) || argsText(Json.member(content, "input"))
    draft.call(toolCall(Json.member(content, "id"), Json.member(content, "name"), args))
  }
}
