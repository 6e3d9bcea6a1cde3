/**
 * Tools of the gateway's own in a wire format: how they are offered to a model, which of them it calls, and how the answers of
 * several upstream calls become the one that the client sees.
 */
import type * as Result from "effect/Result"
import type { ToolResult } from "../domain/ToolResult.ts"

/** A tool as a model is told of it. */
export interface OfferedTool {
  /** Its name for the model: at most 64 characters of `[a-zA-Z0-9_-]`. */
  readonly id: string
  readonly description: string | undefined
  /** JSON Schema, of type `object`. */
  readonly inputSchema: Readonly<Record<string, unknown>>
}

/** A call of such a tool by the model. */
export interface InjectedCall {
  /** The vendor's id of the call. */
  readonly id: string
  /** The tool's id. */
  readonly name: string
  /** JSON text, or whatever the model has put in its place; empty if it has put nothing. */
  readonly args: string
}

/** What has come of a call. */
export interface CallResult {
  readonly call: InjectedCall
  readonly result: ToolResult
}

export interface ToolDialect {
  /**
   * The request with these tools, of which there is at least one, edited only where they go; or why it cannot have any, in words for
   * a log line: then it goes as it is.
   */
  readonly inject: (
    request: { readonly model: string; readonly stream: boolean; readonly body: Uint8Array },
    tools: ReadonlyArray<OfferedTool>
  ) => Result.Result<Uint8Array, string>
  /**
   * The answers to one request.
   *
   * @param body as it went upstream, with the tools
   * @param isInjected whether a tool of this name is the gateway's own
   */
  readonly turns: (body: Uint8Array, isInjected: (name: string) => boolean) => ToolTurns
}

/**
 * Reads the answers of the upstream calls of one request, one after the other. Never throws. An answer is a stream, fed to `event`,
 * or a whole one, given to `whole`; once it is over, `calls` says whether there is another: then `next` has its request.
 *
 * The client sees no injected tool, neither its name nor its calls. If an answer calls a tool of the client's, too, it is the last
 * one, and its injected calls are dropped. So they are if the answer broke off before it was complete (for length, say).
 */
export interface ToolTurns {
  /**
   * Takes the next event of a stream.
   *
   * @param event its bytes, up to and with its final blank line
   * @param data its data lines, with line feeds between; empty if it has none
   * @returns what the client sees now: mostly the very bytes; edited ones, earlier ones that were held back, or none
   */
  readonly event: (event: Uint8Array, data: string) => ReadonlyArray<Uint8Array>
  /** What is still held back of a stream that has ended, however it did. */
  readonly rest: () => ReadonlyArray<Uint8Array>
  /** Whether the stream's last event has come. */
  readonly isOver: () => boolean
  /** Takes a whole answer. */
  readonly whole: (body: Uint8Array) => void
  /** What the client gets for it, if it is the last one: its very bytes, unless it had others before it or an injected call. */
  readonly merged: () => Uint8Array
  /** The injected calls to be run before the next answer; none if this one is the last. */
  readonly calls: () => ReadonlyArray<InjectedCall>
  /** The request of the next answer, which has this one and these results. From then on `event` and `whole` are about that answer. */
  readonly next: (results: ReadonlyArray<CallResult>) => Uint8Array
  /** From the next answer on no call is run: whatever it is, it is the last one, and ends as if it had not wanted a tool. */
  readonly finish: () => void
}
