/** What has come of one answer of OpenAI Chat Completions to a request with tools of the gateway's own: its message, its calls, its usage. */
import * as Json from "../domain/Json.ts"
import { argsText } from "./AnswerReader.ts"
import type { InjectedCall } from "./ToolTurns.ts"

/** A JSON object. */
export type Members = Readonly<Record<string, unknown>>

export const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The text that a client sees of a message. */
export const textOf = (message: unknown): string => {
  const content = Json.member(message, "content")
  if (typeof content === "string") return content
  return Json.elements(content)
    .map((part) => Json.string(Json.member(part, "text")) ?? "")
    .join("")
}

/** One answer, whole or in pieces. */
export class OpenAiChatDraft {
  /** Why it has ended, if it has said so: the last reason. */
  reason: string | undefined
  /** The last one, because some vendors say with each chunk what it was up to now. */
  usage: Members | undefined
  isOver = false
  hasFailed = false
  private readonly isInjected: (name: string) => boolean
  private message: Members = {}
  private readonly parts: Array<Call> = []
  private hasFunctionCall = false

  constructor(isInjected: (name: string) => boolean) {
    this.isInjected = isInjected
  }

  get hasClientCall(): boolean {
    return this.hasFunctionCall || this.parts.some(({ owner }) => owner === "client")
  }

  get hasInjectedCall(): boolean {
    return this.parts.some(({ owner }) => owner === "gateway")
  }

  /** Whether the client sees less than has come. */
  get isLess(): boolean {
    return this.parts.some(({ owner }) => owner !== "client")
  }

  get hasRole(): boolean {
    return typeof this.message["role"] === "string"
  }

  get text(): string {
    return textOf(this.message)
  }

  /** Takes a whole message or a piece of one, but for its calls. */
  add(message: Members): void {
    if (isMembers(message["function_call"])) this.hasFunctionCall = true
    this.message = combined(this.message, without(message, ["tool_calls"]), messageRule)
  }

  /** Takes a whole call; answers it if the client sees it. */
  call(call: unknown): unknown {
    if (!isMembers(call)) return call
    const whole: Call = { index: undefined, members: call, owner: undefined, shownIndex: undefined }
    this.parts.push(whole)
    this.decide(whole)
    whole.owner ??= "client"
    return whole.owner === "client" ? call : undefined
  }

  /**
   * Takes the next part of a call; answers what the client sees of it: the very same, one with another index, or all that has come
   * of the call up to now. One that begins without a name is shown to nobody until it has one.
   */
  part(part: unknown): unknown {
    if (!isMembers(part)) return part
    const call = this.callOf(part)
    const isDecided = call.owner !== undefined
    const isFirst = !isDecided && Object.keys(call.members).length === 0
    call.members = combined(call.members, part, callRule)
    if (!isDecided) this.decide(call)
    if (call.owner !== "client") return undefined
    const shown = isDecided || isFirst ? part : call.members
    return call.shownIndex === call.index ? shown : { ...shown, index: call.shownIndex }
  }

  /**
   * The calls of the gateway's own tools.
   *
   * @param before how many such calls there were in earlier answers
   */
  injected(before: number): ReadonlyArray<InjectedCall> {
    return this.injectedMembers().map((members, position) => {
      const called = members["function"]
      return {
        id: Json.string(members["id"]) || `call${String(before + position + 1).padStart(5, "0")}`,
        name: nameIn(called),
        args: argsText(Json.member(called, "arguments") ?? "")
      }
    })
  }

  /** The message for the next request, with no other calls than those of the gateway's own tools. */
  assistantMessage(before: number): Members {
    const content = this.message["content"]
    const others = Object.entries(this.message).filter(([name, value]) => !edited.has(name) && !isNothing(value))
    const members = this.injectedMembers()
    const calls = this.injected(before)
    const message = {
      role: "assistant",
      content: isNothing(content) ? null : content,
      ...Object.fromEntries(others),
      tool_calls: calls.map((call, position) => asMember(call, members[position] ?? {}))
    }
    // Unless a member of a vendor's own is nested too deeply.
    if (Json.print(message) !== undefined) return message
    return { role: "assistant", content: this.text || null, tool_calls: calls.map((call) => asMember(call, {})) }
  }

