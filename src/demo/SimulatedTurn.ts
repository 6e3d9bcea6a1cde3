/** What the simulated model does next in a conversation of messages: it uses a tool if it is told to, and else says its text. */
import * as Json from "../domain/Json.ts"
import { member } from "../domain/Json.ts"
import { words } from "./SimulatedVendor.ts"

export interface Turn {
  /** Clients take messages of one id for one: each turn of a conversation has its own. */
  readonly id: string
  readonly blocks: ReadonlyArray<Block>
  readonly stopReason: "end_turn" | "tool_use"
}

/** A content block: whole, and how a stream builds it up. */
export interface Block {
  readonly whole: object
  readonly empty: object
  readonly deltas: ReadonlyArray<object>
}

/**
 * The turn after a request's messages. `use the tool <name>` in the last message of the user is an order if a tool of this name
 * is offered; the JSON object behind it on the same line, if there is one, is the tool's input.
 */
export const of = (body: unknown): Turn => {
  const messages = listOf(member(body, "messages"))
  const id = `msg_simulated_${messages.length}`
  const lastOfUser = blocksOf(messages.findLast((message) => member(message, "role") === "user"))
  const result = lastOfUser.find(hasType("tool_result"))
  if (result !== undefined) {
    const said = Array.from(textOf(blocksOf(result)))
      .slice(0, quoted)
      .join("")
    return { id, blocks: [textBlock([`The tool said: ${said}. `, ...words])], stopReason: "end_turn" }
  }
  const offered = new Set(listOf(member(body, "tools")).map((tool) => member(tool, "name")))
  const order = ordersIn(textOf(lastOfUser)).find(({ name }) => offered.has(name))
  if (order === undefined) return { id, blocks: [textBlock(words)], stopReason: "end_turn" }
  const use = 1 + messages.flatMap(blocksOf).filter(hasType("tool_use")).length
  return {
    id,
    blocks: [textBlock([`I use the tool ${order.name}.`]), toolBlock(`toolu_simulated_${use}`, order)],
    stopReason: "tool_use"
  }
}

interface Order {
  readonly name: string
  readonly input: object
}

/** How much of what a tool said is repeated, in characters. */
const quoted = 200

const ordersIn = (text: string): ReadonlyArray<Order> =>
  Array.from(text.matchAll(/use the tool ([\w-]+)[^\S\r\n]*(\{.*)?/gi), ([, name = "", rest = ""]) => ({
    name,
    input: objectAt(rest)
  }))

/** The JSON object that a text begins with: what follows it may have braces as well. */
const objectAt = (text: string): object => {
  for (const { index } of text.matchAll(/\}/g)) {
    const value = Json.parse(text.slice(0, index + 1))
    if (typeof value === "object" && value !== null) return value
  }
  return {}
}

const textBlock = (pieces: ReadonlyArray<string>): Block => ({
  whole: { type: "text", text: pieces.join("") },
  empty: { type: "text", text: "" },
  deltas: pieces.map((text) => ({ type: "text_delta", text }))
})

const toolBlock = (id: string, { name, input }: Order): Block => {
  const text = JSON.stringify(input)
  const middle = text.length / 2
  return {
    whole: { type: "tool_use", id, name, input },
    empty: { type: "tool_use", id, name, input: {} },
    deltas: [text.slice(0, middle), text.slice(middle)].map((part) => ({
      type: "input_json_delta",
      partial_json: part
    }))
  }
}

// The content of a message and of a tool result are alike: a string, or blocks of which some are text.
const blocksOf = (message: unknown): ReadonlyArray<unknown> => {
  const content = member(message, "content")
  return typeof content === "string" ? [{ type: "text", text: content }] : listOf(content)
}

const textOf = (blocks: ReadonlyArray<unknown>): string =>
  blocks
    .filter(hasType("text"))
    .map((block) => String(member(block, "text")))
    .join("\n")

const hasType = (type: string) => (block: unknown) => member(block, "type") === type

const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])
