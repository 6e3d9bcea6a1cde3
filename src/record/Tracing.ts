/** Interceptions as spans, with the attributes of OpenTelemetry's conventions for generative AI. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Headers from "effect/http/Headers"
import * as HttpTraceContext from "effect/http/HttpTraceContext"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import type { RequestHeaders } from "../domain/HeaderRecord.ts"
import type { EndReason } from "../domain/Interception.ts"
import type { InterceptionStarted, RecordEvent } from "../domain/RecordEvent.ts"
import type { Answer } from "../domain/Usage.ts"
import * as GenAi from "./GenAi.ts"

/** Instants are nanoseconds since the epoch. */
export interface Tracing {
  /** What a request belongs to: the span that is there, or else the one that the client names (W3C Trace Context). */
  readonly parentOf: (headers: RequestHeaders) => Effect.Effect<Tracer.AnySpan | undefined>
  readonly interception: (start: Start) => Trace
  /** The span of a request that is passed through, until its scope closes. Answers its `traceparent`. */
  readonly passthrough: (start: PassthroughStart) => Effect.Effect<string, never, Scope.Scope>
}

export interface Start {
  readonly id: string
  readonly facts: Omit<InterceptionStarted, "_tag" | "id" | "at">
  readonly parent: Tracer.AnySpan | undefined
  readonly arrived: bigint
  readonly now: bigint
}

export interface PassthroughStart {
  /** Without a query, which may hold a secret. */
  readonly path: string
  readonly upstreamUrl: string
  readonly method: string
  readonly provider: string
  readonly headers: RequestHeaders
  readonly arrived: bigint
}

/** The spans of one interception: `Intercept`, and what is in it. */
export interface Trace {
  /** The next attempt: `Intercept.ProcessRequest.Upstream`. The last one ends with the trace, if it has not before. */
  readonly attempt: (number: number, credentialHint: string, now: bigint) => Span
  /** A call of a tool of the gateway's own: `Intercept.ProcessRequest.ToolCall`. */
  readonly toolCall: (call: ToolCallStart, now: bigint) => Span
  readonly recorded: (event: RecordEvent, now: bigint) => void
  readonly end: (end: End, now: bigint) => void
}

export interface ToolCallStart {
  readonly tool: string
  readonly server: string
  readonly serverUrl: string | undefined
  /** JSON text, of which the span has no more than the beginning. */
  readonly args: string
}

export interface End {
  readonly reason: EndReason
  readonly status: number | undefined
  /** Why it has failed; `undefined` if it has not. */
  readonly errorType: string | undefined
  readonly answer: Answer | undefined
}

export interface Span {
  /** For the header of that name (W3C Trace Context). */
  readonly traceparent: string
  /** Only the first time counts. @param errorType why it has failed, if it has */
  readonly end: (status: number | undefined, errorType: string | undefined, now: bigint) => void
}

