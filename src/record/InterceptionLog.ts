/** The record of one interception from its start to its one end, whatever happens in between. */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { GatewayError } from "../domain/GatewayError.ts"
import type { EndReason } from "../domain/Interception.ts"
import * as Interception from "../domain/Interception.ts"
import type { AttemptEnded, InterceptionStarted, RecordEvent } from "../domain/RecordEvent.ts"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import type { Answer } from "../domain/Usage.ts"
import * as FailureLog from "./FailureLog.ts"
import type { Recorder } from "./Recorder.ts"

type Facts = Omit<InterceptionStarted, "_tag" | "id" | "at">

/** What is recorded beside the facts. */
export interface Content {
  /** What the user has asked, if this request says it. */
  readonly prompt: string | undefined
}

/**
 * Records the start at once and everything else when the request's scope closes, the end last. If by then nobody has said how it
 * ended, the client has gone. An upstream that failed, or was left alone, is logged, too. If the start was not taken
 * nothing else is recorded.
 */
export const begin = (
  recorder: Recorder["Service"],
  facts: Facts,
  content: Content
): Effect.Effect<{ readonly log: InterceptionLog; readonly isTaken: boolean }, never, Scope.Scope> =>
  Effect.clockWith((clock) =>
    Effect.flatMap(Effect.scope, (scope) => {
      const log = new InterceptionLog(recorder, facts, content, clock)
      const at = clock.currentTimeMillisUnsafe()
      return Effect.flatMap(recorder.record({ _tag: "InterceptionStarted", id: log.id, at, ...facts }), (isTaken) =>
        Effect.as(
          Scope.addFinalizer(
            scope,
            Effect.suspend(() => log.end(isTaken))
          ),
          { log, isTaken }
        )
      )
    })
  )

export class InterceptionLog {
  readonly id = Interception.nextId()
  /** The status that the client is answered with, once it is known. */
  status: number | undefined
  /** Reads what the answer says of itself, as far as it has come; asked once, at the end. */
  readAnswer: (() => Answer) | undefined
  /** Kept up to date by the failover. */
  readonly progress: { attempts: number; credentialHint: string | undefined } = {
    attempts: 0,
    credentialHint: undefined
  }
  private readonly recorder: Recorder["Service"]
  private readonly facts: Facts
  private readonly content: Content
  private readonly clock: Clock.Clock
  private readonly attempts: Array<AttemptEnded> = []
  private reason: EndReason = "client_gone"
  private failure: UpstreamError | GatewayError | undefined

  constructor(recorder: Recorder["Service"], facts: Facts, content: Content, clock: Clock.Clock) {
    this.recorder = recorder
    this.facts = facts
    this.content = content
    this.clock = clock
  }

  /** An attempt, remembered with how it went as far as its head. */
  attempt<A extends { readonly status: number }, R>(
    send: Effect.Effect<A, UpstreamError, R>
  ): Effect.Effect<A, UpstreamError, R> {
    if (!this.recorder.keeps) return send
    return Effect.suspend(() => {
      const began = this.clock.currentTimeMillisUnsafe()
      return Effect.onExit(send, (exit) => Effect.sync(() => this.remember(exit, began)))
    })
  }

  private remember(exit: Exit.Exit<{ readonly status: number }, UpstreamError>, began: number): void {
    const { attempts, credentialHint = "" } = this.progress
    const at = this.clock.currentTimeMillisUnsafe()
    this.attempts.push({
      _tag: "AttemptEnded",
      interceptionId: this.id,
      at,
      number: attempts,
      credentialHint,
      status: Exit.isSuccess(exit) ? exit.value.status : undefined,
      failure: Exit.isSuccess(exit) ? undefined : codeOf(Cause.findErrorOption(exit.cause)),
      duration: at - began
    })
  }

  /** There was no answer to pass on; of the gateway's own refusals only a circuit breaker's comes so late. */
  failed(error: UpstreamError | GatewayError | { readonly _tag: "KeyPoolError" }): void {
    this.reason = (error._tag === "UpstreamError" && byTheGateway(error)) || reasonOf[error._tag]
    if (error._tag !== "KeyPoolError") this.failure = error
  }

  /** The answer has been passed on; with a failure, up to there. */
  answered(failure: UpstreamError | undefined): void {
    this.reason = failure === undefined ? "complete" : (byTheGateway(failure) ?? "upstream_cut")
    this.failure = failure
  }

  end(isTaken: boolean): Effect.Effect<void> {
    const told = this.failure === undefined ? Effect.void : this.tell(this.failure)
    if (!isTaken) return told
    return Effect.andThen(told, Effect.forEach(this.events(), this.recorder.record, { discard: true }))
  }

  private events(): ReadonlyArray<RecordEvent> {
    const { id, reason, status, progress, content, readAnswer } = this
    const at = this.clock.currentTimeMillisUnsafe()
    const ended: RecordEvent = { _tag: "InterceptionEnded", id, at, reason, status, ...progress, usageQuality: "none" }
    if (readAnswer === undefined) return [...this.attempts, ended]
    const { messageId, usage, quality, toolCalls, thoughts } = readAnswer()
    const of = { interceptionId: id, at, messageId }
    const events: Array<RecordEvent> = [...this.attempts]
    if (content.prompt !== undefined) events.push({ _tag: "PromptUsage", ...of, text: content.prompt })
    if (usage !== undefined && quality !== "none") events.push({ _tag: "TokenUsage", ...of, usage, quality })
    for (const call of toolCalls) events.push({ _tag: "ToolUsage", ...of, call, ...ofClient })
    for (const thought of thoughts) events.push({ _tag: "ModelThought", ...of, thought })
    events.push({ ...ended, usageQuality: quality })
    return events
  }

  private tell(failure: UpstreamError | GatewayError): Effect.Effect<void> {
    const { credentialHint } = this.progress
    return FailureLog.log(failure, {
      provider: this.facts.provider,
      interception_id: this.id,
      ...(credentialHint !== undefined && { api_key_hint: credentialHint })
    })
  }
}

const ofClient = { injected: false, serverUrl: undefined, error: undefined }

// Short and harmless. Nothing has failed if the client has left.
const codeOf = (error: Option.Option<UpstreamError>): string => {
  if (Option.isNone(error)) return "CLIENT_GONE"
  const { reason } = error.value
  switch (reason._tag) {
    case "Unreachable":
    case "Cut":
      return reason.code
    case "TimedOut":
      return "TIMED_OUT"
    case "Stopped":
      return "STOPPED"
    case "NoCredentials":
      return "NO_CREDENTIALS"
  }
}

// Whether the gateway itself has ended it.
const byTheGateway = ({ reason }: UpstreamError): EndReason | undefined => {
  if (reason._tag === "Stopped") return "shutdown"
  return reason._tag === "TimedOut" && reason.limit === "total" ? "timeout" : undefined
}

const reasonOf = {
  UpstreamError: "upstream_error",
  KeyPoolError: "exhausted",
  GatewayError: "circuit_open"
} as const satisfies Record<string, EndReason>
