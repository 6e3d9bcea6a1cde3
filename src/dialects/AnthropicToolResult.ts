/** What a tool of the gateway's own has brought, as Anthropic's models are told it. */
import * as Json from "../domain/Json.ts"
import type { ToolContent, ToolResult } from "../domain/ToolResult.ts"
import type { CallResult } from "./ToolTurns.ts"

/** A block of the user's message. What cannot be said there is an error. */
export const toolResult = ({ call, result }: CallResult) => {
  const content = contentOf(result)
  const isError =
    result.isError || content.length === 0 || content.some((one) => one === unsupported || one === unknownResource)
  return {
    type: "tool_result",
    tool_use_id: call.id,
    content: content.length === 0 ? [text("Error: no valid tool result content")] : content,
    is_error: isError
  }
}

const contentOf = ({ content, structuredContent }: ToolResult): ReadonlyArray<unknown> => {
  const parts = content.map(part).filter((one) => one !== undefined)
  return parts.length === 0 && structuredContent !== undefined ? [text(Json.print(structuredContent) ?? "")] : parts
}

const part = (content: ToolContent): unknown => {
  switch (content.type) {
    case "text":
      return content.text === "" ? undefined : text(content.text)
    case "image":
      return images.has(content.mimeType)
        ? { type: "image", source: { type: "base64", media_type: content.mimeType, data: content.data } }
        : unsupported
    case "resource": {
      const { uri, mimeType = "unknown", text: said, blob } = content.resource
      if (said === undefined && blob === undefined) return unknownResource
      return text(
        `${blob === undefined ? "Resource" : "Binary resource"} (MIME: ${mimeType}, URI: ${uri}): ${said ?? blob}`
      )
    }
    case "resource_link":
      return text(`Resource link: ${content.name} (URI: ${content.uri})`)
    default:
      return unsupported
  }
}

const text = (said: string) => ({ type: "text", text: said })

const unknownResource = text("Error: unknown embedded resource type")
const unsupported = text("Error: unsupported tool result type")

/** What Anthropic takes as an image. */
const images = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"])
