/** What an MCP server says of its tools, as the rest of the gateway knows it: what it does not know is left out. */
import type * as McpSchema from "effect/ai/McpSchema"
import { ContentBlock, Tool } from "effect/ai/McpSchema"
import * as Base64 from "effect/encoding/Base64"
import * as Schema from "effect/Schema"
import * as Json from "../domain/Json.ts"
import type { ToolContent, ToolResult } from "../domain/ToolResult.ts"

export const toResult = (result: McpSchema.CallToolResult): ToolResult => ({
  isError: result.isError ?? false,
  content: result.content.map(toContent),
  ...(result.structuredContent !== undefined && { structuredContent: result.structuredContent })
})

const toContent = (block: McpSchema.ContentBlock): ToolContent => {
  switch (block.type) {
    case "text":
      return { type: "text", text: block.text }
    case "image":
    case "audio":
      return { type: block.type, data: Base64.encode(block.data), mimeType: block.mimeType }
    case "resource": {
      const { mimeType, uri } = block.resource
      const body =
        "text" in block.resource ? { text: block.resource.text } : { blob: Base64.encode(block.resource.blob) }
      return { type: "resource", resource: { uri, ...withMimeType(mimeType), ...body } }
    }
    case "resource_link":
      return { type: "resource_link", uri: block.uri, name: block.name, ...withMimeType(block.mimeType) }
  }
}

const withMimeType = (mimeType: string | undefined) => mimeType !== undefined && { mimeType }

/**
 * The result of a request as the library takes it, which refuses a whole list or result for one member that is not valid. `leftOut`
 * hears the names of tools that are not, for instance because their arguments are no object.
 */
export const mended = (method: string, result: unknown, leftOut: (tool: string) => void): unknown => {
  const tools = Json.member(result, "tools")
  if (method === "tools/list" && Array.isArray(tools)) {
    return { ...Object(result), tools: tools.filter((tool) => isTool(tool) || leftOut(nameOf(tool))) }
  }
  const content = Json.member(result, "content")
  if (method === "tools/call" && Array.isArray(content))
    return { ...Object(result), content: content.filter(isContent) }
  return result
}

const isValid = (schema: Schema.Codec<unknown, unknown>) => {
  const decode = Schema.decodeUnknownOption(schema)
  return (value: unknown): boolean => decode(value)._tag === "Some"
}

const isTool = isValid(Tool)
const isContent = isValid(ContentBlock)

const nameOf = (tool: unknown): string => Json.string(Json.member(tool, "name")) ?? "without a name"
