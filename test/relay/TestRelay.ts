/** A relay of events without a gateway: the bytes that come out, and how it ended. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { UpstreamError } from "../../src/domain/UpstreamError.ts"
import * as Relay from "../../src/relay/Relay.ts"
import type { StreamFixture } from "../fixtures/StreamFixture.ts"
import * as Splits from "../Splits.ts"

export interface Relayed {
  readonly bytes: Uint8Array
  /** `complete` or a failure's message, once for every time the relay said that it has ended. */
  readonly ends: ReadonlyArray<string>
}

/** Relays these chunks, each in a pull of its own or all in one, and then the failure if there is one. */
export const run = (
  { dialect, omitted }: Pick<StreamFixture, "dialect" | "omitted">,
  chunks: ReadonlyArray<Uint8Array>,
  options: { readonly failure?: UpstreamError | undefined; readonly together?: boolean } = {}
): Effect.Effect<Relayed> =>
  Effect.suspend(() => {
    const { failure, together = false } = options
    const ends: Array<string> = []
    const body = Stream.fromIterable(chunks).pipe(together ? (stream) => stream : Stream.rechunk(1))
    const failing = failure === undefined ? body : Stream.concat(body, Stream.fail(failure))
    const relayed = Relay.events(
      { body: failing, nudge: () => {} },
      {
        dialect,
        omitted,
        keepaliveInterval: Duration.seconds(10),
        onEnd: (error) => ends.push(error === undefined ? "complete" : error.message)
      }
    )
    return Effect.map(Stream.runCollect(relayed), (all) => ({ bytes: Splits.concat(all), ends }))
  })
