/** Repeated headers on a Node server: Effect's responses have one value a name, Node's own can have more. */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Layer from "effect/Layer"
import * as ResponseHead from "../relay/ResponseHead.ts"

/** For `Gateway.layer` on a Node server. */
export const layer: Layer.Layer<never> = Layer.succeed(ResponseHead.RepeatedHeaders, (request, name, values) => {
  NodeHttpServerRequest.toServerResponse(request).setHeader(name, [...values])
  return true
})
