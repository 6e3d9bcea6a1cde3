/** Serves what was recorded. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as Option from "effect/Option"
import type { Details, Filter, InterceptionsError, Summary } from "../../record/Interceptions.ts"
import { Interceptions } from "../../record/Interceptions.ts"
import { AdminApi } from "./AdminApi.ts"
import type { InterceptionDetails, InterceptionReport } from "./RecordsApi.ts"
import { BadQuery, NoRecords, NoSuchInterception } from "./RecordsApi.ts"

/** The handlers of `records`. */
export const layer = HttpApiBuilder.group(
  AdminApi,
  "records",
  Effect.fnUntraced(function* (handlers) {
    const interceptions = yield* Interceptions
    return handlers.handleAll({
      list: Effect.fnUntraced(function* ({ query }) {
        const { cursor, limit, ...asked } = query
        const filter = yield* filterOf(asked)
        const page = yield* Effect.mapError(interceptions.list(filter, { cursor, limit }), toError)
        return { interceptions: page.interceptions.map(summary), next: page.next }
      }),
      get: Effect.fnUntraced(function* ({ params: { id } }) {
        const found = yield* Effect.mapError(interceptions.get(id), toNoRecords)
        if (found !== undefined) return details(found)
        return yield* new NoSuchInterception({ message: `there is no interception "${id.slice(0, 64)}"` })
      }),
      usage: Effect.fnUntraced(function* ({ query }) {
        const filter = yield* filterOf(query)
        return yield* Effect.mapError(interceptions.sums(filter), toNoRecords)
      })
    })
  })
)

const toNoRecords = (error: InterceptionsError): NoRecords => new NoRecords({ message: error.message })

const toError = (error: InterceptionsError): NoRecords | BadQuery =>
  error.reason._tag === "BadCursor" ? new BadQuery({ message: error.message }) : toNoRecords(error)

type Asked = { readonly [name in keyof Filter]?: string | undefined }

const filterOf = ({ from, to, ...others }: Asked): Effect.Effect<Filter, BadQuery> =>
  Effect.gen(function* () {
    return { ...others, from: yield* instantOf("from", from), to: yield* instantOf("to", to) }
  })

const instantOf = (name: string, text: string | undefined): Effect.Effect<number | undefined, BadQuery> => {
  if (text === undefined) return Effect.undefined
  const found = DateTime.make(text)
  return Option.isSome(found)
    ? Effect.succeed(DateTime.toEpochMillis(found.value))
    : new BadQuery({
        message: `${name} must be a date, or a date and time, such as 2027-01-31 or 2027-01-31T18:00:00Z`
      })
}

const instant = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))

const summary = (found: Summary): typeof InterceptionReport.Type => ({
  id: found.id,
  startedAt: instant(found.startedAt),
  actor: found.actor.id,
  provider: found.provider,
  providerType: found.providerType,
  endpoint: found.endpoint,
  model: found.model,
  stream: found.stream,
  credentialKind: found.credentialKind,
  client: found.client,
  userAgent: found.userAgent,
  session: found.clientSessionId,
  end: found.end && endOf(found.end)
})

const endOf = ({
  at,
  reason,
  status,
  attempts,
  credentialHint,
  usageQuality,
  parentId,
  rootId
}: NonNullable<Summary["end"]>) => ({
  at: instant(at),
  reason,
  attempts,
  usageQuality,
  rootId,
  status,
  credentialHint,
  parentId
})

const details = (found: Details): typeof InterceptionDetails.Type => ({
  ...summary(found),
  attempts: found.attempts.map(({ number, at, credentialHint, status, failure, duration }) => ({
    number,
    at: instant(at),
    credentialHint,
    duration,
    status,
    failure
  })),
  prompts: found.prompts.map(({ text }) => text),
  tokens: found.tokens.map(({ usage, quality }) => ({ ...usage, quality })),
  tools: found.tools.map(({ call, injected, serverUrl, error }) => ({ ...call, injected, serverUrl, error })),
  thoughts: found.thoughts.map(({ thought }) => thought)
})
