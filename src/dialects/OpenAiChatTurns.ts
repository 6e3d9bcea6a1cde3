/** Tools of the gateway's own in OpenAI Chat Completions. */
import * as Result from "effect/Result"
import * as Json from "../domain/Json.ts"
import type { ToolResult } from "../domain/ToolResult.ts"
import { parseAnswer } from "./AnswerReader.ts"
import * as EventData from "./EventData.ts"
import type { Change } from "./JsonEdit.ts"
import * as JsonEdit from "./JsonEdit.ts"
import * as NumberSum from "./NumberSum.ts"
import type { Members } from "./OpenAiChatDraft.ts"
import { isMembers, OpenAiChatDraft } from "./OpenAiChatDraft.ts"
import type { CallResult, InjectedCall, OfferedTool, ToolDialect, ToolTurns } from "./ToolTurns.ts"

/**
 * The tools stand after the client's, and one call is asked for at a time (`parallel_tool_calls`). A request for several choices,
 * with functions of the older kind, or with a tool of one of these names can have none.
 */
export const toolDialect: ToolDialect = {
  inject: ({ body }, tools) => {
    const request = parseAnswer(body)
    const own = Json.member(request, "tools")
    const choices = Json.member(request, "n")
    if (own !== undefined && !Array.isArray(own)) return Result.fail("its tools are no array")
    if (typeof choices === "number" && choices > 1) return Result.fail("it asks for several choices")
    if ((Json.member(request, "functions") ?? null) !== null) return Result.fail("it has functions in place of tools")
    const names = new Set(Json.elements(own).map((tool) => Json.member(Json.member(tool, "function"), "name")))
    const taken = tools.find(({ id }) => names.has(id))
    if (taken !== undefined) return Result.fail(`it has a tool with the name ${taken.id} of its own`)
    return Result.succeed(
      JsonEdit.edit(body, [
        JsonEdit.append(["tools"], tools.map(offered)),
        JsonEdit.set(["parallel_tool_calls"], false)
      ])
    )
  },
  turns: (body, isInjected) => new OpenAiChatTurns(body, isInjected)
}

const offered = ({ id, description, inputSchema }: OfferedTool) => ({
  type: "function",
  function: { name: id, ...(description !== undefined && { description }), strict: false, parameters: inputSchema }
})

class OpenAiChatTurns implements ToolTurns {
  private readonly isInjected: (name: string) => boolean
  private body: Uint8Array
  private draft: OpenAiChatDraft
  private isFinishing = false
  // Of the answers before this one.
  private isFirst = true
  private texts: ReadonlyArray<string> = []
  private usage: unknown
  private callCount = 0
  private hadRole = false
  // The first answer's id, which the chunks of all have.
  private id: string | undefined
  // What comes before the next piece of text.
  private separator = ""
  private hasShownRole = false
  // Chunks that the client has and of which nobody knows what they say.
  private unread: Array<string> = []
  private unreadLength = 0
  // What the client gets if this answer is the last one.
  private held: Array<() => ReadonlyArray<Uint8Array>> = []
  private answer: Whole | undefined

  constructor(body: Uint8Array, isInjected: (name: string) => boolean) {
    this.body = body
    this.isInjected = isInjected
    this.draft = new OpenAiChatDraft(isInjected)
  }

  event(event: Uint8Array, data: string): ReadonlyArray<Uint8Array> {
    if (data === "") return [event]
    if (this.draft.isOver) return this.goesOn ? [] : [event]
    if (data.trimEnd() === "[DONE]") {
      this.draft.isOver = true
      return this.goesOn ? [] : [...this.release(), event]
    }
    if (this.isFirst && this.id !== undefined && !matters.test(data)) {
      this.keep(data)
      return [event]
    }
    this.read()
    const chunk = Json.parse(data)
    if (!isMembers(chunk)) return [event]
    if ((chunk["error"] ?? null) !== null) this.draft.hasFailed = true
    if (!terminalError.test(data)) return this.take(event, chunk)
    this.draft.isOver = true
    return [...this.release(), event]
  }

  rest(): ReadonlyArray<Uint8Array> {
    return this.goesOn ? [] : this.release()
  }

  isOver(): boolean {
    return this.draft.isOver
  }

  whole(body: Uint8Array): void {
    const { draft } = this
    const completion = parseAnswer(body)
    const usage = Json.member(completion, "usage")
    const choices = Json.elements(Json.member(completion, "choices"))
    const at = choices.findIndex(isCounted)
    const choice = choices[at]
    draft.isOver = true
    draft.usage = isMembers(usage) ? usage : undefined
    this.answer = { body, choices, at }
    const message = Json.member(choice, "message")
    if (!isMembers(message)) return
    draft.reason = reasonOf(choice)
    draft.add(message)
    this.answer = { body, choices, at, calls: visible(message, (call) => draft.call(call)) }
  }

