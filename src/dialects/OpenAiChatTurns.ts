/** Tools of the gateway's own in OpenAI Chat Completions: they go behind the client's, and several completions become one. */
import * as Result from "effect/Result"
import * as Json from "../domain/Json.ts"
import * as EventData from "./EventData.ts"
import * as JsonEdit from "./JsonEdit.ts"
import * as NumberSum from "./NumberSum.ts"
import type { CallResult, InjectedCall, OfferedTool, ToolDialect, ToolTurns } from "./ToolTurns.ts"

/** As OpenAI's API reference has it ("Chat completions"); only the first choice counts. */
export const toolDialect: ToolDialect = {
  inject: ({ body }, tools) => {
    const members = Json.parse(decoder.decode(body))
    const given = Json.member(members, "tools")
    if (given !== undefined && !Array.isArray(given)) return Result.fail(`"tools" is not an array`)
    const choices = Json.member(members, "n")
    if (typeof choices === "number" && choices > 1) return Result.fail(`"n" asks for several choices`)
    const oneAtATime = JsonEdit.set(["parallel_tool_calls"], false)
    return Result.succeed(JsonEdit.edit(body, [JsonEdit.append(["tools"], tools.map(written)), oneAtATime]))
  },
  turns: (body, isInjected) => new ChatTurns(body, isInjected)
}

const decoder = new TextDecoder()

const written = ({ id, description, inputSchema }: OfferedTool) => ({
  type: "function",
  function: { name: id, description, strict: false, parameters: inputSchema }
})

type Members = Readonly<Record<string, unknown>>

interface Call {
  /** Its place in the upstream's list: some vendors give all calls one place, but each an id. */
  readonly place: unknown
  id: string
  readonly name: string
  args: string
  /** Of which nothing is known here, such as signatures of thoughts. */
  readonly others: Members
  /** Of an injected tool, which the client does not see. */
  readonly isHidden: boolean
  /** Its place in what the client sees. */
  readonly index: number
}

class ChatTurns implements ToolTurns {
  private body: Uint8Array
  private readonly isInjected: (name: string) => boolean
  private isLast = false
  // Of earlier answers.
  private answers = 0
  private texts: Array<string> = []
  private earlierUsage: unknown
  private id: unknown
  private hasRole = false
  // Of this one.
  private made: Array<Call> = []
  private content = ""
  private shownText = false
  private spoken: Record<string, string> = {}
  private usage: unknown
  private finishReason: string | undefined
  private over = false
  private broken = false
  private completion: Uint8Array = noBytes

  constructor(body: Uint8Array, isInjected: (name: string) => boolean) {
    this.body = body
    this.isInjected = isInjected
  }

  event(event: Uint8Array, data: string): ReadonlyArray<Uint8Array> {
    if (data.startsWith("[DONE]")) {
      this.over = true
      return this.goesOn ? [] : [event]
    }
    const chunk = Json.parse(data)
    if (typeof chunk !== "object" || chunk === null) return [event]
    if (Json.member(chunk, "error") !== undefined) {
      this.over = true
      this.broken = true
      return [event]
    }
    this.id ??= Json.member(chunk, "id")
    const usage = Json.member(chunk, "usage")
    const hasUsage = typeof usage === "object" && usage !== null
    if (hasUsage) this.usage = usage
    const changes: Array<JsonEdit.Change> = []
    if (this.answers > 0) {
      if (Json.member(chunk, "id") !== this.id) changes.push(JsonEdit.set(["id"], this.id))
      if (hasUsage) changes.push(JsonEdit.set(["usage"], this.total))
    }
    const choices = Json.elements(Json.member(chunk, "choices"))
    const [choice] = choices
    if (choice === undefined) {
      if (this.goesOn) return []
    } else {
      const shown = this.choice(choice)
      if (shown === undefined) return []
      if (shown !== choice) changes.push(JsonEdit.set(["choices"], [shown]))
    }
    return changes.length === 0 ? [event] : [EventData.edit(event, changes)]
  }

  rest(): ReadonlyArray<Uint8Array> {
    return []
  }

  isOver(): boolean {
    return this.over
  }

  whole(body: Uint8Array): void {
    const completion = Json.parse(decoder.decode(body))
    const [choice] = Json.elements(Json.member(completion, "choices"))
    const message = Json.member(choice, "message")
    this.completion = body
    this.usage = Json.member(completion, "usage")
    this.finishReason = Json.string(Json.member(choice, "finish_reason"))
    this.content = Json.string(Json.member(message, "content")) ?? ""
    Json.elements(Json.member(message, "tool_calls")).forEach((call, index) => this.take(index, call))
    this.speak(message)
    this.over = true
  }

  merged(): Uint8Array {
    if (this.answers === 0 && !this.isAnythingHidden) return this.completion
    const choices = Json.elements(Json.member(Json.parse(decoder.decode(this.completion)), "choices"))
    const [choice, ...others] = choices
    const changes = [JsonEdit.set(["choices"], [this.lastChoice(choice), ...others])]
    if (this.answers > 0) changes.push(JsonEdit.set(["usage"], this.total))
    return JsonEdit.editIfPossible(this.completion, changes)
  }

  calls(): ReadonlyArray<InjectedCall> {
    return this.goesOn ? this.made.map(({ id, name, args }) => ({ id, name, args })) : []
  }

