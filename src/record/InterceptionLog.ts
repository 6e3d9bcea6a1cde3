/** What is known of one interception from its start to its one end, for whoever watches: records, metrics, traces, the log. */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { AnySpan } from "effect/Tracer"
import * as GatewayError from "../domain/GatewayError.ts"
import type { EndReason } from "../domain/Interception.ts"
import * as Interception from "../domain/Interception.ts"
import type { AttemptEnded, InterceptionStarted, RecordEvent } from "../domain/RecordEvent.ts"
import type { Invocation } from "../domain/ToolResult.ts"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import type { Answer } from "../domain/Usage.ts"
import { together } from "../domain/Usage.ts"
import * as FailureLog from "./FailureLog.ts"
import type { InterceptionMetrics, Meter } from "./InterceptionMetrics.ts"
import type { Recorder } from "./Recorder.ts"
import type { Span, Trace, Tracing } from "./Tracing.ts"

type Facts = Omit<InterceptionStarted, "_tag" | "id" | "at">

/** Who watches. */
export interface Watchers {
  readonly recorder: Recorder["Service"]
  /** What becomes of a request whose start the recorder does not take. */
  readonly recordFailure: "refuse" | "continue"
  readonly metrics: InterceptionMetrics
  readonly tracing: Tracing | undefined
}

/** The request, as it arrived. */
export interface Arrival {
  /** Nanoseconds since the epoch. */
  readonly at: bigint
  /** How long its body took to come, in nanoseconds. */
  readonly receiving: bigint
  /** What its spans belong to. */
  readonly parent: AnySpan | undefined
  /** What the user has asked, if this request says it. */
  readonly prompt: string | undefined
}

/**
 * Records the start at once and everything else when the request's scope closes, the end last. If by then nobody has said how it
 * ended, the client has gone. An upstream that failed, or was left alone, is logged, too. If the start was not taken
 * nothing else is recorded, or it fails with `NotRecorded`, as `recordFailure` says.
 */
export const begin = (
  watchers: Watchers,
  facts: Facts,
  arrival: Arrival
): Effect.Effect<InterceptionLog, GatewayError.GatewayError, Scope.Scope> =>
  Effect.clockWith((clock) =>
    Effect.flatMap(Effect.scope, (scope) => {
      const { recorder, recordFailure } = watchers
      const at = clock.currentTimeMillisUnsafe()
      const id = Interception.nextId(at)
      const start: RecordEvent = { _tag: "InterceptionStarted", id, at, ...facts }
      return Effect.flatMap(recorder.record(start), (isTaken) => {
        if (!isTaken && recordFailure === "refuse") return notRecorded
        const log = new InterceptionLog(watchers, start, arrival, clock, isTaken)
        return Effect.as(Scope.addFinalizer(scope, log.end), log)
      })
    })
  )

const notRecorded = Effect.fail(GatewayError.make(new GatewayError.NotRecorded({})))

export class InterceptionLog {
  readonly id: string
  /** Whether a tool is the gateway's own: calls of those are told by `invoked`. */
  isInjected: ((tool: string) => boolean) | undefined
  /** Kept up to date by the failover. */
  readonly progress: { attempts: number; credentialHint: string | undefined; isAbandoned: boolean } = {
    attempts: 0,
    credentialHint: undefined,
    isAbandoned: false
  }
  private readonly watchers: Watchers
  private readonly start: InterceptionStarted
  private readonly arrival: Arrival
  private readonly clock: Clock.Clock
  private readonly isTaken: boolean
  private readonly meter: Meter
  private readonly trace: Trace | undefined
  private readonly attempts: Array<AttemptEnded> = []
  private readonly answers: Array<() => Answer> = []
  private readonly invocations: Array<InvocationEnded> = []
  // The answer that comes now, as a span.
  private comes: { readonly span: Span; readonly status: number | undefined } | undefined
  private status: number | undefined
  private reason: EndReason = "client_gone"
  private failure: UpstreamError | GatewayError.GatewayError | undefined
  private isError = false
  private hasEnded = false
  // In nanoseconds: how long upstreams and tools were waited for, and when the first byte of its answer came.
  private waited = 0n
  private firstByteAt: bigint | undefined

  constructor(watchers: Watchers, start: InterceptionStarted, arrival: Arrival, clock: Clock.Clock, isTaken: boolean) {
    this.id = start.id
    this.watchers = watchers
    this.start = start
    this.arrival = arrival
    this.clock = clock
    this.isTaken = isTaken
    this.meter = watchers.metrics.began(start)
    this.trace = watchers.tracing?.interception({
      id: start.id,
      facts: start,
      parent: arrival.parent,
      arrived: arrival.at,
      now: clock.currentTimeNanosUnsafe()
    })
    if (isTaken && watchers.recorder.keeps) this.trace?.recorded(start, clock.currentTimeNanosUnsafe())
  }

