/**
 * Tools of the gateway's own in OpenAI Responses: they go behind the client's. The client sees the last response only, so that it
 * can go on from its id.
 */
import * as Result from "effect/Result"
import * as Json from "../domain/Json.ts"
import * as EventEdit from "./EventEdit.ts"
import * as JsonEdit from "./JsonEdit.ts"
import type { CallResult, InjectedCall, OfferedTool, ToolDialect, ToolTurns } from "./ToolTurns.ts"

/** As OpenAI's API reference has it ("Responses", "Streaming events"). */
export const toolDialect: ToolDialect = {
  inject: ({ body }, tools) => {
    const given = Json.member(Json.parse(decoder.decode(body)), "tools")
    if (given !== undefined && !Array.isArray(given)) return Result.fail(`"tools" is not an array`)
    const oneAtATime = JsonEdit.set(["parallel_tool_calls"], false)
    return Result.succeed(JsonEdit.edit(body, [JsonEdit.append(["tools"], tools.map(written)), oneAtATime]))
  },
  turns: (body, isInjected) => new ResponsesTurns(body, isInjected)
}

const decoder = new TextDecoder()

const written = ({ id, description, inputSchema }: OfferedTool) => ({
  type: "function",
  name: id,
  description,
  strict: false,
  parameters: inputSchema
})

class ResponsesTurns implements ToolTurns {
  private body: Uint8Array
  private readonly isInjected: (name: string) => boolean
  private isLast = false
  // Of this answer.
  private held: Array<Uint8Array> = []
  /** Whether it is known to be the client's: then it is passed on as it comes. */
  private isLive = false
  private over = false
  private isComplete = false
  private output: ReadonlyArray<unknown> = []
  private readonly done: Array<unknown> = []
  /** The places of items that the client sees, as it sees them; those of others are absent. */
  private readonly places = new Map<unknown, number>()
  private readonly hidden = new Set<unknown>()
  private response: Uint8Array = noBytes

  constructor(body: Uint8Array, isInjected: (name: string) => boolean) {
    this.body = body
    this.isInjected = isInjected
  }

  event(event: Uint8Array, data: string): ReadonlyArray<Uint8Array> {
    const value = Json.parse(data)
    const type = Json.string(Json.member(value, "type")) ?? ""
    switch (type) {
      case "response.output_item.added":
        this.begin(value)
        break
      case "response.output_item.done":
        this.done.push(Json.member(value, "item"))
        break
      case "response.completed":
        this.complete(Json.member(value, "response"))
        break
      case "response.failed":
      case "response.incomplete":
      case "error":
        this.over = true
    }
    const shown = this.shown(event, data, value, type)
    if (this.isLive || this.isLast) return [...this.rest(), ...shown]
    this.held.push(...shown)
    if (!this.over) return []
    if (!this.goesOn) return this.rest()
    this.held = []
    return []
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
    this.response = body
    this.complete(Json.parse(decoder.decode(body)))
  }

  merged(): Uint8Array {
    return JsonEdit.edit(this.response, this.withoutInjected(Json.parse(decoder.decode(this.response)), []))
  }

  calls(): ReadonlyArray<InjectedCall> {
    return this.goesOn ? this.output.filter((item) => this.isHidden(item)).map(callOf) : []
  }

  next(results: ReadonlyArray<CallResult>): Uint8Array {
    const request = Json.parse(decoder.decode(this.body))
    const isStored = Json.member(request, "store") !== false
    const input = Json.member(request, "input")
    const items = [
      ...this.output.filter((item) => isTakenBack(item, isStored)),
      ...results.map(({ call, result }) => ({
        type: "function_call_output",
        call_id: call.id,
        output: Json.print(result) ?? ""
      }))
    ]
    const question = typeof input === "string" ? [{ role: "user", content: input }] : []
    const change = Array.isArray(input)
      ? JsonEdit.append(["input"], items)
      : JsonEdit.set(["input"], [...question, ...items])
    this.body = JsonEdit.edit(this.body, [change])
    this.isLive = false
    this.over = false
    this.isComplete = false
    this.output = []
    this.done.length = 0
    this.places.clear()
    this.hidden.clear()
    return this.body
  }

