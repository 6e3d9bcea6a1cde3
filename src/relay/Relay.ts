/** Brings an upstream's bytes to the client as they come, with the client's pace, and says how the answer ended. */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import * as Failure from "../domain/UpstreamError.ts"
import type { Dialect, OmittedEvent } from "../dialects/Dialect.ts"
import { EventGate } from "./EventGate.ts"
import * as Keepalive from "./Keepalive.ts"
import { SseTap } from "./SseTap.ts"

/**
 * Called at most once, with the failure if the answer was not complete, and whether it ended with an error event that says
 * that the upstream has failed. Not called if the client leaves before that.
 */
export type OnEnd = (failure: UpstreamError | undefined, isError: boolean) => void

/** An answer that is no stream of events. If it is cut it fails, so that the client's connection breaks too. */
export const bytes = (
  body: Stream.Stream<Uint8Array, UpstreamError>,
  onEnd: OnEnd,
  copy?: Copy
): Stream.Stream<Uint8Array, UpstreamError> =>
  Stream.transformPull(body, (pull) =>
    Effect.succeed(
      Effect.tapCause(copy === undefined ? pull : copied(pull, copy), (cause) =>
        Effect.sync(() => {
          const failure = failureOf(cause)
          if (failure !== undefined || Pull.isDoneCause(cause)) onEnd(failure, false)
        })
      )
    )
  )

/** Gets the chunks as they come, which are shared: they must not be changed. It must not throw, and waits for nothing. */
export type Copy = (chunk: Uint8Array) => void

export interface EventsOptions {
  readonly dialect: Dialect
  /** The event that is there only because the gateway asked for it, if there is one; all others pass. */
  readonly omitted: OmittedEvent | undefined
  /** The silence after which the dialect's keep-alive event is sent. */
  readonly keepaliveInterval: Duration.Duration
  readonly onEnd: OnEnd
  /** Of the upstream's answer, what the client must not see included. Default none. */
  readonly copy?: Copy | undefined
}

/**
 * A stream of server-sent events. Never fails: if it ends without its terminal event, for whatever reason, an error event in
 * the dialect's shape follows the last complete event.
 *
 * An event leaves as soon as it is complete. What has come of an incomplete one is held back (up to `EventGate.heldBytes`),
 * because half an event before the error would make the client stumble over the half instead of reading the error.
 */
export const events = (
  { body, nudge }: Answer,
  { dialect, omitted, keepaliveInterval, onEnd, copy }: EventsOptions
): Stream.Stream<Uint8Array> =>
  Stream.transformPull(body, (upstream, scope) =>
    Effect.flatMap(Keepalive.make, (keepalive) => {
      const tap = new SseTap(dialect)
      const gate = new EventGate(tap, omitted)
      const ping = dialect.keepalive
      let over = false
      let isComplete = false
      // A Node server holds a head back until the first write, be it of nothing.
      let headSent = false

      // With its last event the answer is complete, however long the upstream stays.
      const complete = (): void => {
        if (!isComplete) onEnd(undefined, tap.sawError)
        isComplete = true
      }
      const finish = (failure: UpstreamError | undefined): Events => {
        over = true
        if (failure === undefined) tap.end()
        if (tap.sawTerminal) {
          complete()
          return orDone(gate.takeHeld())
        }
        const ended = failure ?? Failure.cut("ENDED")
        onEnd(ended, false)
        return Effect.succeed(gate.interrupted(dialect.renderStreamError(ended.message)))
      }
      const next: Events = Effect.matchCauseEffect(upstream, {
        onSuccess: (chunks) => {
          if (copy !== undefined) for (const chunk of chunks) copy(chunk)
          const passed = gate.pass(chunks)
          if (tap.sawTerminal) complete()
          if (keepalive.takeDue() && ping !== undefined && gate.betweenEvents && !isComplete) passed.push(ping)
          if (!headSent && passed.length === 0) passed.push(noBytes)
          if (!Arr.isArrayNonEmpty(passed)) return next
          headSent = true
          keepalive.sent()
          return Effect.succeed(passed)
        },
        onFailure: (cause) => {
          const failure = failureOf(cause)
          if (failure !== undefined || Pull.isDoneCause(cause)) return finish(failure)
          return Effect.failCause(cause as Cause.Cause<never>)
        }
      })
      const pull: Events = Effect.suspend(() => {
        keepalive.wait()
        return over ? Cause.done() : next
      })
      const watched = ping === undefined ? Effect.void : keepalive.watch(keepaliveInterval, nudge, scope)
      return Effect.as(watched, pull)
    })
  )

/** The live part of an upstream's answer, see `UpstreamResponse`. */
export interface Answer {
  readonly body: Stream.Stream<Uint8Array, UpstreamError>
  readonly nudge: () => void
}

type Events = Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>>

const noBytes = new Uint8Array(0)

const copied = <E>(pull: Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, E>, copy: Copy) =>
  Effect.map(pull, (chunks) => {
    for (const chunk of chunks) copy(chunk)
    return chunks
  })

const orDone = (chunks: ReadonlyArray<Uint8Array>): Events =>
  Arr.isReadonlyArrayNonEmpty(chunks) ? Effect.succeed(chunks) : Cause.done()

const failureOf = (cause: Cause.Cause<UpstreamError | Cause.Done>): UpstreamError | undefined => {
  for (const reason of cause.reasons) {
    if (reason._tag === "Fail" && !Cause.isDone(reason.error)) return reason.error
  }
  return undefined
}