  /**
   * An attempt, remembered with how it went as far as its head.
   *
   * @param send gets the `traceparent` of the attempt's span, if there is one
   */
  attempt<A extends { readonly status: number }, R>(
    send: (traceparent: string | undefined) => Effect.Effect<A, UpstreamError, R>
  ): Effect.Effect<A, UpstreamError, R> {
    return Effect.suspend(() => {
      const { attempts, credentialHint = "" } = this.progress
      const at = this.clock.currentTimeMillisUnsafe()
      const began = this.clock.currentTimeNanosUnsafe()
      this.endAnswer(began)
      const span = this.trace?.attempt(attempts, credentialHint, began)
      return Effect.onExit(send(span?.traceparent), (exit) =>
        Effect.sync(() => {
          const now = this.clock.currentTimeNanosUnsafe()
          this.waited += now - began
          const failure = Exit.isSuccess(exit) ? undefined : codeOf(Cause.findErrorOption(exit.cause))
          const status = Exit.isSuccess(exit) ? exit.value.status : undefined
          if (failure !== undefined) span?.end(undefined, failure, now)
          else if (status !== undefined && status >= 400) span?.end(status, String(status), now)
          else if (span !== undefined) this.comes = { span, status }
          if (this.watchers.recorder.keeps) this.remember(at, status, failure)
        })
      )
    })
  }

  // What comes after an answer, with tools of the gateway's own, ends it.
  private endAnswer(now: bigint): void {
    this.comes?.span.end(this.comes.status, undefined, now)
    this.comes = undefined
  }

  private remember(began: number, status: number | undefined, failure: string | undefined): void {
    const { attempts, credentialHint = "" } = this.progress
    const at = this.clock.currentTimeMillisUnsafe()
    this.attempts.push({
      _tag: "AttemptEnded",
      interceptionId: this.id,
      at,
      number: attempts,
      credentialHint,
      status,
      failure,
      duration: at - began
    })
  }

  /** The client is answered with this status from now on. */
  answering(status: number): void {
    if (this.progress.isAbandoned) return
    this.status = status
    const passed = this.clock.currentTimeNanosUnsafe() - this.arrival.at
    this.meter.overhead(seconds(passed - this.arrival.receiving - this.waited))
  }

  /** Another upstream answer comes, what it says of itself to be asked once, at the end: as far as it has come then. */
  reads(answer: () => Answer): void {
    this.answers.push(answer)
  }

  /** A tool of the gateway's own is called. To be told how that has ended: with an error, if there is one. */
  invoked(invocation: Invocation): (error: string | undefined) => void {
    const { tool, server, serverUrl, call } = invocation
    const began = this.clock.currentTimeNanosUnsafe()
    this.endAnswer(began)
    const span = this.trace?.toolCall({ tool, server, serverUrl, args: call.args }, began)
    const answer = this.answers.length - 1
    return (error) => {
      const now = this.clock.currentTimeNanosUnsafe()
      this.waited += now - began
      span?.end(undefined, error === undefined ? undefined : "tool_error", now)
      this.meter.invoked(serverUrl ?? server, tool)
      const at = this.clock.currentTimeMillisUnsafe()
      if (this.invocations.length < maximumInvocations) this.invocations.push({ invocation, answer, at, error })
    }
  }

  /** A part of the answer has come. */
  readonly received = (): void => {
    this.firstByteAt ??= this.clock.currentTimeNanosUnsafe()
  }

  /** Whether all of the answer has been passed on, or there was none. */
  readonly isOver = (): boolean => this.hasEnded

  /** Nobody waits any more: what comes now is no longer an answer, but still has its usage. */
  readonly clientLeft = (): void => {
    this.progress.isAbandoned = true
  }

  /** There was no answer to pass on; of the gateway's own refusals only a circuit breaker's comes so late. */
  failed(error: UpstreamError | GatewayError.GatewayError | { readonly _tag: "KeyPoolError" }): void {
    if (this.hasEnded) return
    this.over((error._tag === "UpstreamError" && byTheGateway(error)) || reasonOf[error._tag])
    if (error._tag !== "KeyPoolError") this.failure = error
  }

