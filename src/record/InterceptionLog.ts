/** The record of one interception from its start to its one end, whatever happens in between. */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { EndReason } from "../domain/Interception.ts"
import * as Interception from "../domain/Interception.ts"
import type { InterceptionEnded, InterceptionStarted } from "../domain/RecordEvent.ts"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import type { Recorder } from "./Recorder.ts"

export interface InterceptionLog {
  readonly id: string
  /** Kept up to date by the failover. */
  readonly progress: Pick<Mutable<InterceptionEnded>, "attempts" | "credentialHint">
  /** There was no answer to pass on. */
  readonly failed: (error: UpstreamError | { readonly _tag: "KeyPoolError" }) => void
  /** The answer has been passed on; with a failure, up to there. */
  readonly answered: (failure: UpstreamError | undefined) => void
}

/**
 * Records the start at once and the end when the request's scope closes. If by then nobody has said how it ended, the client
 * has gone. An upstream that failed is logged, too.
 */
export const begin = (
  recorder: Recorder["Service"],
  facts: Omit<InterceptionStarted, "_tag" | "id" | "at">
): Effect.Effect<InterceptionLog, never, Scope.Scope> =>
  Effect.gen(function* () {
    const clock = yield* Effect.clockWith(Effect.succeed)
    const scope = yield* Effect.scope
    const id = Interception.nextId()
    const progress: InterceptionLog["progress"] = { attempts: 0, credentialHint: undefined }
    let reason: EndReason | undefined
    let failure: UpstreamError | undefined

    yield* recorder.record({ _tag: "InterceptionStarted", id, at: clock.currentTimeMillisUnsafe(), ...facts })
    yield* Scope.addFinalizer(
      scope,
      Effect.suspend(() => {
        const ended = recorder.record({
          _tag: "InterceptionEnded",
          id,
          at: clock.currentTimeMillisUnsafe(),
          reason: reason ?? "client_gone",
          ...progress
        })
        return failure === undefined ? ended : Effect.andThen(logFailure(failure, facts.provider, id, progress), ended)
      })
    )
    return {
      id,
      progress,
      failed: (error) => {
        reason = error._tag === "KeyPoolError" ? "exhausted" : "upstream_error"
        if (error._tag === "UpstreamError") failure = error
      },
      answered: (error) => {
        reason = error === undefined ? "complete" : "upstream_cut"
        failure = error
      }
    }
  })

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

const logFailure = (
  error: UpstreamError,
  provider: string,
  id: string,
  progress: InterceptionLog["progress"]
): Effect.Effect<void> =>
  Effect.logWarning(error.message).pipe(
    Effect.annotateLogs({
      provider,
      interception_id: id,
      api_key_hint: progress.credentialHint,
      ...("code" in error.reason && { code: error.reason.code })
    })
  )
