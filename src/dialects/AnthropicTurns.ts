/** Tools of the gateway's own in Anthropic Messages: they go before the client's, and several messages become one. */
import * as Result from "effect/Result"
import * as Json from "../domain/Json.ts"
import { toolResult } from "./AnthropicToolResult.ts"
import * as EventData from "./EventData.ts"
import * as JsonEdit from "./JsonEdit.ts"
import * as NumberSum from "./NumberSum.ts"
import type { CallResult, InjectedCall, OfferedTool, ToolDialect, ToolTurns } from "./ToolTurns.ts"

/** As Anthropic documents it ("Tool use", "Streaming messages"). */
export const toolDialect: ToolDialect = {
  // Before those of the client, so that its cache breakpoints stay where they are.
  inject: ({ model, stream, body }, tools) => {
    // Of small models clients want side tasks done, not tools used (spec 3.1).
    if (stream && model.includes("haiku")) return Result.succeed(body)
    const members = Json.parse(decoder.decode(body))
    const given = Json.member(members, "tools")
    if (given !== undefined && !Array.isArray(given)) return Result.fail(`"tools" is not an array`)
    const choice = oneAtATime(Json.member(members, "tool_choice"))
    return Result.succeed(JsonEdit.edit(body, [JsonEdit.prepend(["tools"], tools.map(written)), ...choice]))
  },
  turns: (body, isInjected) => new AnthropicTurns(body, isInjected)
}

const decoder = new TextDecoder()

const written = ({ id, description, inputSchema }: OfferedTool) => ({
  name: id,
  description,
  type: "custom",
  input_schema: inputSchema
})

// What is no choice is left for the upstream to judge.
const oneAtATime = (choice: unknown): ReadonlyArray<JsonEdit.Change> => {
  if (choice === undefined || choice === null)
    return [JsonEdit.set(["tool_choice"], { type: "auto", disable_parallel_tool_use: true })]
  if (typeof choice !== "object" || Array.isArray(choice)) return []
  const flag = JsonEdit.set(["tool_choice", "disable_parallel_tool_use"], true)
  switch (Json.member(choice, "type")) {
    case undefined:
      return [JsonEdit.set(["tool_choice", "type"], "auto"), flag]
    case "auto":
    case "any":
    case "tool":
      return [flag]
    default:
      return []
  }
}

type Members = Readonly<Record<string, unknown>>

/** One block of a message. */
interface Block {
  /** As it began, with what has come of it since. */
  readonly value: Record<string, unknown>
  /** Of an injected call, which the client does not see. */
  readonly isHidden: boolean
  /** Its place in what the client sees. */
  readonly index: number
  /** The input of a call, as far as it came in pieces. */
  input: string
}

class AnthropicTurns implements ToolTurns {
  private body: Uint8Array
  private readonly isInjected: (name: string) => boolean
  private isLast = false
  // Of earlier answers.
  private earlier: Array<unknown> = []
  private earlierUsage: unknown
  private answers = 0
  private visible = 0
  // Of this one.
  private blocks = new Map<unknown, Block>()
  private usage: Members = {}
  private stopReason: unknown
  private over = false
  private message: Uint8Array = noBytes

  constructor(body: Uint8Array, isInjected: (name: string) => boolean) {
    this.body = body
    this.isInjected = isInjected
  }

  event(event: Uint8Array, data: string): ReadonlyArray<Uint8Array> {
    const value = Json.parse(data)
    const type = Json.member(value, "type")
    switch (type) {
      case "message_start":
        this.count(Json.member(Json.member(value, "message"), "usage"))
        return this.answers === 0 ? [event] : []
      case "content_block_start":
        this.begin(Json.member(value, "index"), Json.member(value, "content_block"))
        return this.ofBlock(event, value)
      case "content_block_delta":
        grow(this.blocks.get(Json.member(value, "index")), Json.member(value, "delta"))
        return this.ofBlock(event, value)
      case "content_block_stop":
        return this.ofBlock(event, value)
      case "message_delta":
        this.count(Json.member(value, "usage"))
        this.stopReason = Json.member(Json.member(value, "delta"), "stop_reason") ?? this.stopReason
        return this.goesOn ? [] : [this.lastDelta(event, value)]
      case "message_stop":
        this.over = true
        return this.goesOn ? [] : [event]
      case "error":
        this.over = true
        this.stopReason = undefined
        return [event]
      default:
        return [event]
    }
  }

  rest(): ReadonlyArray<Uint8Array> {
    return []
  }

  isOver(): boolean {
    return this.over
  }

  whole(body: Uint8Array): void {
    const message = Json.parse(decoder.decode(body))
    this.message = body
    this.count(Json.member(message, "usage"))
    this.stopReason = Json.member(message, "stop_reason")
    Json.elements(Json.member(message, "content")).forEach((block, index) => {
      this.begin(index, block)
      const begun = this.blocks.get(index)
      if (begun !== undefined) begun.input = Json.print(begun.value["input"]) ?? ""
    })
    this.over = true
  }

