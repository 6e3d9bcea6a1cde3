/**
 * Reads the configuration again while the gateway runs: providers, keys and what holds for callers are swapped, requests under
 * way finish on what they started with. A configuration that is wrong changes nothing.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { Providers } from "../providers/Providers.ts"
import type { CircuitBreakers } from "../upstream/CircuitBreakers.ts"
import { tokenProblem } from "./AdminConfig.ts"
import type { Callers } from "./Callers.ts"
import * as Changes from "./ConfigChanges.ts"
import type { ConfigFiles } from "./ConfigFiles.ts"
import type * as ConfigSource from "./ConfigSource.ts"
import type { ProviderSet } from "./ProviderSet.ts"
import * as ProviderSets from "./ProviderSet.ts"
import * as ReloadMetrics from "./ReloadMetrics.ts"
import type { ServiceConfig } from "./ServiceConfig.ts"
import * as Config from "./ServiceConfig.ts"

/** Where the configuration stands. */
export interface Source extends Pick<ConfigSource.Options, "environment" | "file"> {
  readonly files: ConfigFiles
  /** Asks to read it again whenever it says something: what it says is the trigger in the log. */
  readonly signals: Stream.Stream<string>
}

/** How a reload went. */
export type Outcome =
  | {
      readonly _tag: "Applied"
      /** What is another one now; nothing if nothing was changed. */
      readonly changes: ReadonlyArray<string>
      /** The settings that have changed, too, but hold from the next start on. */
      readonly needRestart: ReadonlyArray<string>
      readonly warnings: ReadonlyArray<string>
    }
  | {
      readonly _tag: "Refused"
      /** Each with the setting's name, and never with a secret. */
      readonly problems: ReadonlyArray<string>
    }

export class Reload extends Context.Service<
  Reload,
  {
    /**
     * One at a time. Never fails: how it went is logged, counted and answered.
     *
     * @param trigger what has asked for it, for the log
     */
    readonly reload: (trigger: string) => Effect.Effect<Outcome>
    /** The configuration as it holds. */
    readonly config: () => ServiceConfig
    /** The last reload, if there was one. `at` is in epoch milliseconds. */
    readonly last: () => { readonly at: number; readonly outcome: Outcome } | undefined
  }
>()("effect-aibridge/service/Reload") {}

export interface Options {
  /** As it holds at start, simulated providers included. */
  readonly config: ServiceConfig
  readonly set: ProviderSet
  readonly providers: Providers["Service"]
  readonly callers: Callers
  readonly breakers: CircuitBreakers["Service"]
  /** None: the configuration cannot be read again. */
  readonly source: Source | undefined
  /** If the providers are simulated ones, which no configuration names: puts them into one. */
  readonly simulated: ((config: ServiceConfig) => ServiceConfig) | undefined
}

