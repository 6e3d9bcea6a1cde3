/**
 * The answers to requests that have failed. They are made before a byte of an upstream's answer was passed on: whoever is here has
 * not committed.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { HttpServerResponse } from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import type { Dialect, ShapedResponse } from "../dialects/Dialect.ts"
import { shapeError } from "../dialects/Dialect.ts"
import type { GatewayError } from "../domain/GatewayError.ts"
import type { UpstreamError } from "../domain/UpstreamError.ts"
import type { Provider } from "../providers/Provider.ts"
import * as ErrorResponse from "./ErrorResponse.ts"
import * as RefusalLog from "./RefusalLog.ts"
import * as RefusalMetrics from "./RefusalMetrics.ts"
import type { NoRoute } from "./Router.ts"

/** The gateway refuses, the upstream gives no answer, or no key is left. */
export type Failure = GatewayError | UpstreamError | Parameters<Provider["keyFailover"]["buildKeyPoolResponse"]>[0]

export interface FailureAnswer {
  /** A refusal of the gateway's own: it is counted, told in the log if it is worth it, and answered. */
  readonly refuse: (refusal: NoRoute, headers?: Headers) => Effect.Effect<HttpServerResponse>
  /** The body of such an answer: JSON text. */
  readonly textOf: (error: Failure, provider: Provider, dialect: Dialect) => string
  readonly answer: (
    error: Failure,
    provider: Provider,
    dialect: Dialect,
    headers?: Headers
  ) => Effect.Effect<HttpServerResponse>
  /** Whatever fails is answered. A defect of ours, or of an embedder's layer, is logged and answered, too. */
  readonly answered: <R>(
    effect: Effect.Effect<HttpServerResponse, Failure, R>,
    provider: Provider,
    dialect: Dialect
  ) => Effect.Effect<HttpServerResponse, never, R>
}

type Headers = Readonly<Record<string, string>>

export const make = (): FailureAnswer => {
  const log = RefusalLog.make()

  const refuse: FailureAnswer["refuse"] = ({ error, provider, dialect }, headers) => {
    const name = provider?.name ?? RefusalMetrics.noProvider
    return RefusalMetrics.count(error, name).pipe(
      Effect.andThen(log.tell(error, name)),
      Effect.as(ErrorResponse.toResponse(ErrorResponse.fromGatewayError(error, dialect), headers))
    )
  }

  const answer: FailureAnswer["answer"] = (error, provider, dialect, headers) =>
    error._tag === "GatewayError"
      ? refuse({ error, provider, dialect }, headers)
      : Effect.succeed(ErrorResponse.toResponse(shapeOf(error, provider, dialect), headers))

  return {
    refuse,
    textOf: (error, provider, dialect) => shapeOf(error, provider, dialect).body,
    answer,
    answered: (effect, provider, dialect) =>
      Effect.catchCause(effect, (cause) => {
        if (Cause.hasInterrupts(cause)) return Effect.interrupt
        const error = Cause.findErrorOption(cause)
        if (Option.isSome(error)) return answer(error.value, provider, dialect)
        const told = Effect.logError("request failed by a defect", cause)
        return Effect.as(told, ErrorResponse.toResponse(shapeError(dialect, 500, "internal error")))
      })
  }
}

const shapeOf = (error: Failure, provider: Provider, dialect: Dialect): ShapedResponse => {
  switch (error._tag) {
    case "GatewayError":
      return ErrorResponse.fromGatewayError(error, dialect)
    case "UpstreamError":
      return ErrorResponse.fromUpstreamError(error, dialect)
    case "KeyPoolError":
      return provider.keyFailover.buildKeyPoolResponse(error)
  }
}