/** `undefined` if there is no tracer but Effect's own, whose spans nobody sees: then nothing is done for any. */
export const make: Effect.Effect<Tracing | undefined> = Effect.gen(function* () {
  const tracer = yield* Tracer.Tracer
  if (tracer === Tracer.nativeTracer) return undefined

  const begin = (
    name: string,
    kind: Tracer.SpanKind,
    parent: Tracer.AnySpan | undefined,
    startTime: bigint,
    attributes: Attributes
  ): Tracer.Span => {
    const span = tracer.span({
      name,
      kind,
      parent: Option.fromUndefinedOr(parent),
      startTime,
      annotations: Context.empty(),
      links: [],
      root: parent === undefined,
      sampled: parent?.sampled ?? true
    })
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) span.attribute(key, value)
    return span
  }

  const interception = ({ id, facts, parent, arrived, now }: Start): Trace => {
    const set = interceptionSet(id, facts)
    const whole = begin("Intercept", "server", parent, arrived, { ...set, ...genAiRequest(facts) })
    begin("Intercept.CreateInterceptor", "internal", whole, arrived, set).end(now, Exit.void)
    const processing = begin("Intercept.ProcessRequest", "internal", whole, now, set)
    let attempt: Span | undefined
    return {
      attempt: (number, credentialHint, at) => {
        const span = begin("Intercept.ProcessRequest.Upstream", "client", processing, at, {
          ...set,
          ...genAiRequest(facts),
          attempt: number,
          credential_hint: credentialHint
        })
        return (attempt = toSpan(span))
      },
      toolCall: ({ tool, server, serverUrl, args }, at) =>
        toSpan(
          begin("Intercept.ProcessRequest.ToolCall", "internal", processing, at, {
            ...set,
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": tool,
            mcp_tool_name: tool,
            mcp_server_name: server,
            mcp_server_url: serverUrl,
            mcp_input: args.slice(0, 100)
          })
        ),
      recorded: (event, at) => {
        const name = recordSpans[event._tag]
        if (name !== undefined) begin(name, "internal", whole, at, set).end(at, Exit.void)
      },
      end: ({ reason, status, errorType, answer }, at) => {
        for (const [key, value] of Object.entries({ ...genAiAnswer(answer), end_reason: reason })) {
          if (value !== undefined) whole.attribute(key, value)
        }
        attempt?.end(status, errorType, at)
        finish(processing, undefined, errorType, at)
        finish(whole, status, errorType, at)
      }
    }
  }

  const passthrough: Tracing["passthrough"] = ({ path, upstreamUrl, method, provider, headers, arrived }) =>
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const span = toSpan(
        begin("Passthrough", "server", yield* parentOf(headers), arrived, {
          passthrough_url: path,
          passthrough_upstream_url: upstreamUrl,
          passthrough_method: method,
          provider
        })
      )
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => span.end(undefined, undefined, clock.currentTimeNanosUnsafe()))
      )
      return span.traceparent
    })

  return { parentOf, interception, passthrough }
})

const parentOf = (headers: RequestHeaders): Effect.Effect<Tracer.AnySpan | undefined> =>
  Effect.map(Effect.serviceOption(Tracer.ParentSpan), (current) =>
    Option.getOrUndefined(
      Option.orElse(current, () => HttpTraceContext.w3c(Headers.fromRecordUnsafe(definedIn(headers))))
    )
  )

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

const toSpan = (span: Tracer.Span): Span => {
  let isOver = false
  return {
    traceparent: HttpTraceContext.toHeaders(span)["traceparent"] ?? "",
    end: (status, errorType, now) => {
      if (!isOver) finish(span, status, errorType, now)
      isOver = true
    }
  }
}

const finish = (span: Tracer.Span, status: number | undefined, errorType: string | undefined, now: bigint): void => {
  if (status !== undefined) span.attribute("http.response.status_code", status)
  if (errorType !== undefined) span.attribute("error.type", errorType)
  span.end(now, errorType === undefined ? Exit.void : Exit.fail(errorType))
}

const interceptionSet = (id: string, facts: Start["facts"]): Attributes => ({
  request_path: `/${facts.provider}${facts.endpoint}`,
  interception_id: id,
  user_id: facts.actor.id,
  provider: facts.provider,
  model: facts.model,
  streaming: facts.stream,
  aws_bedrock: facts.providerType === "bedrock"
})

const genAiRequest = (facts: Start["facts"]): Attributes => ({
  "gen_ai.operation.name": GenAi.operation,
  "gen_ai.provider.name": GenAi.providerOf(facts),
  "gen_ai.request.model": facts.model,
  "gen_ai.conversation.id": facts.clientSessionId
})

const genAiAnswer = (answer: Answer | undefined): Attributes => {
  if (answer === undefined) return {}
  const { messageId, usage } = answer
  return {
    "gen_ai.response.id": messageId,
    ...(usage !== undefined && {
      "gen_ai.usage.input_tokens": GenAi.inputOf(usage),
      "gen_ai.usage.output_tokens": usage.output,
      "gen_ai.usage.cache_read.input_tokens": usage.cacheRead,
      "gen_ai.usage.cache_creation.input_tokens": usage.cacheWrite
    })
  }
}

// An attempt has a span already.
const recordSpans: Readonly<Record<RecordEvent["_tag"], string | undefined>> = {
  InterceptionStarted: "Intercept.RecordInterception",
  AttemptEnded: undefined,
  PromptUsage: "Intercept.RecordPromptUsage",
  TokenUsage: "Intercept.RecordTokenUsage",
  ToolUsage: "Intercept.RecordToolUsage",
  ModelThought: "Intercept.RecordModelThought",
  InterceptionEnded: "Intercept.RecordInterceptionEnded"
}

const definedIn = (headers: RequestHeaders): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined))