  merged(): Uint8Array {
    const { draft, answer } = this
    if (answer === undefined) return new Uint8Array(0)
    const { body, choices, at, calls } = answer
    const changes: Array<Change> = []
    if (this.usage !== undefined) changes.push(JsonEdit.set(["usage"], NumberSum.add(this.usage, draft.usage)))
    const choice = choices[at]
    const message = Json.member(choice, "message")
    if (isMembers(choice) && isMembers(message)) {
      const content = this.texts.length === 0 ? message["content"] : joined(this.texts, message["content"])
      const shown = changed(message, { content, tool_calls: calls })
      const finish_reason = this.shownReason(choice["finish_reason"])
      if (shown !== message || finish_reason !== choice["finish_reason"])
        changes.push(JsonEdit.set(["choices"], choices.with(at, { ...choice, message: shown, finish_reason })))
    }
    // Choices that are nested too deeply to be written are lost: they may hold what the client must not see.
    return Result.getOrElse(
      Result.try(() => JsonEdit.edit(body, changes)),
      () => JsonEdit.edit(body, [JsonEdit.set(["choices"], [])])
    )
  }

  calls(): ReadonlyArray<InjectedCall> {
    return this.goesOn ? this.draft.injected(this.callCount) : []
  }

  next(results: ReadonlyArray<CallResult>): Uint8Array {
    this.read()
    const { draft } = this
    const message = draft.assistantMessage(this.callCount)
    this.body = JsonEdit.edit(this.body, [JsonEdit.append(["messages"], [message, ...results.map(toolMessage)])])
    this.isFirst = false
    if (draft.text !== "") this.texts = [...this.texts, draft.text]
    this.separator = this.texts.length === 0 ? "" : separator
    this.usage = NumberSum.add(this.usage, draft.usage)
    this.callCount += draft.injected(0).length
    this.hadRole = this.hasShownRole
    this.held = []
    this.answer = undefined
    this.draft = new OpenAiChatDraft(this.isInjected)
    return this.body
  }

  finish(): void {
    this.isFinishing = true
  }

  // Whether there is another answer, unless the rest of this one changes that.
  private get mayGoOn(): boolean {
    const { reason, hasFailed, hasClientCall, hasInjectedCall } = this.draft
    if (this.isFinishing || hasFailed || hasClientCall || !hasInjectedCall) return false
    return reason === undefined || toolReasons.has(reason) || reason === "stop"
  }

  private get goesOn(): boolean {
    return this.mayGoOn && (this.draft.isOver || this.draft.reason !== undefined)
  }

  private take(event: Uint8Array, chunk: Members): ReadonlyArray<Uint8Array> {
    const { draft } = this
    // What cannot be written without the gateway's own calls is not shown.
    const edit = (changes: ReadonlyArray<Change>) => {
      const shown = changes.length === 0 ? event : EventData.edit(event, changes)
      return shown === undefined ? [] : [shown]
    }
    const changes: Array<Change> = []
    const id = Json.string(chunk["id"]) ?? ""
    if (id !== "") this.id ??= id
    if (!this.isFirst && id !== "" && id !== this.id) changes.push(JsonEdit.set(["id"], this.id))
    const usage = chunk["usage"]
    if (isMembers(usage)) {
      draft.usage = usage
      if (this.usage !== undefined) changes.push(JsonEdit.set(["usage"], NumberSum.add(this.usage, usage)))
    }
    const choices = Json.elements(chunk["choices"])
    const at = choices.findIndex(isCounted)
    const choice = choices[at]
    if (!isMembers(choice)) {
      if (choices.length > 0 || !isMembers(usage) || !this.mayGoOn) return edit(changes)
      this.held.push(() => edit(changes))
      return []
    }

    const given = isMembers(choice["delta"]) ? choice["delta"] : {}
    const delta = this.shownDelta(given)
    const isEmpty = choices.length === 1 && Object.entries(delta).every(([name, value]) => this.isNothing(name, value))
    if (typeof delta["role"] === "string") this.hasShownRole = true
    const edits = (members: Members) => JsonEdit.set(["choices"], choices.with(at, { ...choice, ...members }))
    const reason = reasonOf(choice)
    draft.reason = reason ?? draft.reason
    if (reason !== undefined && this.mayGoOn) {
      const ending = isEmpty ? delta : {}
      this.held.push(() => edit([...changes, edits({ delta: ending, finish_reason: this.shownReason(reason) })]))
      if (isEmpty) return []
      return edit([...changes, JsonEdit.remove(["usage"]), edits({ delta, finish_reason: null })])
    }
    if (reason === undefined && delta !== given && isEmpty) return []
    const finish_reason = this.shownReason(choice["finish_reason"])
    if (delta === given && finish_reason === choice["finish_reason"]) return edit(changes)
    return edit([...changes, edits({ delta, finish_reason })])
  }

