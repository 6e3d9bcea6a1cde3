/** What goes to the providers and what comes back, for debugging: who takes it (the contract), and the tap at every attempt. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import type { Key } from "../keys/Key.ts"
import type { Upstream, UpstreamRequest, UpstreamResponse } from "./Upstream.ts"

export interface ApiDump {
  /** What takes the attempts of one request, in order; `undefined` if its provider's are not dumped. */
  readonly request: (facts: RequestFacts) => RequestDump | undefined
}

/** What `Gateway.layer` asks. Default none: then nothing stands between the gateway and its `Upstream`. */
export const ApiDump = Context.Reference<ApiDump | undefined>("effect-aibridge/upstream/ApiDump", {
  defaultValue: () => undefined
})

/** What is known of a request before its first attempt. */
export interface RequestFacts {
  /** The instance's name. */
  readonly provider: string
  /** Absent: it is relayed blind. */
  readonly interception?: {
    readonly id: string
    /** As the upstream is asked for it. */
    readonly model: string
  }
}

/** Takes an attempt as it begins. Never fails, and does not wait: what it does goes on beside the attempt. */
export type RequestDump = (attempt: Attempt) => Effect.Effect<AnswerDump>

export interface Attempt {
  /** As it goes out: for a vendor with a wire format of its own it is translated and signed. */
  readonly request: UpstreamRequest
  /** The credential in it, which must not be shown. */
  readonly secret: Redacted.Redacted<string>
}

/** Takes what comes back. None of it may throw; and who calls it waits for nothing. */
export interface AnswerDump {
  readonly head: (head: Pick<UpstreamResponse, "status" | "headers">) => void
  /** The chunk is shared with the relay: it must not be changed. */
  readonly bytes: (chunk: Uint8Array) => void
  /** There was no answer, or it broke off. */
  readonly failed: (error: UpstreamError) => void
  /** Nothing more comes, whether the answer was complete or not. May be called more than once. */
  readonly end: () => void
}

/** The way upstream with a key. */
export type Way = (key: Pick<Key, "value">) => Upstream["Service"]

/** The ways upstream of requests: through a tap where they are dumped, else the upstream itself. */
export const over = (apiDump: ApiDump | undefined, upstream: Upstream["Service"]): ((facts: RequestFacts) => Way) => {
  const direct: Way = () => upstream
  if (apiDump === undefined) return () => direct
  return (facts) => {
    const begin = apiDump.request(facts)
    if (begin === undefined) return direct
    return ({ value }) => ({
      send: (request) =>
        Effect.flatMap(ended(begin({ request, secret: value })), (dump) =>
          upstream.send(request).pipe(
            Effect.map((response) => tapped(response, dump)),
            Effect.tapError((error) => Effect.sync(() => dump.failed(error)))
          )
        )
    })
  }
}

// With the request at the latest: a client may leave before the head, or with it.
const ended = (begun: Effect.Effect<AnswerDump>): Effect.Effect<AnswerDump, never, Scope.Scope> =>
  Effect.uninterruptible(Effect.tap(begun, (dump) => Effect.addFinalizer(() => Effect.sync(dump.end))))

const tapped = (response: UpstreamResponse, dump: AnswerDump): UpstreamResponse => {
  const { status, headers, nudge, whole } = response
  dump.head({ status, headers })
  if (whole === undefined) return { status, headers, nudge, whole, body: tappedBody(response.body, dump) }
  dump.bytes(whole)
  dump.end()
  return response
}

// The very chunks that are pulled, in the same arrays.
const tappedBody = (body: UpstreamResponse["body"], dump: AnswerDump): UpstreamResponse["body"] =>
  Stream.transformPull(body, (pull, scope) => {
    const seen = pull.pipe(
      Effect.map((chunks) => {
        for (const chunk of chunks) dump.bytes(chunk)
        return chunks
      }),
      Effect.tapError((error) =>
        Effect.sync(() => {
          if (error._tag === "UpstreamError") dump.failed(error)
          dump.end()
        })
      )
    )
    return Effect.as(Scope.addFinalizer(scope, Effect.sync(dump.end)), seen)
  })
