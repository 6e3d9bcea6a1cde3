/** One attempt upstream: a request out, the head and the live body of its answer back. */
import type * as Arr from "effect/Array"
import * as Channel from "effect/Channel"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { RequestHeaders, ResponseHeaders } from "../domain/HeaderRecord.ts"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import type { Timeouts } from "../providers/TimeLimits.ts"

/** One request as it goes out. */
export interface UpstreamRequest {
  readonly method: string
  /** Scheme, host and port. */
  readonly origin: string
  /** Path and query, as they go on the wire. */
  readonly path: string
  /** Without `host` and `content-length`, which the client sets. */
  readonly headers: RequestHeaders
  readonly body: Uint8Array | undefined
  /**
   * Registers what ends the exchange early, which may be called at once; what it answers unregisters it, when the exchange is
   * over. Before the head `send` then fails with the error, within a body the next pull does, after the chunks that have come;
   * the exchange is aborted. Default: nothing ends it but its scope.
   */
  readonly whenStopped?: WhenStopped | undefined
  /** In place of the client's own limits. */
  readonly timeouts?: Timeouts | undefined
}

export type WhenStopped = (stop: (error: UpstreamError) => void) => () => void

/** An answer: its head, and its body while it comes. */
export interface UpstreamResponse {
  readonly status: number
  readonly headers: ResponseHeaders
  /**
   * The bytes as they come; may be read once. Not reading stops the upstream, and ending the reading early aborts it. Fails
   * if the answer ends before it is complete. The first pull does not wait: while there is nothing yet it answers with an
   * empty chunk, so that the head can leave. A pull that is interrupted loses no bytes.
   */
  readonly body: Stream.Stream<Uint8Array, UpstreamError>
  /** Lets a pull of `body` that is waiting answer at once with an empty chunk, so that something else may be sent. */
  readonly nudge: () => void
  /** The whole body, if it arrived together with the head: short answers then need no stream. Use this or `body`. */
  readonly whole: Uint8Array | undefined
}

/** The way to the providers. */
export class Upstream extends Context.Service<
  Upstream,
  {
    /**
     * Sends the request once; never retries. Closing the scope aborts it at any point. A good answer is waited for up to
     * its first byte (at most `firstByteGrace`), so that an upstream that dies right after its head is still a failure
     * and not a broken stream.
     */
    readonly send: (request: UpstreamRequest) => Effect.Effect<UpstreamResponse, UpstreamError, Scope.Scope>
  }
>()("effect-aibridge/upstream/Upstream") {}

/** How long the head of a good answer is held back while its first byte is missing. Milliseconds. */
export const firstByteGrace = 250

/** A body of these pulls; `close` runs when its reading ends, early or not. */
export const bodyOf = (
  pull: Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, UpstreamError>,
  close: Effect.Effect<void>
): Stream.Stream<Uint8Array, UpstreamError> =>
  Stream.fromChannel(Channel.fromTransform((_: unknown, scope) => Effect.as(Scope.addFinalizer(scope, close), pull)))
