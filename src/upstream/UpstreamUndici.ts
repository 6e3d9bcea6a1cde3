/** The `Upstream` of the Node service: undici's `dispatch`, read as an Effect stream without a Node stream in between. */
import * as Undici from "@effect/platform-node/Undici"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type * as Pull from "effect/Pull"
import type { ResponseHeaders } from "../domain/HeaderRecord.ts"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import * as Failure from "../domain/UpstreamError.ts"
import type { UpstreamResponse, WhenStopped } from "./Upstream.ts"
import { bodyOf, firstByteGrace, Upstream } from "./Upstream.ts"

/** Time limits, where a request says none itself, and proxies. */
export interface Options {
  /** How long an upstream may think before its head. Default 10 minutes. */
  readonly headersTimeout?: Duration.Input
  /** How long an upstream may be silent within an answer. Default 10 minutes. */
  readonly idleTimeout?: Duration.Input
  /** Proxy for `http:` upstreams, as `HTTP_PROXY`. Default none. */
  readonly httpProxy?: string | undefined
  /** Proxy for `https:` upstreams, as `HTTPS_PROXY`. Default `httpProxy`. */
  readonly httpsProxy?: string | undefined
  /** Hosts that are reached without the proxy, as `NO_PROXY`. Default none. */
  readonly noProxy?: string | undefined
}

/** Connections are reused; each carries one request at a time. They are closed with the layer. */
export const layer = (options: Options = {}): Layer.Layer<Upstream> =>
  Layer.effect(
    Upstream,
    Effect.gen(function* () {
      const dispatcher = yield* Effect.acquireRelease(
        Effect.sync(() => makeDispatcher(options)),
        (acquired) => Effect.promise(() => acquired.destroy())
      )
      return Upstream.of({
        send: (request) =>
          Effect.flatMap(Effect.scope, (scope) => {
            const exchange = new Exchange(request.whenStopped)
            return Effect.flatMap(Scope.addFinalizer(scope, exchange.close), () => {
              if (exchange.isOver) return exchange.head
              try {
                dispatcher.dispatch(
                  {
                    origin: request.origin,
                    path: request.path,
                    method: request.method,
                    headers: request.headers,
                    body: request.body ?? null,
                    headersTimeout: request.timeouts?.headers ?? null,
                    bodyTimeout: request.timeouts?.idle ?? null
                  },
                  exchange
                )
              } catch (error) {
                exchange.fail(error)
              }
              return exchange.head
            })
          })
      })
    })
  )

const makeDispatcher = (options: Options): Undici.Dispatcher => {
  const settings: Undici.Agent.Options = {
    headersTimeout: Duration.toMillis(options.headersTimeout ?? "10 minutes"),
    bodyTimeout: Duration.toMillis(options.idleTimeout ?? "10 minutes"),
    keepAliveTimeout: 30_000,
    // As much as the service takes from clients; rate limits and policies make long heads.
    maxHeaderSize: 64 * 1024,
    connect: { timeout: 10_000 },
    // Set here and not for the agent, which would make a new string of every request's origin.
    factory: (origin, poolOptions) => new Undici.Pool(origin, { ...poolOptions, allowH2: false })
  }
  const { httpProxy = "", httpsProxy = "", noProxy = "" } = options
  // An empty string, unlike an absent one, keeps undici from reading the environment.
  return httpProxy === "" && httpsProxy === ""
    ? new Undici.Agent(settings)
    : new Undici.EnvHttpProxyAgent({ ...settings, httpProxy, httpsProxy: httpsProxy || httpProxy, noProxy })
}

/** Above this many unread bytes the socket is paused. */
const highWaterMark = 128 * 1024

type Chunks = Arr.NonEmptyArray<Uint8Array>

/** One request and its answer: a queue of chunks between undici's callbacks and the pulls of one fiber. */
class Exchange implements Undici.Dispatcher.DispatchHandler, UpstreamResponse {
  /** 0 until the head has come. */
  status = 0
  headers: ResponseHeaders = {}
  private controller: Undici.Dispatcher.DispatchController | undefined
  private chunks: Array<Uint8Array> = []
  private size = 0
  private ended = false
  private isHeadReady = false
  private wasPulled = false
  private closed = false
  private error: UpstreamError | undefined
  // What waits for the head or for chunks; a nudged pull gets the given chunks instead.
  private waiter: ((nudged: Chunks | undefined) => void) | undefined
  private graceTimer: NodeJS.Timeout | undefined
  private readonly unregister: (() => void) | undefined

  constructor(whenStopped: WhenStopped | undefined) {
    this.unregister = whenStopped?.((error) => this.stop(error))
  }

  /** Whether it has failed, or was stopped before it began. */
  get isOver(): boolean {
    return this.error !== undefined
  }