export const make = Effect.fn("Reload.make")(function* (
  options: Options
): Effect.fn.Return<Reload["Service"], never, Scope.Scope> {
  const { providers, callers, breakers, source } = options
  const scope = yield* Effect.scope
  const turn = yield* Semaphore.make(1)
  let { config, set, simulated } = options
  let last: ReturnType<Reload["Service"]["last"]>
  yield* ReloadMetrics.loaded(yield* Clock.currentTimeMillis)

  const apply = Effect.fnUntraced(function* (found: ServiceConfig) {
    const next = { ...found, ...Changes.ofStart(config) }
    const stillSimulated = found.providers.length === 0 ? simulated : undefined
    const applied = stillSimulated === undefined ? next : stillSimulated(next)
    const problem = problemOf(applied, config)
    if (problem !== undefined) return refused(problem)
    const made = yield* ProviderSets.make(applied, set)
    const before = { config, set }
    yield* providers.replace(made.map(({ provider }) => provider))
    yield* callers.replace(applied)
    config = applied
    set = made
    simulated = stillSimulated
    yield* Effect.forEach(Changes.withOtherCircuits(before.set, made), breakers.forget, { discard: true })
    yield* Effect.provideService(ProviderSets.checkChains(made, before.set), Scope.Scope, scope)
    const outcome: Outcome = {
      _tag: "Applied",
      changes: [
        ...Changes.ofProviders(before.set, made),
        ...Changes.differences(Changes.ofCallers(before.config), Changes.ofCallers(applied))
      ],
      needRestart: Changes.differences(Changes.flat(Changes.ofStart(config)), Changes.flat(Changes.ofStart(found))),
      warnings: applied.warnings
    }
    return outcome
  })

  const reload = (trigger: string): Effect.Effect<Outcome> =>
    (source === undefined ? Effect.succeed(unreadable) : Effect.flatMap(read(source), apply)).pipe(
      Effect.catchTags({
        InvalidConfig: ({ problems }) => Effect.succeed(refused(...problems)),
        InvalidKeys: ({ message }) => Effect.succeed(refused(message)),
        InvalidProvider: ({ message }) => Effect.succeed(refused(message))
      }),
      // A defect must not be the end of all reloads.
      Effect.catchDefect((defect) =>
        Effect.as(
          Effect.logError("reload failed by a defect", Cause.die(defect)),
          refused("internal error: see the log; what part of it was applied is not known, start the gateway again")
        )
      ),
      Effect.tap((outcome) =>
        Effect.flatMap(Clock.currentTimeMillis, (at) => {
          last = { at, outcome }
          return report(outcome, at)
        })
      ),
      Effect.annotateLogs({ trigger }),
      Effect.uninterruptible,
      turn.withPermit,
      Effect.withSpan("Reload.reload")
    )

  return { reload, config: () => config, last: () => last }
})

/** Reloads whenever it is asked to, and a second or two after files of the configuration have changed. Runs until it is interrupted. */
export const whenAsked = ({ files, signals }: Source, { reload }: Reload["Service"]): Effect.Effect<void> => {
  const changes = Stream.fromSchedule(Schedule.spaced("1 second")).pipe(
    Stream.filter(() => files.haveChanged()),
    Stream.map(() => "file")
  )
  return Stream.runForEach(Stream.merge(changes, signals), reload)
}

const read = (source: Source) =>
  Effect.suspend(() => {
    source.files.forget()
    return Config.load({ ...source, readFile: source.files.readFile })
  })

const refused = (...problems: ReadonlyArray<string>): Outcome => ({ _tag: "Refused", problems })

const unreadable = refused("this gateway was started by a program that keeps its settings: they stand nowhere")

// What a start with the settings that are read would have refused with those that hold, and what only a start may do.
const problemOf = ({ providers, tokens, admin }: ServiceConfig, before: ServiceConfig): string | undefined => {
  if (providers.length === 0) return "providers: none is left; stop the gateway, or start it again for simulated ones"
  if (tokens.length === 0 && before.tokens.length > 0) {
    return "tokens: none is left, which would open the gateway to everybody who reaches it; that takes a restart"
  }
  const secrets = providers.flatMap(Config.secretsOf)
  const problem = admin.token && tokenProblem(admin.token, { tokens, secrets })
  return problem === undefined ? undefined : `adminToken: the one that holds until a restart ${problem}`
}

const report = (outcome: Outcome, now: number): Effect.Effect<void> => {
  if (outcome._tag === "Refused") {
    const title = Effect.logError("configuration not reloaded: the one before goes on")
    const problems = Effect.forEach(outcome.problems, (problem) => Effect.logError(problem), { discard: true })
    return title.pipe(Effect.andThen(problems), Effect.andThen(ReloadMetrics.refused))
  }
  const { changes, needRestart, warnings } = outcome
  const all = [...needRestart.map((name) => `${name} has changed: that takes a restart`), ...warnings]
  return Effect.annotateLogs(Effect.logInfo("configuration reloaded"), {
    changes: changes.length === 0 ? "none" : changes.join(", ")
  }).pipe(
    Effect.andThen(Effect.forEach(all, (warning) => Effect.logWarning(warning), { discard: true })),
    Effect.andThen(ReloadMetrics.applied(now))
  )
}
