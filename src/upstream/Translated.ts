/** One attempt upstream for a vendor with a wire format of its own: what comes back is in the client's dialect. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Bytes from "../domain/Bytes.ts"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import * as Failure from "../domain/UpstreamError.ts"
import type { Key } from "../keys/Key.ts"
import type { AnswerTranslation, EventDecoder, SignableRequest, Translation } from "../providers/Translation.ts"
import type { Upstream, UpstreamRequest, UpstreamResponse } from "./Upstream.ts"

/**
 * Sends the request with the key's credential. Fails as `Upstream.send`, or if the vendor has no credential to be had. A stream
 * that cannot be read is a cut one.
 */
export const send = (
  upstream: Upstream["Service"],
  translation: Translation,
  request: SignableRequest & UpstreamRequest,
  key: Key
): Effect.Effect<UpstreamResponse, UpstreamError, Scope.Scope> =>
  translation.authorize(request, key).pipe(
    Effect.flatMap((headers) => upstream.send({ ...request, headers })),
    Effect.flatMap((response) => translated(response, translation.answer(response)))
  )

const translated = (
  response: UpstreamResponse,
  translation: AnswerTranslation
): Effect.Effect<UpstreamResponse, UpstreamError> => {
  switch (translation._tag) {
    case "Same":
      return Effect.succeed(response)
    case "Events": {
      const { headers, decoder } = translation
      const { status, nudge } = response
      return Effect.succeed({ status, headers, nudge, whole: undefined, body: decoded(response.body, decoder()) })
    }
    case "Whole":
      return Effect.map(readSome(response), (bytes) => {
        const { status, headers, body } = translation.translate(bytes)
        return { status, headers, nudge: () => {}, whole: body, body: Stream.make(body) }
      })
  }
}

const decoded = (body: UpstreamResponse["body"], decoder: EventDecoder): Stream.Stream<Uint8Array, UpstreamError> =>
  Stream.transformPull(body, (pull) => {
    let isBroken = false
    const next = Effect.flatMap(pull, (chunks) => {
      const events: Array<Uint8Array> = []
      for (const chunk of chunks) {
        const found = decoder.push(chunk)
        for (const event of found.events) events.push(event)
        isBroken = found.isBroken
        if (isBroken) break
      }
      return Effect.succeed(Arr.isArrayNonEmpty(events) ? events : nothingYet)
    })
    return Effect.succeed(Effect.suspend(() => (isBroken ? Effect.fail(Failure.cut("MALFORMED")) : next)))
  })

// So that a head can leave, and a nudged pull comes back.
const nothingYet: Arr.NonEmptyReadonlyArray<Uint8Array> = [new Uint8Array(0)]

/** An error answer that is read before it is passed on is not read further or longer than this. */
const wholeBytes = 64 * 1024
const wholeTime = "1 second"

/** The body of an error answer. What has come of it is enough: it was an error before, and still is. */
export const readSome = ({ whole, body }: UpstreamResponse): Effect.Effect<Uint8Array> => {
  if (whole !== undefined) return Effect.succeed(whole)
  const read: Array<Uint8Array> = []
  let size = 0
  return body.pipe(
    Stream.takeWhile(() => size < wholeBytes),
    Stream.runForEach((chunk) =>
      Effect.sync(() => {
        read.push(chunk)
        size += chunk.length
      })
    ),
    Effect.timeoutOption(wholeTime),
    Effect.ignore,
    Effect.map(() => Bytes.join(read))
  )
}