  /** Waits for the head. */
  readonly head = Effect.callback<UpstreamResponse, UpstreamError>((resume) => {
    const settle = () => {
      clearTimeout(this.graceTimer)
      resume(this.settledHead())
    }
    if (this.error !== undefined || this.isHeadReady) return settle()
    this.waiter = settle
  })

  readonly close: Effect.Effect<void> = Effect.sync(() => {
    if (this.closed) return
    this.closed = true
    clearTimeout(this.graceTimer)
    this.unregister?.()
    if (!this.ended && this.error === undefined) this.controller?.abort(aborted)
  })

  fail(cause: unknown): void {
    if (this.error !== undefined || this.ended) return
    this.error = this.status === 0 ? failureBeforeHead(cause) : failureInBody(cause)
    this.wakeSoon()
  }

  private stop(error: UpstreamError): void {
    if (this.closed || this.error !== undefined || this.ended) return
    this.error = error
    this.controller?.abort(aborted)
    this.wakeSoon()
  }

  onRequestStart(controller: Undici.Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.closed || this.error !== undefined) controller.abort(aborted)
  }

  onResponseStart(_: Undici.Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    if (status < 200) return
    this.status = status
    this.headers = headers
    // What was read from the socket together with the head is handled before this.
    soon(() => {
      if (status >= 400 || this.chunks.length > 0 || this.ended || this.error !== undefined) return this.headCame()
      this.graceTimer = setTimeout(this.headCame, firstByteGrace)
    })
  }

  private readonly headCame = (): void => {
    this.isHeadReady = true
    this.wake()
  }

  onResponseData(controller: Undici.Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk)
    this.size += chunk.length
    if (this.size > highWaterMark) controller.pause()
    if (this.chunks.length === 1) this.wakeSoon()
  }

  onResponseEnd(): void {
    this.ended = true
    this.wakeSoon()
  }

  onResponseError(_: Undici.Dispatcher.DispatchController, error: Error): void {
    this.fail(error)
  }

  // Later, so that all chunks of one read leave in one pull.
  private wakeSoon(): void {
    if (this.waiter !== undefined) soon(this.wake)
  }

  private readonly wake = (): void => {
    const waiter = this.waiter
    this.waiter = undefined
    waiter?.(undefined)
  }

  readonly nudge = (): void => {
    const waiter = this.waiter
    this.waiter = undefined
    waiter?.(noBytes)
  }

  private settledHead(): Effect.Effect<UpstreamResponse, UpstreamError> {
    if (this.status === 0 || (this.error !== undefined && this.chunks.length === 0)) {
      return Effect.fail(this.error ?? Failure.unreachable("UNKNOWN"))
    }
    return Effect.succeed(this)
  }

  get whole(): Uint8Array | undefined {
    if (!this.ended) return undefined
    return this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks)
  }

  /** Made when it is asked for: a whole answer needs none. */
  get body(): UpstreamResponse["body"] {
    const pull: Pull.Pull<Chunks, UpstreamError> = Effect.suspend(() => this.takeChunks() ?? nextChunks)
    // Needs no clean-up: who is no longer waiting takes no chunks away.
    const nextChunks: typeof pull = Effect.callback((resume) => {
      // The fiber may have had to yield on its way here, and chunks have come meanwhile, which have found nobody waiting.
      if (this.chunks.length > 0 || this.error !== undefined || this.ended) resume(pull)
      else this.waiter = (nudged) => resume(nudged === undefined ? pull : Effect.succeed(nudged))
    })
    return bodyOf(pull, this.close)
  }

  // What a pull can answer without waiting; only the first one does so even with nothing.
  private takeChunks(): Pull.Pull<Chunks, UpstreamError> | undefined {
    const { chunks, wasPulled } = this
    this.wasPulled = true
    if (Arr.isArrayNonEmpty(chunks)) {
      this.chunks = []
      const { size } = this
      this.size = 0
      // May bring more chunks before it returns.
      if (size > highWaterMark) this.controller?.resume()
      return Effect.succeed(chunks)
    }
    if (this.error !== undefined) return Effect.fail(this.error)
    if (this.ended) return Cause.done()
    return wasPulled ? undefined : Effect.succeed(noBytes)
  }
}

const aborted = new Error("aborted by the gateway")

const noBytes: Chunks = [new Uint8Array(0)]

// As `queueMicrotask`, which makes an async resource of every call.
const settled = Promise.resolve()
const soon = (callback: () => void): void => void settled.then(callback)

const failureBeforeHead = (cause: unknown): UpstreamError => {
  const code = Failure.codeOf(cause)
  return code === "UND_ERR_HEADERS_TIMEOUT" ? Failure.timedOut() : Failure.unreachable(code)
}

const failureInBody = (cause: unknown): UpstreamError => {
  const code = Failure.codeOf(cause)
  return code === "UND_ERR_BODY_TIMEOUT" ? Failure.timedOut() : Failure.cut(code)
}