  // What the client sees of a piece of a message: the very same if that is all of it.
  private shownDelta(delta: Members): Members {
    const { content } = delta
    this.draft.add(delta)
    const isText = typeof content === "string" && content !== ""
    const before = isText ? this.separator : ""
    if (isText) this.separator = ""
    return changed(delta, {
      content: before === "" ? content : `${before}${content}`,
      // Clients put the roles of all chunks together, too.
      role: this.hadRole ? undefined : delta["role"],
      tool_calls: visible(delta, (part) => this.draft.part(part))
    })
  }

  private isNothing(name: string, value: unknown): boolean {
    return value === null || value === "" || (name === "role" && this.hasShownRole)
  }

  private shownReason(reason: unknown): unknown {
    return toolReasons.has(reason) && this.draft.isLess && !this.draft.hasClientCall ? "stop" : reason
  }

  private release(): ReadonlyArray<Uint8Array> {
    return this.held.splice(0).flatMap((event) => event())
  }

  private keep(data: string): void {
    this.unread.push(data)
    this.unreadLength += data.length
    if (this.unreadLength > maximumUnread) this.read()
  }

  private read(): void {
    for (const data of this.unread) {
      const delta = Json.member(Json.elements(Json.member(Json.parse(data), "choices")).find(isCounted), "delta")
      if (isMembers(delta)) this.draft.add(delta)
    }
    this.unread = []
    this.unreadLength = 0
    if (this.draft.hasRole) this.hasShownRole = true
  }
}

/** An answer that is no stream. */
interface Whole {
  readonly body: Uint8Array
  readonly choices: ReadonlyArray<unknown>
  /** Where in there the choice stands that counts. */
  readonly at: number
  /** The calls that the client sees. */
  readonly calls?: unknown
}

const separator = "\n\n"

// In characters: what is kept of chunks until somebody wants to know what they say.
const maximumUnread = 256 * 1024

// In a string a quote has a backslash before it, so that these are names of members.
const matters = /"tool_calls"|"(?:usage|error)"\s*:\s*[{"]|"finish_reason"\s*:\s*"/

// An error in place of a chunk: the stream's last event.
const terminalError = /^\{\s*"error"\s*:\s*[{"]/

const toolReasons = new Set<unknown>(["tool_calls", "function_call"])

const isCounted = (choice: unknown): boolean => (Json.member(choice, "index") ?? 0) === 0

// Some vendors have an empty one until there is one.
const reasonOf = (choice: unknown): string | undefined => Json.string(Json.member(choice, "finish_reason")) || undefined

// Calls, or their parts, without those of the gateway's own tools; `undefined` if none is left.
const visible = ({ tool_calls: parts }: Members, shownOf: (part: unknown) => unknown): unknown => {
  if (!Array.isArray(parts)) return parts
  const shown = parts.map(shownOf).filter((part) => part !== undefined)
  if (shown.length === parts.length && shown.every((part, index) => part === parts[index])) return parts
  return shown.length === 0 ? undefined : shown
}

// With these members, or without those that are `undefined`; the very same if it has them like that.
const changed = (object: Members, members: Members): Members => {
  const different = Object.entries(members).filter(([name, value]) => object[name] !== value)
  if (different.length === 0) return object
  const all = new Map([...Object.entries(object), ...different])
  return Object.fromEntries([...all].filter(([, value]) => value !== undefined))
}

const joined = (texts: ReadonlyArray<string>, content: unknown): unknown => {
  const before = texts.join(separator)
  if (Array.isArray(content)) return [{ type: "text", text: `${before}${separator}` }, ...content]
  return typeof content === "string" && content !== "" ? `${before}${separator}${content}` : before
}

const toolMessage = ({ call, result }: CallResult) => ({
  role: "tool",
  tool_call_id: call.id,
  content: resultText(result)
})

const resultText = ({ content, isError, structuredContent }: ToolResult): string =>
  Json.print({ content, isError, structuredContent }) ?? JSON.stringify({ content, isError })