  private injectedMembers(): ReadonlyArray<Members> {
    return this.parts.filter(({ owner }) => owner === "gateway").map(({ members }) => members)
  }

  private callOf(part: Members): Call {
    const { index } = part
    const id = Json.string(part["id"]) ?? ""
    const last = this.parts.findLast((one) => index === undefined || one.index === index)
    const lastId = Json.string(last?.members["id"]) ?? ""
    // Some vendors give all calls one index, but each an id.
    if (last !== undefined && (id === "" || lastId === "" || lastId === id)) return last
    const call: Call = { index, members: {}, owner: undefined, shownIndex: undefined }
    this.parts.push(call)
    return call
  }

  private decide(call: Call): void {
    const name = nameIn(call.members["function"])
    if (name !== "" && this.isInjected(name)) {
      call.owner = "gateway"
    } else if (name !== "" || !isNamedLater(call.members)) {
      const shown = this.parts.flatMap(({ owner, shownIndex }) => (owner === "client" ? [Number(shownIndex)] : []))
      call.shownIndex = this.isTakenOutBefore(call) ? Math.max(-1, ...shown) + 1 : call.index
      call.owner = "client"
    }
  }

  private isTakenOutBefore(call: Call): boolean {
    return this.parts.slice(0, this.parts.indexOf(call)).some(({ owner }) => owner !== "client")
  }
}

/** A call of which parts have come. */
interface Call {
  readonly index: unknown
  members: Members
  /** Whose tool it calls; not known until a part has its name. */
  owner: "gateway" | "client" | undefined
  /** The index under which the client sees it. */
  shownIndex: unknown
}

// Members of a message that do not go on as they are.
const edited = new Set(["role", "content", "tool_calls", "function_call"])

const without = (object: Members, names: ReadonlyArray<string>): Members =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)))

// With what a vendor has said of it besides. What has no arguments must be JSON all the same.
const asMember = ({ id, name, args }: InjectedCall, members: Members): Members => {
  const called = isMembers(members["function"]) ? members["function"] : {}
  return {
    ...without(members, ["index"]),
    id,
    type: "function",
    function: { ...called, name, arguments: args || "{}" }
  }
}

// A call of a function begins with its id, mostly with its name, too.
const isNamedLater = ({ id, type, function: called }: Members): boolean =>
  (type ?? "function") === "function" && (typeof id === "string" || typeof Json.member(called, "name") === "string")

const nameIn = (called: unknown): string => (Json.string(Json.member(called, "name")) ?? "").trim()

const isNothing = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0)

/** What becomes of a member of which there are two, neither `null`. */
type Rule = (name: string, before: unknown, now: unknown) => unknown

const combined = (before: Members, now: Members, rule: Rule, depth = 0): Members => {
  const members = new Map(Object.entries(before))
  for (const [name, value] of Object.entries(now)) {
    const earlier = members.get(name) ?? null
    if (earlier === null) members.set(name, value)
    else if (isMembers(earlier) && isMembers(value) && depth < maximumDepth)
      members.set(name, combined(earlier, value, rule, depth + 1))
    else if (value !== null) members.set(name, rule(name, earlier, value))
  }
  return Object.fromEntries(members)
}

// Deeper objects are not combined: the later one counts.
const maximumDepth = 16

const messageRule: Rule = (_, before, now) => {
  if (typeof before === "string" && typeof now === "string") return before + now
  return Array.isArray(before) && Array.isArray(now) ? [...before, ...now] : now
}

// Some vendors repeat with each part what the call is.
const callRule: Rule = (name, before, now) => {
  if (typeof before !== "string" || typeof now !== "string") return now
  if (name === "arguments") return before + now
  return name === "id" || name === "type" || name === "name" ? before || now : now
}
