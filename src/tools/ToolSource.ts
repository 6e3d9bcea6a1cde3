/** Where tools of the gateway's own come from: the contract. */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ToolResult } from "../domain/ToolResult.ts"

/** A tool, as its source knows it. */
export interface Tool {
  /** By which the source knows it. */
  readonly name: string
  readonly description: string | undefined
  /** JSON Schema of its arguments, of type `object`. */
  readonly inputSchema: Readonly<Record<string, unknown>>
  /**
   * Calls it with the arguments that the model has given, which nobody has checked. Interrupting cancels the call. A tool that says
   * itself that it has failed has a result, with `isError`.
   */
  readonly call: (args: unknown) => Effect.Effect<ToolResult, ToolError>
}

/** A call that has no result. Its message is for the model: never a stack trace, never a secret. */
export class ToolError extends Schema.TaggedError<ToolError>()("ToolError", { message: Schema.String }) {}

export interface ToolSource {
  /** In the names of its tools, and in records. */
  readonly name: string
  /** Of its server, for records; `undefined` if it has none. */
  readonly url: string | undefined
  /** Those that it has now. Never waits, and is the same array as long as nothing has changed. */
  readonly tools: () => ReadonlyArray<Tool>
}