  next(results: ReadonlyArray<CallResult>): Uint8Array {
    const tool_calls = this.made.map(({ id, name, args, others }) => ({
      id,
      type: "function",
      function: { name, arguments: args === "" ? "{}" : args },
      ...others
    }))
    this.body = JsonEdit.editIfPossible(this.body, [
      JsonEdit.append(
        ["messages"],
        [
          { role: "assistant", content: this.content || null, ...this.spoken, tool_calls },
          ...results.map(({ call, result }) => ({
            role: "tool",
            tool_call_id: call.id,
            content: Json.print(result) ?? ""
          }))
        ]
      )
    ])
    if (this.content !== "") this.texts.push(this.content)
    this.earlierUsage = this.total
    this.answers++
    this.made = []
    this.content = ""
    this.shownText = false
    this.spoken = {}
    this.usage = undefined
    this.finishReason = undefined
    this.over = false
    return this.body
  }

  finish(): void {
    this.isLast = true
  }

  private get total(): unknown {
    return NumberSum.add(this.earlierUsage, this.usage)
  }

  // What the client sees of a piece of the answer: the same, another one, or nothing.
  private choice(choice: unknown): unknown {
    const delta = Json.member(choice, "delta")
    const parts = Json.elements(Json.member(delta, "tool_calls"))
    const shownParts = parts.map((part) => shownPart(part, this.take(Json.member(part, "index"), part)))
    const content = Json.string(Json.member(delta, "content")) ?? ""
    this.content += content
    this.speak(delta)
    const reason = Json.member(choice, "finish_reason")
    if (typeof reason === "string") this.finishReason = reason

    const shown: Record<string, unknown> = { ...Object(delta) }
    let isEdited = shownParts.some((part, index) => part !== parts[index])
    if (isEdited) {
      const left = shownParts.filter((part) => part !== undefined)
      if (left.length > 0) shown["tool_calls"] = left
      else delete shown["tool_calls"]
    }
    if ("role" in shown && this.hasRole && this.answers > 0) {
      delete shown["role"]
      isEdited = true
    }
    if (content !== "" && !this.shownText) {
      this.shownText = true
      if (this.texts.length > 0) {
        shown["content"] = separator + content
        isEdited = true
      }
    }
    const finish = this.goesOn ? null : this.isPromiseBroken ? "stop" : reason
    if (finish === reason && !isEdited) {
      this.hasRole ||= "role" in shown
      return choice
    }
    if (isNothing(shown) && typeof finish !== "string") return undefined
    this.hasRole ||= "role" in shown
    return { ...Object(choice), delta: shown, ...(finish !== undefined && { finish_reason: finish }) }
  }

  private lastChoice(choice: unknown): unknown {
    const message = Json.member(choice, "message")
    const { tool_calls: called, ...others } = Object(message)
    const left = Json.elements(called).filter((_, index) => this.made[index]?.isHidden !== true)
    const texts = [...this.texts, this.content].filter((text) => text !== "")
    const said = { ...others, ...(texts.length > 0 && { content: texts.join(separator) }) }
    return {
      ...Object(choice),
      message: left.length > 0 ? { ...said, tool_calls: left } : said,
      ...(this.isPromiseBroken && { finish_reason: "stop" })
    }
  }

  /** A call, or the next piece of one. */
  private take(place: unknown, part: unknown): Call {
    const { index: _index, id: given, type: _type, function: called, ...others } = Object(part)
    const id = Json.string(given) ?? ""
    const args = Json.string(Json.member(called, "arguments")) ?? ""
    const known = this.made.findLast((call) => place === undefined || call.place === place)
    if (known !== undefined && (id === "" || known.id === id)) {
      known.args += args
      Object.assign(known.others, others)
      return known
    }
    const name = (Json.string(Json.member(called, "name")) ?? "").trim()
    const isHidden = this.isInjected(name)
    const index = this.made.filter((call) => !call.isHidden).length
    const ownId = id === "" ? `call_${this.answers}_${this.made.length}` : id
    const call: Call = { place, id: ownId, name, args, others, isHidden, index }
    this.made.push(call)
    return call
  }

  // What the model has said in members that only some vendors have, such as its reasoning: they want it back.
  private speak(said: unknown): void {
    for (const [name, value] of Object.entries(Object(said))) {
      if (typeof value === "string" && !ofOpenAi.has(name)) this.spoken[name] = (this.spoken[name] ?? "") + value
    }
  }

  private get goesOn(): boolean {
    const isComplete = this.finishReason === undefined ? this.over : wants.has(this.finishReason)
    return !this.isLast && !this.broken && isComplete && this.isAnythingHidden && !this.hasClientCall
  }

  private get isAnythingHidden(): boolean {
    return this.made.some(({ isHidden }) => isHidden)
  }

  private get hasClientCall(): boolean {
    return this.made.some(({ isHidden }) => !isHidden)
  }

  // The client is told that a tool is wanted, and does not see which.
  private get isPromiseBroken(): boolean {
    const isPromise = this.finishReason === "tool_calls" || this.finishReason === "function_call"
    return isPromise && this.isAnythingHidden && !this.hasClientCall
  }
}

const noBytes = new Uint8Array(0)

/** Between texts of different answers. */
const separator = "\n\n"

/** How an answer ends that calls tools: some vendors say `stop`. */
const wants: ReadonlySet<string> = new Set(["tool_calls", "function_call", "stop"])

const ofOpenAi: ReadonlySet<string> = new Set(["role", "content", "tool_calls", "function_call", "refusal"])

const shownPart = (part: unknown, { isHidden, index, place }: Call): unknown => {
  if (isHidden) return undefined
  return place === undefined || place === index ? part : { ...Object(part), index }
}

const isNothing = (delta: Members): boolean =>
  Object.entries(delta).every(([, value]) => value === null || value === "" || value === undefined)
