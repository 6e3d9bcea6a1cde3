/** Reads a request's body from Node's message itself: a few times cheaper than by way of the general reader. */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Refusal from "../domain/GatewayError.ts"
import type { GatewayError } from "../domain/GatewayError.ts"
import type { ReadBody } from "../inbound/RequestBody.ts"
import * as RequestBody from "../inbound/RequestBody.ts"

const read: ReadBody = (request, limit) => {
  // Only the general reader can say "100 Continue", and find the body of a request that a host's server took for an upgrade.
  if (request.headers["expect"] !== undefined || request.headers["upgrade"] !== undefined)
    return RequestBody.readAny(request, limit)
  return Effect.callback<Uint8Array, GatewayError>((resume) => {
    const message = NodeHttpServerRequest.toIncomingMessage(request)
    const chunks: Array<Buffer> = []
    let size = 0
    // Listeners stay where they are: the first to answer wins, and removing them would cost more than the reading.
    message.on("data", (chunk: Buffer) => {
      chunks.push(chunk)
      size += chunk.length
      if (size <= limit) return
      message.pause()
      resume(Effect.fail(Refusal.make(new Refusal.BodyTooLarge({ limit }))))
    })
    message.on("end", () => {
      const [first] = chunks
      resume(Effect.succeed(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, size)))
    })
    message.on("close", () => resume(incomplete))
  })
}

// Made only where it is used: every message closes.
const incomplete = Effect.suspend(() => Effect.fail(Refusal.make(new Refusal.BodyIncomplete({}))))

/** For `Gateway.layer` on a Node server. */
export const layer: Layer.Layer<never> = Layer.succeed(RequestBody.BodyReader, read)