  finish(): void {
    this.isLast = true
  }

  private begin(value: unknown): void {
    const item = Json.member(value, "item")
    const place = Json.member(value, "output_index")
    if (this.isHidden(item)) {
      this.hidden.add(place)
      return
    }
    this.places.set(place, this.places.size)
    if (Json.member(item, "type") === "message" && Json.member(item, "phase") === "final_answer") this.isLive = true
  }

  // Some vendors leave the items out of the last event.
  private complete(response: unknown): void {
    const output = Json.elements(Json.member(response, "output"))
    this.output = output.length > 0 ? output : this.done.slice()
    this.over = true
    this.isComplete = (Json.member(response, "status") ?? "completed") === "completed"
  }

  private shown(event: Uint8Array, data: string, value: unknown, type: string): ReadonlyArray<Uint8Array> {
    const place = Json.member(value, "output_index")
    if (this.hidden.has(place)) return []
    const seen = this.places.get(place)
    const changes = this.withoutInjected(Json.member(value, "response"), ["response"])
    if (seen !== undefined && seen !== place) changes.push(JsonEdit.set(["output_index"], seen))
    return changes.length === 0 ? [event] : [EventEdit.edit(type, data, changes)]
  }

  // A response repeats the tools of its request, and has all its items.
  private withoutInjected(response: unknown, path: ReadonlyArray<string>): Array<JsonEdit.Change> {
    const changes: Array<JsonEdit.Change> = []
    const tools = Json.elements(Json.member(response, "tools"))
    const left = tools.filter((tool) => !this.isInjected(nameOf(tool)))
    if (left.length < tools.length) changes.push(JsonEdit.set([...path, "tools"], left))
    const output = Json.elements(Json.member(response, "output"))
    const shown = output.filter((item) => !this.isHidden(item))
    if (shown.length < output.length) changes.push(JsonEdit.set([...path, "output"], shown))
    return changes
  }

  private isHidden(item: unknown): boolean {
    return Json.member(item, "type") === "function_call" && this.isInjected(nameOf(item))
  }

  private get goesOn(): boolean {
    if (this.isLast || this.isLive || !this.isComplete || !this.isContinuable) return false
    const hasInjected = this.output.some((item) => this.isHidden(item))
    return hasInjected && !this.output.some((item) => isCall(item) && !this.isHidden(item))
  }

  private get isContinuable(): boolean {
    const input = Json.member(Json.parse(decoder.decode(this.body)), "input") ?? []
    return typeof input === "string" || Array.isArray(input)
  }
}

const noBytes = new Uint8Array(0)

const nameOf = (value: unknown): string => Json.string(Json.member(value, "name")) ?? ""

const callOf = (item: unknown): InjectedCall => ({
  id: Json.string(Json.member(item, "call_id")) ?? "",
  name: nameOf(item),
  args: Json.string(Json.member(item, "arguments")) ?? ""
})

/** Items for which the client has something to do. */
const isCall = (item: unknown): boolean => {
  const type = Json.string(Json.member(item, "type")) ?? ""
  return type === "mcp_approval_request" || clientCalls.has(type)
}

const clientCalls: ReadonlySet<string> = new Set([
  "function_call",
  "custom_tool_call",
  "computer_call",
  "local_shell_call",
  "shell_call",
  "apply_patch_call"
])

/** Items that the API takes back as input. */
const inputItems: ReadonlySet<string> = new Set([
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

// Reasoning that is neither stored nor brought along cannot be found.
const isTakenBack = (item: unknown, isStored: boolean): boolean => {
  const type = Json.string(Json.member(item, "type")) ?? ""
  const isLost = type === "reasoning" && !isStored && Json.string(Json.member(item, "encrypted_content")) === undefined
  return inputItems.has(type) && !isLost
}
