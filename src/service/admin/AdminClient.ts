/** Calls the admin API of a running gateway, for the commands of `aibridge`. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { codeOf } from "../../domain/UpstreamError.ts"
import { parseBaseUrl } from "../../providers/Provider.ts"
import type { AdminConfig } from "../AdminConfig.ts"
import * as AdminApi from "./AdminApi.ts"

/** Nobody answers, or the admin API refuses. */
export class AdminFailed extends Schema.TaggedError<AdminFailed>()("AdminFailed", { message: Schema.String }) {}

/** Where an admin API is, and what it asks for. */
export interface Options {
  readonly url: string
  readonly token: Redacted.Redacted<string> | undefined
}

/** Where a gateway with these settings has it. All addresses at once are reached by the loopback one. */
export const urlOf = ({ host, port }: AdminConfig): string => {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" || host === "[::]" ? "[::1]" : host
  return `http://${reachable.includes(":") && !reachable.startsWith("[") ? `[${reachable}]` : reachable}:${port}`
}

/** Asks one thing. */
export const ask = <A>(
  { url, token }: Options,
  question: (client: HttpApiClient.ForApi<typeof AdminApi.AdminApi>) => Effect.Effect<A, { readonly message: string }>
): Effect.Effect<A, AdminFailed> => {
  const authorization = HttpApiMiddleware.layerClient(AdminApi.AdminAuthorization, ({ next, request }) =>
    next(token === undefined ? request : HttpClientRequest.bearerToken(request, token))
  )
  const problem = urlProblem(url)
  if (problem !== undefined) return Effect.fail(new AdminFailed({ message: problem }))
  return HttpApiClient.make(AdminApi.AdminApi, { baseUrl: url }).pipe(
    Effect.flatMap(question),
    Effect.mapError((error) => new AdminFailed({ message: messageOf(error, url) })),
    // The client has no other way to refuse what no path can hold.
    Effect.catchDefect(() => Effect.fail(new AdminFailed({ message: "there is no key of that name" }))),
    Effect.timeoutOrElse({
      duration: longest,
      orElse: () => Effect.fail(new AdminFailed({ message: noAnswer(url, Duration.format(longest)) }))
    }),
    Effect.provide(Layer.merge(FetchHttpClient.layer, authorization))
  )
}

const messageOf = (error: { readonly message: string }, url: string): string => {
  const isOther = Schema.isSchemaError(error) || HttpClientError.isHttpClientError(error)
  if (!isOther) return error.message
  return noAnswer(url, HttpClientError.isHttpClientError(error) ? codeIn(error) : undefined)
}

const noAnswer = (url: string, code: string | undefined): string =>
  `no admin API answers at ${url}${code === undefined ? "" : ` (${code})`}: is the gateway running, with these settings? ` +
  "Say where it is by --url, or by AIBRIDGE_ADMIN_PORT; settings that have changed since it was started hold from its next start on"

// Does not repeat it: a password may stand in it.
const urlProblem = (url: string): string | undefined => {
  const parsed = parseBaseUrl(url)
  return typeof parsed === "string" ? `--url: ${parsed}, such as http://127.0.0.1:8788 is` : undefined
}

const longest = Duration.seconds(10)

// The client wraps the system's error once or twice.
const codeIn = ({ reason }: HttpClientError.HttpClientError): string | undefined => {
  if (reason._tag === "StatusCodeError" || reason._tag === "DecodeError") return `status ${reason.response.status}`
  const cause = "cause" in reason ? reason.cause : undefined
  const code = codeOf(cause instanceof Error && cause.cause !== undefined ? cause.cause : cause)
  return code === "UNKNOWN" ? undefined : code
}
