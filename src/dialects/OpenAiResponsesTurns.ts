/** Tools of the gateway's own in OpenAI Responses: they go after the client's, and of several responses it sees the last one. */
import * as Result from "effect/Result"
import * as Json from "../domain/Json.ts"
import { argsText } from "./AnswerReader.ts"
import * as EventData from "./EventData.ts"
import * as JsonEdit from "./JsonEdit.ts"
import { HiddenItems } from "./OpenAiResponsesHidden.ts"
import * as OpenAiResponsesInput from "./OpenAiResponsesInput.ts"
import type { CallResult, InjectedCall, OfferedTool, ToolDialect, ToolTurns } from "./ToolTurns.ts"

/** As OpenAI documents it ("Function calling", "Streaming events"). */
export const toolDialect: ToolDialect = {
  inject: ({ body }, tools) => {
    const members = parse(body)
    const given = Json.member(members, "tools")
    if (given !== undefined && !Array.isArray(given)) return Result.fail(`"tools" is not an array`)
    // There the upstream keeps all items of each response, so that it would get them twice, and the client to see them.
    if ((Json.member(members, "conversation") ?? null) !== null)
      return Result.fail(`"conversation" keeps what the client must not see`)
    const changes = [JsonEdit.append(["tools"], tools.map(written)), JsonEdit.set(["parallel_tool_calls"], false)]
    return Result.succeed(JsonEdit.edit(body, changes))
  },
  turns: (body, isInjected) => new OpenAiResponsesTurns(body, isInjected)
}

const decoder = new TextDecoder()

const parse = (body: Uint8Array): unknown => Json.parse(decoder.decode(body))

const written = ({ id, description, inputSchema }: OfferedTool) => ({
  type: "function",
  name: id,
  description,
  strict: false,
  parameters: inputSchema
})

/**
 * Only the last response is shown, because the upstream knows the others by their ids, too, and a client goes on from the one it
 * has seen (`previous_response_id`). So the events of each are held back until it is known which one it is.
 */
class OpenAiResponsesTurns implements ToolTurns {
  private body: Uint8Array
  private readonly isInjected: (name: string) => boolean
  private isFinished = false
  // Of the answer under way.
  private held: Array<Uint8Array> = []
  private hidden = new HiddenItems()
  private isKnownToBeLast = false
  private items: Array<unknown> = []
  private output: ReadonlyArray<unknown> = []
  private called: ReadonlyArray<InjectedCall> = []
  private over = false
  private message: Uint8Array = noBytes

  constructor(body: Uint8Array, isInjected: (name: string) => boolean) {
    this.body = body
    this.isInjected = isInjected
  }

  event(event: Uint8Array, data: string): ReadonlyArray<Uint8Array> {
    const shown = this.shown(event, data)
    if (shown !== undefined) this.held.push(shown)
    return this.isLast || (this.over && this.called.length === 0) ? this.rest() : []
  }

  rest(): ReadonlyArray<Uint8Array> {
    const { held } = this
    this.held = []
    return held
  }

  isOver(): boolean {
    return this.over
  }

  whole(body: Uint8Array): void {
    const response = parse(body)
    this.message = JsonEdit.editIfPossible(body, this.changes(response, []))
    this.over = true
    this.complete(response)
  }

  merged(): Uint8Array {
    return this.message
  }

  calls(): ReadonlyArray<InjectedCall> {
    return this.isFinished ? [] : this.called
  }

  next(results: ReadonlyArray<CallResult>): Uint8Array {
    const { body, output } = this
    this.body = JsonEdit.editIfPossible(body, OpenAiResponsesInput.continued(parse(body), output, results))
    this.held = []
    this.hidden = new HiddenItems()
    this.isKnownToBeLast = false
    this.items = []
    this.output = []
    this.called = []
    this.over = false
    this.message = noBytes
    return this.body
  }

  finish(): void {
    this.isFinished = true
  }

  private get isLast(): boolean {
    return this.isFinished || this.isKnownToBeLast
  }

  // The event as the client may see it, if it may. Whether it does is another question.
  private shown(event: Uint8Array, data: string): Uint8Array | undefined {
    if (!matters.test(data) && (this.hidden.isEmpty || !aboutItem.test(data))) return event
    const value = Json.parse(data)
    const item = Json.member(value, "item")
    const response = Json.member(value, "response")
    let isCall = this.isInjectedCall(item)
    switch (Json.member(value, "type")) {
      case "response.output_item.added":
        if (!isCall && this.isOfLastAnswer(item)) this.isKnownToBeLast = true
        break
      case "response.output_item.done":
        if (!this.isLast) this.items.push(item)
        break
      case "response.function_call_arguments.done":
        isCall = this.isInjected(Json.string(Json.member(value, "name")) ?? "")
        break
      case "response.completed":
        this.over = true
        this.complete(response)
        break
      case "response.incomplete":
      case "response.failed":
      case "error":
        this.over = true
    }
    if (isCall) this.hidden.add(value)
    if (isCall || this.hidden.has(value)) return undefined
    const changes = [...this.hidden.changes(value), ...this.changes(response, ["response"])]
    return changes.length === 0 ? event : (EventData.edit(event, changes) ?? event)
  }

