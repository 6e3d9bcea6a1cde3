/** What becomes of an upstream's answer whose client has left before its end: it is aborted, or read on for what it has cost. */
import type * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/**
 * `abort`: the upstream's connection is closed, so that it need not go on. `drain`: what it still has to say is read and thrown
 * away, so that the usage at its end is known; no further key is tried.
 */
export type Policy = "abort" | "drain"

/** How long an answer is read on at most, from when its client has left. */
export const drainTime = Duration.seconds(30)

/** How many answers are read on at once at most; one more is aborted. */
export const maximumDrains = 64

/** What is known of one request. */
export interface Watched {
  /** Whether nothing more is to come of the answer, whatever it was. */
  readonly isOver: () => boolean
  /** Told once, if it was not over. */
  readonly clientLeft: () => void
}

/** Keeps a stream open when its client leaves; to be used for the one body of an answer, at most. */
export type Hold = <A, E>(stream: Stream.Stream<A, E>) => Stream.Stream<A, E>

/** Answers a request: the scope of both steps is open as long as the upstream is needed, the client's own only as long as it stays. */
export type Answering = <W extends Watched, E>(
  begin: Effect.Effect<W, E, Scope.Scope>,
  answer: (watched: W, hold: Hold) => Effect.Effect<HttpServerResponse, never, Scope.Scope>
) => Effect.Effect<HttpServerResponse, E, Scope.Scope>

/** As long as its scope is open; then whatever is still read on is aborted. */
export const make = (policy: Policy): Effect.Effect<Answering, never, Scope.Scope> =>
  policy === "abort" ? Effect.succeed(aborting) : Effect.map(Effect.scope, draining)

const asItIs: Hold = (stream) => stream

const aborting: Answering = (begin, answer) => Effect.flatMap(begin, (watched) => answer(watched, asItIs))

const draining = (gateway: Scope.Scope): Answering => {
  let drains = 0

  return <W extends Watched, E>(
    begin: Effect.Effect<W, E, Scope.Scope>,
    answer: (watched: W, hold: Hold) => Effect.Effect<HttpServerResponse, never, Scope.Scope>
  ) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const client = yield* Effect.scope
        const own = yield* Scope.make()
        const body = new Body(own)
        const visit: Visit = { watched: undefined, answering: undefined }
        const close = Effect.suspend(() =>
          Effect.andThen(
            visit.answering === undefined ? Effect.void : Fiber.interrupt(visit.answering),
            Scope.close(own, Exit.void)
          )
        )
        const readOn = Effect.suspend(() =>
          visit.answering === undefined ? Effect.void : Fiber.await(visit.answering)
        ).pipe(
          Effect.andThen(body.rest),
          Effect.timeoutOption(drainTime),
          Effect.interruptible,
          Effect.exit,
          Effect.andThen(close),
          Effect.andThen(Effect.sync(() => drains--))
        )
        const leave = Effect.suspend(() => {
          const { watched } = visit
          const isFull = drains >= maximumDrains || gateway.state._tag === "Closed"
          if (watched === undefined || watched.isOver() || isFull) return close
          drains++
          watched.clientLeft()
          return Effect.forkIn(readOn, gateway, { uninterruptible: true })
        })
        yield* Scope.addFinalizer(client, leave)

        const watched = yield* Scope.provide(restore(begin), own)
        visit.watched = watched
        const answered = Scope.provide(answer(watched, body.hold), own)
        const answering = yield* Effect.forkDetach(answered, { startImmediately: true })
        visit.answering = answering
        return yield* restore(Fiber.join(answering))
      })
    )
}

// How far one request has come.
interface Visit {
  watched: Watched | undefined
  answering: Fiber.Fiber<HttpServerResponse> | undefined
}

/** The one stream of an answer, opened by whoever reads it first, and open until the scope closes. */
class Body {
  private readonly scope: Scope.Scope
  private pulls: Effect.Effect<unknown, unknown> = Effect.void

  constructor(scope: Scope.Scope) {
    this.scope = scope
  }

  readonly hold: Hold = <A, E>(stream: Stream.Stream<A, E>) => {
    let pull: Pull.Pull<Arr.NonEmptyReadonlyArray<A>, E> | undefined
    const open = Effect.suspend(() => {
      if (pull !== undefined) return Effect.succeed(pull)
      return Effect.map(Effect.uninterruptible(Scope.provide(Stream.toPull(stream), this.scope)), (opened) => {
        pull = opened
        return opened
      })
    })
    this.pulls = Effect.flatMap(open, Effect.forever)
    return Stream.fromPull(open)
  }

  /** Reads what is left, to its end or its failure. */
  readonly rest: Effect.Effect<void> = Effect.suspend(() => Effect.ignore(this.pulls))
}
