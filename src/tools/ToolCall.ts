/** One call of a tool of the gateway's own, for the model: whatever goes wrong is told it in words. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { InjectedCall } from "../dialects/ToolTurns.ts"
import * as Json from "../domain/Json.ts"
import type { Invocation, ToolResult } from "../domain/ToolResult.ts"
import * as Tool from "../domain/ToolResult.ts"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import * as EarlyEnd from "../upstream/EarlyEnd.ts"
import type { UpstreamRequest } from "../upstream/Upstream.ts"
import type { InjectedTool } from "./ToolSources.ts"

export interface Limits {
  /** How long a call may take. */
  readonly timeout: Duration.Duration
  /** How large its result may be, in bytes of its JSON. */
  readonly maximumResultBytes: number
}

/** What has come of it, for the model and for whoever keeps records. */
export interface Outcome {
  readonly result: ToolResult
  /** Why there is no result of the tool's own, or what it says itself that went wrong. */
  readonly error: string | undefined
}

export interface Options extends Limits {
  readonly find: (id: string) => InjectedTool | undefined
  /** Told of each call; what it answers is told how that has ended. */
  readonly started: (call: Invocation) => (error: string | undefined) => void
  /** What ends the whole request meanwhile: its time limit, or that the gateway stops. */
  readonly request: Pick<UpstreamRequest, "whenStopped">
}

/** Runs the calls of one request. Fails only with what ends all of that. */
export const runner =
  (options: Options) =>
  (call: InjectedCall): Effect.Effect<ToolResult, UpstreamError> =>
    Effect.suspend(() => {
      const found = options.find(call.name)
      const { source, tool } = found ?? { source: undefined, tool: undefined }
      const { name: server = "unknown", url: serverUrl } = source ?? {}
      const ended = options.started({ call, tool: tool?.name ?? call.name, server, serverUrl })
      return Effect.scopedWith((scope) =>
        Effect.flatMap(EarlyEnd.register(options.request, scope), ({ wait }) =>
          Effect.raceFirst(run(call, found, options), wait)
        )
      ).pipe(
        Effect.onExit((exit) => Effect.sync(() => ended(Exit.isSuccess(exit) ? exit.value.error : "cancelled"))),
        Effect.map(({ result }) => result)
      )
    })

/** Never fails. Interrupting it cancels the call. */
const run = (
  { args, name }: InjectedCall,
  injected: InjectedTool | undefined,
  { timeout, maximumResultBytes }: Limits
): Effect.Effect<Outcome> => {
  if (injected === undefined) return Effect.succeed(failed(`Error: tool ${name} not found`))
  const given = args.trim() === "" ? {} : Json.parse(args)
  if (given === undefined)
    return Effect.succeed(failed("Error: the arguments are not JSON. Call the tool again with JSON."))
  return injected.tool.call(given).pipe(
    Effect.map((result) => withinLimit(result, maximumResultBytes)),
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () => Effect.succeed(failed(`Error: calling tool: no result within ${Duration.format(timeout)}`))
    }),
    Effect.catchTag("ToolError", ({ message }) => Effect.succeed(failed(`Error: calling tool: ${message}`))),
    Effect.catchCause((cause) =>
      Cause.hasInterrupts(cause)
        ? Effect.interrupt
        : Effect.as(
            Effect.logError("a tool has failed by a defect", cause).pipe(Effect.annotateLogs({ tool: name })),
            failed("Error: calling tool: internal error")
          )
    )
  )
}

const failed = (error: string): Outcome => ({ result: Tool.failed(error), error })

const withinLimit = (result: ToolResult, maximum: number): Outcome => {
  const text = Json.print(result)
  if (text === undefined) return failed("Error: the result is not JSON")
  const size = new TextEncoder().encode(text).length
  if (size > maximum) {
    return failed(`Error: the result has ${size} bytes, more than ${maximum}. Ask for less.`)
  }
  if (!result.isError) return { result, error: undefined }
  const [first] = result.content
  return { result, error: first?.type === "text" ? first.text : "the tool says that it has failed" }
}