  /** The answer has been passed on; with a failure, up to there. @param isError whether it says itself that the upstream has failed */
  answered(failure: UpstreamError | undefined, isError = false): void {
    if (this.hasEnded) return
    this.over(failure === undefined ? "complete" : (byTheGateway(failure) ?? "upstream_cut"))
    this.failure = failure
    this.isError = isError
  }

  // Only the first time counts: of an answer that has failed an error event is still passed on.
  private over(reason: EndReason): void {
    this.hasEnded = true
    if (!this.progress.isAbandoned) this.reason = reason
  }

  readonly end: Effect.Effect<void> = Effect.suspend(() => {
    const { recorder } = this.watchers
    const answers = this.answers.map((read) => this.clientsOwn(read()))
    const answer = together(answers)
    this.measure(answer)
    const told = this.failure === undefined ? Effect.void : this.tell(this.failure)
    const isRecorded = this.isTaken && recorder.keeps
    const events = isRecorded ? this.events(answers, answer) : []
    const now = this.clock.currentTimeNanosUnsafe()
    if (this.trace !== undefined) for (const event of events) this.trace.recorded(event, now)
    this.trace?.end({ reason: this.reason, status: this.status, errorType: this.errorType, answer }, now)
    return isRecorded ? Effect.andThen(told, Effect.forEach(events, recorder.record, { discard: true })) : told
  })

  private measure(answer: Answer | undefined): void {
    const since = (instant: bigint): number => seconds(instant - this.arrival.at)
    this.meter.ended({
      duration: since(this.clock.currentTimeNanosUnsafe()),
      timeToFirstByte: this.firstByteAt === undefined ? undefined : since(this.firstByteAt),
      errorType: this.errorType,
      attempts: this.progress.attempts,
      hasPrompt: answer !== undefined && (this.arrival.prompt ?? "") !== "",
      answer
    })
  }

  // Why it has failed, in a word: an error of the upstream's is one, too.
  private get errorType(): string | undefined {
    const { reason, status = 0 } = this
    if (reason !== "complete") return reason
    if (status >= 400) return String(status)
    return this.isError ? "upstream_error" : undefined
  }

  // What is left of the calls once those of the gateway's own tools are gone.
  private clientsOwn(answer: Answer): Answer {
    const { isInjected } = this
    if (isInjected === undefined) return answer
    return { ...answer, toolCalls: answer.toolCalls.filter(({ name }) => !isInjected(name)) }
  }

  private events(answers: ReadonlyArray<Answer>, all: Answer | undefined): ReadonlyArray<RecordEvent> {
    const { id, reason, status, arrival } = this
    const { attempts, credentialHint } = this.progress
    const at = this.clock.currentTimeMillisUnsafe()
    const events: Array<RecordEvent> = [...this.attempts]
    const ids = { interceptionId: id, at }
    if (all !== undefined && arrival.prompt !== undefined)
      events.push({ _tag: "PromptUsage", ...ids, messageId: all.messageId, text: arrival.prompt })
    for (const { messageId, usage, quality, toolCalls, thoughts } of answers) {
      const of = { ...ids, messageId }
      if (usage !== undefined && quality !== "none") events.push({ _tag: "TokenUsage", ...of, usage, quality })
      for (const call of toolCalls) events.push({ _tag: "ToolUsage", ...of, call, ...ofClient })
      for (const thought of thoughts) events.push({ _tag: "ModelThought", ...of, thought })
    }
    for (const { invocation, answer, at: ended, error } of this.invocations) {
      const { call, tool, serverUrl } = invocation
      const of = { interceptionId: id, at: ended, messageId: answers[answer]?.messageId }
      events.push({ _tag: "ToolUsage", ...of, call: { ...call, name: tool }, injected: true, serverUrl, error })
    }
    const usageQuality = all?.quality ?? "none"
    events.push({ _tag: "InterceptionEnded", id, at, reason, status, attempts, credentialHint, usageQuality })
    return events
  }

  private tell(failure: UpstreamError | GatewayError.GatewayError): Effect.Effect<void> {
    const { credentialHint } = this.progress
    return FailureLog.log(failure, {
      provider: this.start.provider,
      interception_id: this.id,
      ...(credentialHint !== undefined && { api_key_hint: credentialHint })
    })
  }
}

interface InvocationEnded {
  readonly invocation: Invocation
  /** The place of the answer that has called it. */
  readonly answer: number
  readonly at: number
  readonly error: string | undefined
}

/** How many are kept of one interception. */
const maximumInvocations = 200

const seconds = (nanos: bigint): number => Math.max(0, Number(nanos)) / 1e9

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
