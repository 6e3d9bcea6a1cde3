/** Tools of an embedder's own, as effects in the same program: a source that needs no server. */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Json from "../domain/Json.ts"
import type { ToolResult } from "../domain/ToolResult.ts"
import * as Result from "../domain/ToolResult.ts"
import type { Tool, ToolSource } from "./ToolSource.ts"
import { ToolError } from "./ToolSource.ts"

export interface Options<Fields extends Schema.Struct.Fields, E, R> {
  readonly name: string
  /** For the model. */
  readonly description: string
  /** Of its arguments, which are decoded from JSON. What they are for is in the annotation `description` of each. */
  readonly parameters: Schema.Struct<Fields>
  /**
   * What it gives is told to the model: a string as it is, anything else as JSON. A failure is told, too: its `message`, or itself if
   * it is a string.
   */
  readonly handler: (args: Schema.Struct<Fields>["Type"]) => Effect.Effect<unknown, E, R>
}

/** A tool that needs `R` to run. */
export interface EffectTool<R> extends Omit<Tool, "call"> {
  readonly call: (args: unknown) => Effect.Effect<ToolResult, ToolError, R>
}

export type Requirements<T> = T extends EffectTool<infer R> ? R : never

/** Arguments that are not as `parameters` says are told to the model as an error, and the handler is not run. */
export const tool = <Fields extends Schema.Struct.Fields, E, R>({
  name,
  description,
  parameters,
  handler
}: Options<Fields, E, R>): EffectTool<R | Schema.Struct<Fields>["DecodingServices"]> => {
  const decode = Schema.decodeUnknownEffect(Schema.toCodecJson(parameters), { errors: "all" })
  return {
    name,
    description,
    inputSchema: schemaOf(parameters),
    call: (args) =>
      Effect.matchEffect(decode(args), {
        onFailure: ({ message }) => Effect.succeed(Result.failed(`the arguments are wrong: ${message}`)),
        onSuccess: (decoded) =>
          Effect.match(
            Effect.suspend(() => handler(decoded)),
            { onFailure: (error) => Result.failed(messageOf(error)), onSuccess: toResult }
          )
      }).pipe(Effect.catchCause(interruptedInside))
  }
}

/**
 * A source of these tools, which run with the services that are there where it is made.
 *
 * @param name in the names of its tools, `bmcp_<name>_<tool>`
 */
export const make = <const Tools extends ReadonlyArray<EffectTool<unknown>>>({
  name,
  tools
}: {
  readonly name: string
  readonly tools: Tools
}): Effect.Effect<ToolSource, never, Requirements<Tools[number]>> =>
  Effect.contextWith((context: Context.Context<Requirements<Tools[number]>>) => {
    const all = tools.map((each): Tool => ({
      name: each.name,
      description: each.description,
      inputSchema: each.inputSchema,
      call: (args) => Effect.provideContext(each.call(args), context as Context.Context<unknown>)
    }))
    return Effect.succeed({ name, url: undefined, tools: () => all })
  })

// The JSON Schema of a struct without fields takes arrays, too.
const schemaOf = (parameters: Schema.Struct<Schema.Struct.Fields>): Readonly<Record<string, unknown>> => {
  if (Object.keys(parameters.fields).length === 0) return { type: "object", properties: {} }
  const { schema, definitions } = Schema.toJsonSchemaDocument(parameters, { onExcessProperty: "error" })
  return Object.keys(definitions).length === 0 ? schema : { ...schema, $defs: definitions }
}

const toResult = (value: unknown): ToolResult => {
  if (typeof value === "string") return { isError: false, content: [{ type: "text", text: value }] }
  const text = value === undefined ? "done" : Json.print(value)
  if (text === undefined) return Result.failed("the result is not JSON")
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value)
  return { isError: false, content: [{ type: "text", text }], ...(isObject && { structuredContent: Json.parse(text) }) }
}

const messageOf = (error: unknown): string =>
  Json.string(error) ?? Json.string(Json.member(error, "message")) ?? Json.print(error) ?? "the tool has failed"

// The caller's interruption does not come here: nothing runs after it.
const interruptedInside = (cause: Cause.Cause<ToolError>): Effect.Effect<ToolResult, ToolError> =>
  Cause.hasInterrupts(cause)
    ? Effect.fail(new ToolError({ message: "the tool has broken off" }))
    : Effect.failCause(cause)
