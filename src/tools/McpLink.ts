/** What keeps a connection to an MCP server: it is made in the background, and made anew when it is lost or no longer known. */
import type { McpClientError } from "effect/ai/McpClientError"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import type * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import type { McpConnection, Protocol } from "./McpConnection.ts"
import * as Connection from "./McpConnection.ts"

export interface McpLink {
  /**
   * Does something with the connection; if one is being made, when it is there. If the server does not know the session any more,
   * once more with a new one. Fails with `Away` while the server cannot be reached.
   */
  readonly use: <A>(
    run: (connection: McpConnection) => Effect.Effect<A, McpClientError>
  ) => Effect.Effect<A, McpClientError | Away>
}

export interface Away {
  readonly _tag: "Away"
}

export interface Options {
  readonly open: Connection.Open
  /** Between attempts to connect, and to listen. */
  readonly retry: Schedule.Schedule<unknown>
  readonly refreshInterval: Duration.Input
  /** Lists the tools: first of all, at each interval, and when the server says that they have changed. */
  readonly refresh: (connection: McpConnection) => Effect.Effect<void, McpClientError>
  /** The server has been reached: for the first time, or after it was away. */
  readonly onThere: Effect.Effect<void>
  /** The server cannot be reached any more, or not at all. */
  readonly onAway: (error: McpClientError) => Effect.Effect<void>
}

/** Keeps it until the scope closes. */
export const make = Effect.fnUntraced(function* ({
  open: openConnection,
  retry,
  refreshInterval,
  refresh,
  onThere,
  onAway
}: Options): Effect.fn.Return<McpLink, never, Scope.Scope> {
  // Closes only when nothing uses them any more: what is forked below ends before.
  const connections = yield* Scope.fork(yield* Effect.scope)
  const wake = Latch.makeUnsafe()
  const check = Effect.sync(() => void wake.openUnsafe())
  let state: State = { _tag: "Connecting", done: Deferred.makeUnsafe() }
  let preferred: Protocol | undefined
  let isNews = true

  const become = (next: State) => {
    const last = state
    state = next
    if (last._tag === "Connecting") Deferred.doneUnsafe(last.done, Exit.void)
  }

  const open = Effect.fnUntraced(function* (protocol: Protocol): Effect.fn.Return<Held, McpClientError> {
    const scope = yield* Scope.fork(connections)
    const opened = Scope.provide(openConnection(protocol), scope)
    const connection = yield* Effect.onError(opened, () => Scope.close(scope, Exit.void))
    preferred = protocol
    return { connection, scope, calls: 0, idle: undefined }
  })

  const openFirst = (protocols: ReadonlyArray<Protocol>): Effect.Effect<Held, McpClientError> => {
    const [first = Connection.newest, ...others] = protocols
    return others.length === 0
      ? open(first)
      : Effect.catchIf(open(first), Connection.isRefusal, () => openFirst(others))
  }

  const connect = Effect.suspend(() => openFirst(Connection.startingWith(preferred))).pipe(
    Effect.tap((held) => Effect.onError(refresh(held.connection), () => Scope.close(held.scope, Exit.void))),
    Effect.tapError((error) => {
      if (state._tag === "Away") return Effect.void
      become({ _tag: "Away" })
      isNews = true
      return onAway(error)
    }),
    Effect.retry(retry),
    Effect.tap((held) => {
      become({ _tag: "Connected", held })
      const told = isNews ? onThere : Effect.void
      isNews = false
      return told
    })
  )

  const isCurrent = (held: Held) => state._tag === "Connected" && state.held === held

  const expire = (held: Held) => {
    if (isCurrent(held)) become({ _tag: "Connecting", done: Deferred.makeUnsafe() })
    wake.openUnsafe()
  }

  const watch = (held: Held) =>
    Effect.raceFirst(wake.await, Effect.sleep(refreshInterval)).pipe(
      Effect.andThen(Effect.sync(() => wake.closeUnsafe())),
      Effect.andThen(Effect.suspend(() => (isCurrent(held) ? refresh(held.connection) : Effect.void))),
      // However often a server says that its tools have changed.
      Effect.andThen(Effect.sleep("100 millis")),
      Effect.repeat({ while: () => isCurrent(held) }),
      Effect.ignore,
      Effect.ensuring(Effect.sync(() => expire(held)))
    )

  yield* connect.pipe(
    Effect.flatMap((held) =>
      Effect.raceFirst(watch(held), Effect.andThen(held.connection.listen(check, retry), Effect.never)).pipe(
        Effect.andThen(Effect.forkIn(retire(held), connections))
      )
    ),
    Effect.forever,
    Effect.forkScoped
  )

  const connected: Effect.Effect<Held, Away> = Effect.suspend(() => {
    switch (state._tag) {
      case "Connected":
        return Effect.succeed(state.held)
      case "Connecting":
        return Effect.andThen(Deferred.await(state.done), connected)
      case "Away":
        return Effect.fail(state)
    }
  })

  return {
    use: (run) => {
      const once = (held: Held) => during(held, run(held.connection))
      return connected.pipe(
        Effect.flatMap((held) =>
          Effect.catchIf(once(held), isExpired, () => {
            expire(held)
            return Effect.flatMap(connected, once)
          })
        ),
        Effect.tapError((error) => (isUnreachable(error) ? check : Effect.void))
      )
    }
  }
})

/** A connection, and what still uses it. */
interface Held {
  readonly connection: McpConnection
  readonly scope: Scope.Closeable
  calls: number
  /** Done when the last call ends, if something waits for it. */
  idle: Deferred.Deferred<void> | undefined
}

type State =
  | { readonly _tag: "Connecting"; readonly done: Deferred.Deferred<void> }
  | { readonly _tag: "Connected"; readonly held: Held }
  | Away

const during = <A, E>(held: Held, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.acquireUseRelease(
    Effect.sync(() => void held.calls++),
    () => effect,
    () =>
      Effect.sync(() => {
        held.calls--
        if (held.calls === 0 && held.idle !== undefined) Deferred.doneUnsafe(held.idle, Exit.void)
      })
  )

/** Closes it when its calls have ended. */
const retire = (held: Held): Effect.Effect<void> =>
  Effect.suspend(() => {
    held.idle = Deferred.makeUnsafe()
    const ended = held.calls === 0 ? Effect.void : Deferred.await(held.idle)
    return Effect.andThen(ended, Scope.close(held.scope, Exit.void))
  })

const isExpired = (error: McpClientError | Away): error is McpClientError =>
  error._tag === "McpClientError" && error.reason._tag === "ClosedError" && error.reason.sessionExpired === true

const isUnreachable = (error: McpClientError | Away): boolean =>
  error._tag === "McpClientError" && ["TransportError", "ClosedError", "HttpError"].includes(error.reason._tag)
