/** The record of one interception from its start to its one end, whatever happens in between. */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { GatewayError } from "../domain/GatewayError.ts"
import type { EndReason } from "../domain/Interception.ts"
import * as Interception from "../domain/Interception.ts"
import type { InterceptionStarted } from "../domain/RecordEvent.ts"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import * as FailureLog from "./FailureLog.ts"
import type { Recorder } from "./Recorder.ts"

type Facts = Omit<InterceptionStarted, "_tag" | "id" | "at">

/**
 * Records the start at once and the end when the request's scope closes. If by then nobody has said how it ended, the client
 * has gone. An upstream that failed, or was left alone, is logged, too.
 */
export const begin = (
  recorder: Recorder["Service"],
  facts: Facts
): Effect.Effect<InterceptionLog, never, Scope.Scope> =>
  Effect.clockWith((clock) =>
    Effect.flatMap(Effect.scope, (scope) => {
      const log = new InterceptionLog(recorder, facts, clock)
      const started = recorder.record({
        _tag: "InterceptionStarted",
        id: log.id,
        at: clock.currentTimeMillisUnsafe(),
        ...facts
      })
      return Effect.as(
        Effect.andThen(
          started,
          Scope.addFinalizer(
            scope,
            Effect.suspend(() => log.end())
          )
        ),
        log
      )
    })
  )

export class InterceptionLog {
  readonly id = Interception.nextId()
  /** Kept up to date by the failover. */
  readonly progress: { attempts: number; credentialHint: string | undefined } = {
    attempts: 0,
    credentialHint: undefined
  }
  private readonly recorder: Recorder["Service"]
  private readonly facts: Facts
  private readonly clock: Clock.Clock
  private reason: EndReason = "client_gone"
  private failure: UpstreamError | GatewayError | undefined

  constructor(recorder: Recorder["Service"], facts: Facts, clock: Clock.Clock) {
    this.recorder = recorder
    this.facts = facts
    this.clock = clock
  }

  /** There was no answer to pass on; of the gateway's own refusals only a circuit breaker's comes so late. */
  failed(error: UpstreamError | GatewayError | { readonly _tag: "KeyPoolError" }): void {
    this.reason = error._tag === "UpstreamError" && isStopped(error) ? "stopped" : reasonOf[error._tag]
    if (error._tag !== "KeyPoolError") this.failure = error
  }

  /** The answer has been passed on; with a failure, up to there. */
  answered(failure: UpstreamError | undefined): void {
    this.reason = failure === undefined ? "complete" : isStopped(failure) ? "stopped" : "upstream_cut"
    this.failure = failure
  }

  end(): Effect.Effect<void> {
    const { id, reason, failure, progress } = this
    const at = this.clock.currentTimeMillisUnsafe()
    const ended = this.recorder.record({ _tag: "InterceptionEnded", id, at, reason, ...progress })
    if (failure === undefined) return ended
    const { credentialHint } = progress
    const facts = {
      provider: this.facts.provider,
      interception_id: id,
      ...(credentialHint !== undefined && { api_key_hint: credentialHint })
    }
    return Effect.andThen(FailureLog.log(failure, facts), ended)
  }
}

const isStopped = ({ reason }: UpstreamError): boolean => reason._tag === "Stopped"

const reasonOf = {
  UpstreamError: "upstream_error",
  KeyPoolError: "exhausted",
  GatewayError: "circuit_open"
} as const satisfies Record<string, EndReason>
