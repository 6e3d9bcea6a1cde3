/** The clients that must behave alike, and the ways in which a test reads their answers. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { UpstreamError } from "../../src/domain/UpstreamError.ts"
import type { UpstreamRequest } from "../../src/upstream/Upstream.ts"
import { Upstream } from "../../src/upstream/Upstream.ts"
import * as UpstreamHttpClient from "../../src/upstream/UpstreamHttpClient.ts"
import * as UpstreamUndici from "../../src/upstream/UpstreamUndici.ts"
import type { TestServer } from "./TestServer.ts"

export interface Client {
  readonly name: string
  readonly layer: Layer.Layer<Upstream>
}

export const clients: ReadonlyArray<Client> = [
  { name: "UpstreamUndici", layer: UpstreamUndici.layer() },
  {
    name: "UpstreamHttpClient over undici",
    layer: Layer.provide(UpstreamHttpClient.layer, NodeHttpClient.layerUndici)
  },
  { name: "UpstreamHttpClient over fetch", layer: Layer.provide(UpstreamHttpClient.layer, FetchHttpClient.layer) }
]

/** Sends a `GET`, unless the request says otherwise. */
export const send = (origin: string, request: Partial<UpstreamRequest> = {}) =>
  Effect.flatMap(Upstream, (upstream) =>
    upstream.send({ method: "GET", path: "/", headers: {}, body: undefined, origin, ...request })
  )

/** Runs a test with a client that is closed after everything that the test has opened. */
export const using =
  (client: Client) =>
  <A, E>(test: Effect.Effect<A, E, Upstream | Scope.Scope>): Effect.Effect<A, E> =>
    Effect.provide(Effect.scoped(test), client.layer)

/** Sends a request that the test answers: what the server got, and the fiber that waits for the head. */
export const begin = Effect.fnUntraced(function* (server: TestServer, request?: Partial<UpstreamRequest>) {
  const answer = yield* Effect.forkScoped(send(server.origin, request), { startImmediately: true })
  const exchange = yield* server.next
  return { answer: Fiber.join(answer), exchange }
})

/** All bytes of a body. */
export const bytesOf = <E>(body: Stream.Stream<Uint8Array, E>): Effect.Effect<Buffer, E> =>
  Effect.map(Stream.runCollect(body), (chunks) => Buffer.concat(chunks))

export const textOf = <E>(body: Stream.Stream<Uint8Array, E>): Effect.Effect<string, E> =>
  Effect.map(bytesOf(body), (bytes) => bytes.toString())

/** A failure as its reason and, in brackets, its code. */
export const reasonOf = ({ reason }: UpstreamError): string =>
  "code" in reason ? `${reason._tag} (${reason.code})` : reason._tag

/** Reads a body in a fiber of its own, so that a test can wait for what has come so far. */
export const follow = Effect.fnUntraced(function* (body: Stream.Stream<Uint8Array, UpstreamError>) {
  let seen = ""
  let wanted: { readonly text: string; readonly found: Deferred.Deferred<void> } | undefined
  const check = () => {
    if (wanted !== undefined && seen.endsWith(wanted.text)) Deferred.doneUnsafe(wanted.found, Effect.void)
  }
  const reading = yield* Effect.forkScoped(
    Stream.runForEach(body, (bytes) =>
      Effect.sync(() => {
        seen += Buffer.from(bytes).toString()
        check()
      })
    ),
    { startImmediately: true }
  )
  return {
    reading,
    seen: () => seen,
    /** Waits until what has come ends with this text. */
    endsWith: (text: string) =>
      Effect.suspend(() => {
        wanted = { text, found: Deferred.makeUnsafe<void>() }
        check()
        return Deferred.await(wanted.found).pipe(Effect.timeout("5 seconds"), Effect.orDie)
      })
  }
})
