/** Asks the admin API of a service as any HTTP client would. */
import * as Effect from "effect/Effect"
import type { Request } from "../TestHttp.ts"
import * as TestHttp from "../TestHttp.ts"

/** The status and what the body says, as JSON if it is. */
export const ask = (url: string, target: string, headers: Request["headers"] = {}) => {
  const [method = "", path = ""] = target.split(" ")
  return Effect.scoped(
    Effect.gen(function* () {
      const answer = yield* TestHttp.send(url, { method, path, headers })
      const text = yield* answer.text
      const isJson = answer.headers["content-type"] === "application/json"
      const body: unknown = isJson ? JSON.parse(text) : text
      return { status: answer.status, body, headers: answer.headers }
    })
  )
}

/** The keys of the only provider. */
export const keys = (url: string) =>
  Effect.map(ask(url, "GET /pools"), ({ body }) =>
    Array.isArray(body) ? body.flatMap(({ keys: found }) => found) : []
  )