  merged(): Uint8Array {
    const { message } = this
    const dropped = this.isAnythingHidden
    if (this.answers === 0 && !dropped) return message
    const changes = [JsonEdit.set(["content"], [...this.earlier, ...this.shown()])]
    if (this.answers > 0) changes.push(JsonEdit.set(["usage"], this.total))
    if (this.isPromiseBroken) changes.push(JsonEdit.set(["stop_reason"], "end_turn"))
    return JsonEdit.editIfPossible(message, changes)
  }

  calls(): ReadonlyArray<InjectedCall> {
    if (!this.goesOn || !this.over) return []
    return Array.from(this.blocks.values()).flatMap(({ value, isHidden, input }) =>
      isHidden ? [{ id: Json.string(value["id"]) ?? "", name: nameOf(value), args: input }] : []
    )
  }

  next(results: ReadonlyArray<CallResult>): Uint8Array {
    const content = Array.from(this.blocks.values()).map(complete).filter(isWorthSending)
    this.body = JsonEdit.editIfPossible(this.body, [
      JsonEdit.append(
        ["messages"],
        [
          { role: "assistant", content },
          { role: "user", content: results.map(toolResult) }
        ]
      )
    ])
    this.earlier.push(...this.shown())
    this.earlierUsage = this.total
    this.answers++
    this.blocks = new Map()
    this.usage = {}
    this.stopReason = undefined
    this.over = false
    return this.body
  }

  finish(): void {
    this.isLast = true
  }

  // Last value wins within an answer.
  private count(usage: unknown): void {
    if (typeof usage === "object" && usage !== null) this.usage = { ...this.usage, ...usage }
  }

  private get total(): unknown {
    return NumberSum.add(this.earlierUsage, this.usage)
  }

  private begin(index: unknown, block: unknown): void {
    if (typeof block !== "object" || block === null) return
    const value = { ...block }
    const isHidden = isCall(value) && this.isInjected(nameOf(value))
    const given = Json.member(value, "input")
    const isEmpty = typeof given !== "object" || given === null || Object.keys(given).length === 0
    const input = isEmpty ? "" : (Json.print(given) ?? "")
    this.blocks.set(index, { value, isHidden, index: isHidden ? -1 : this.visible++, input })
  }

  // An event of a block that the client sees at another place has that in it.
  private ofBlock(event: Uint8Array, value: unknown): ReadonlyArray<Uint8Array> {
    const place = Json.member(value, "index")
    const block = this.blocks.get(place)
    if (block === undefined || block.index === place) return [event]
    return block.isHidden ? [] : [EventData.edit(event, [JsonEdit.set(["index"], block.index)]) ?? event]
  }

  private lastDelta(event: Uint8Array, value: unknown): Uint8Array {
    const changes: Array<JsonEdit.Change> = []
    if (this.isPromiseBroken) changes.push(JsonEdit.set(["delta", "stop_reason"], "end_turn"))
    if (this.answers > 0) {
      const said = Json.member(value, "usage")
      const names = new Set([...Object.keys(said ?? {}), ...summed])
      for (const [name, sum] of Object.entries(this.total ?? {}))
        if (names.has(name)) changes.push(JsonEdit.set(["usage", name], sum))
    }
    return changes.length === 0 ? event : (EventData.edit(event, changes) ?? event)
  }

  private get goesOn(): boolean {
    return !this.isLast && this.stopReason === "tool_use" && this.isAnythingHidden && !this.hasClientCall
  }

  private get isAnythingHidden(): boolean {
    return Array.from(this.blocks.values()).some(({ isHidden }) => isHidden)
  }

  private get hasClientCall(): boolean {
    return Array.from(this.blocks.values()).some(({ value, isHidden }) => !isHidden && isCall(value))
  }

  // The client is told that a tool is wanted, and does not see which.
  private get isPromiseBroken(): boolean {
    return this.stopReason === "tool_use" && this.isAnythingHidden && !this.hasClientCall
  }

  private shown(): ReadonlyArray<unknown> {
    return Array.from(this.blocks.values())
      .filter(({ isHidden }) => !isHidden)
      .map(complete)
  }
}

const noBytes = new Uint8Array(0)

/** What clients add up from the end of a stream. */
const summed = ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"]

const isCall = (block: Members): boolean => block["type"] === "tool_use"

const nameOf = (block: Members): string => Json.string(block["name"]) ?? ""

const grow = (block: Block | undefined, delta: unknown): void => {
  if (block === undefined) return
  const { value } = block
  const add = (name: string) => {
    value[name] = (Json.string(value[name]) ?? "") + (Json.string(Json.member(delta, name)) ?? "")
  }
  switch (Json.member(delta, "type")) {
    case "text_delta":
      return add("text")
    case "thinking_delta":
      return add("thinking")
    case "signature_delta":
      return add("signature")
    case "input_json_delta":
      block.input += Json.string(Json.member(delta, "partial_json")) ?? ""
      return
    case "citations_delta":
      value["citations"] = [...Json.elements(value["citations"]), Json.member(delta, "citation")]
  }
}

const complete = ({ value, input }: Block): Members => {
  if (!("input" in value)) return value
  const parsed = Json.parse(input)
  return { ...value, input: typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? parsed : {} }
}

// An empty text is refused.
const isWorthSending = (block: Members): boolean => block["type"] !== "text" || block["text"] !== ""
