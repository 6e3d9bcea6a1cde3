/** A gateway in memory: requests go through the real pipeline in the test's own fiber, so that `TestClock` rules. */
import * as Effect from "effect/Effect"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Gateway } from "../Gateway.ts"

/** What the client gets. */
export interface TestResponse {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** The body as it comes; may be read once. Fails where the client's connection would break. */
  readonly stream: Stream.Stream<Uint8Array, unknown>
  /** The whole body. */
  readonly text: Effect.Effect<string, unknown>
}

/** What the client sends. */
export interface RequestOptions {
  /** Default `POST` with a body, else `GET`. */
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Text as it stands, or a value to be sent as JSON. */
  readonly body?: unknown
}

/** Sends a request to the `Gateway`. Closing the scope is the client leaving. */
export const request = (
  path: string,
  options: RequestOptions = {}
): Effect.Effect<TestResponse, never, Gateway | Scope.Scope> =>
  Effect.gen(function* () {
    const gateway = yield* Gateway
    return toTestResponse(yield* gateway.handle(toServerRequest(path, options)))
  })

/** As `request`, with the whole body read and the request over. */
export const fetch = (
  path: string,
  options: RequestOptions = {}
): Effect.Effect<
  { readonly status: number; readonly headers: TestResponse["headers"]; readonly text: string },
  unknown,
  Gateway
> =>
  Effect.scoped(
    Effect.gen(function* () {
      const response = yield* request(path, options)
      return { status: response.status, headers: response.headers, text: yield* response.text }
    })
  )

// The path as it stands: a URL would be normalised.
const toServerRequest = (path: string, { method, headers = {}, body }: RequestOptions) => {
  const bare = HttpClientRequest.make((method ?? (body === undefined ? "GET" : "POST")) as HttpMethod)(origin)
  const text = typeof body === "string" ? body : JSON.stringify(body)
  const withBody = text === undefined ? bare : HttpClientRequest.bodyText(bare, text, "application/json")
  return HttpServerRequest.fromClientRequest(HttpClientRequest.setHeaders(withBody, headers)).modify({ url: path })
}

const origin = "http://gateway.test"

const toTestResponse = (response: HttpServerResponse): TestResponse => {
  const { body } = response
  const stream =
    body._tag === "Stream" ? body.stream : body._tag === "Uint8Array" ? Stream.make(body.body) : Stream.empty
  return {
    status: response.status,
    headers: response.headers,
    stream,
    text: Stream.mkString(Stream.decodeText(stream))
  }
}