  // A call of the client's ends the loop. A text that the model calls final does, unless it has called before.
  private isOfLastAnswer(item: unknown): boolean {
    switch (Json.member(item, "type")) {
      case "message":
        return Json.member(item, "phase") === "final_answer" && this.hidden.isEmpty
      case "function_call":
        return (Json.string(Json.member(item, "name")) ?? "") !== ""
      case "custom_tool_call":
        return true
      default:
        return false
    }
  }

  // What the client must not see of a response at this path.
  private changes(response: unknown, path: ReadonlyArray<string>): ReadonlyArray<JsonEdit.Change> {
    const isOffered = (tool: unknown): boolean => this.isInjected(Json.string(Json.member(tool, "name")) ?? "")
    const choice = Json.member(response, "tool_choice")
    return [
      ...without([...path, "tools"], Json.member(response, "tools"), isOffered),
      ...without([...path, "output"], Json.member(response, "output"), (item) => this.isInjectedCall(item)),
      ...(isOffered(choice)
        ? [JsonEdit.set([...path, "tool_choice"], "auto")]
        : without([...path, "tool_choice", "tools"], Json.member(choice, "tools"), isOffered))
    ]
  }

  // Takes what a complete response calls. Vendors leave its items out that have come one by one.
  private complete(response: unknown): void {
    const status = Json.member(response, "status") ?? "completed"
    if (this.isLast || status !== "completed") return
    const listed = Json.elements(Json.member(response, "output"))
    const output = (listed.length > 0 ? listed : this.items).map((item, index) =>
      this.isInjectedCall(item) ? withCallId(item, index) : item
    )
    const calls = output.filter((item) => this.isInjectedCall(item))
    const others = output.filter((item) => !this.isInjectedCall(item))
    const isLast = calls.length === 0 || calls.some(isCutOff) || others.some((item) => isClientsCall(item, others))
    if (isLast || !OpenAiResponsesInput.isContinuable(parse(this.body))) return
    this.output = output
    this.called = calls.map((item) => ({
      id: Json.string(Json.member(item, "call_id")) ?? "",
      name: Json.string(Json.member(item, "name")) ?? "",
      args: argsText(Json.member(item, "arguments"))
    }))
  }

  private isInjectedCall(item: unknown): boolean {
    if (Json.member(item, "type") !== "function_call") return false
    return this.isInjected(Json.string(Json.member(item, "name")) ?? "")
  }
}

const noBytes = new Uint8Array(0)

// In a string a quote has a backslash before it, so that these are types, or a whole string that is one.
const matters =
  /"(?:response\.(?:created|queued|in_progress|completed|incomplete|failed|output_item\.(?:added|done)|function_call_arguments\.done)|error)"/

const aboutItem = /"(?:output_index|item_id)"/

const without = (
  path: ReadonlyArray<string>,
  list: unknown,
  goes: (element: unknown) => boolean
): ReadonlyArray<JsonEdit.Change> => {
  const all = Json.elements(list)
  const left = all.filter((element) => !goes(element))
  return left.length === all.length ? [] : [JsonEdit.set(path, left)]
}

// The API takes no call without one, and no result.
const withCallId = (item: unknown, index: number): unknown => {
  if (typeof item !== "object" || item === null || Json.string(Json.member(item, "call_id"))) return item
  return { ...item, call_id: Json.string(Json.member(item, "id")) || `call_${index}` }
}

const isCutOff = (item: unknown): boolean => {
  const status = Json.member(item, "status")
  return status === "incomplete" || status === "in_progress"
}

// What only the client can answer: a call that its result refers to by `call_id`, unless that is there as well.
const isClientsCall = (item: unknown, output: ReadonlyArray<unknown>): boolean => {
  const type = Json.string(Json.member(item, "type")) ?? ""
  if (type === "function_call" || type === "custom_tool_call" || type === "mcp_approval_request") return true
  const id = Json.member(item, "call_id")
  if (typeof id !== "string") return false
  return !output.some(
    (other) => isOutput(Json.string(Json.member(other, "type")) ?? "") && Json.member(other, "call_id") === id
  )
}

const isOutput = (type: string): boolean => type.endsWith("_output")
