/** A call of a tool of the gateway's own, and what it has brought, in the members and names that MCP gives it ("Tools", revision 2025-06-18). */

import type { ToolCall } from "./Usage.ts"

/** A call that is begun. */
export interface Invocation {
  /** As the model has put it. */
  readonly call: ToolCall
  /** As its source knows the tool. */
  readonly tool: string
  readonly server: string
  /** `undefined` if the source has no server. */
  readonly serverUrl: string | undefined
}

export interface ToolResult {
  /** Whether the tool says that it has failed; the content then says why. */
  readonly isError: boolean
  readonly content: ReadonlyArray<ToolContent>
  /** The same as JSON, if the tool has a schema of its results. */
  readonly structuredContent?: unknown
}

export type ToolContent =
  | { readonly type: "text"; readonly text: string }
  /** `data` in base64. */
  | { readonly type: "image" | "audio"; readonly data: string; readonly mimeType: string }
  | { readonly type: "resource"; readonly resource: ToolResource }
  | { readonly type: "resource_link"; readonly uri: string; readonly name: string; readonly mimeType?: string }

/** `text`, or `blob` in base64. */
export interface ToolResource {
  readonly uri: string
  readonly mimeType?: string
  readonly text?: string
  readonly blob?: string
}

/** A result that says only that it is none, and why. */
export const failed = (text: string): ToolResult => ({ isError: true, content: [{ type: "text", text }] })
