/** `aibridge interceptions` and `aibridge usage`: who used what, as the admin API of a running gateway says it. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as AdminCommand from "./AdminCommand.ts"
import * as Table from "./Table.ts"

const text = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

const filter = {
  actor: text("actor", "Only those of this caller."),
  client: text("client", "Only those of this program, such as Claude Code."),
  session: text("session", "Only those of this session of the client."),
  model: text("model", "Only those of this model."),
  from: text("from", "Only those since this date, or date and time, such as 2027-01-31 or 2027-01-31T18:00:00Z."),
  to: text("to", "Only those before this date, or date and time.")
}

type Given = { readonly [name in keyof typeof filter]: Option.Option<string> }

const queryOf = (given: Given): { readonly [name in keyof Given]?: string } =>
  Object.fromEntries(
    Object.keys(filter).flatMap((name) => {
      const value = Option.getOrUndefined(new Map(Object.entries(given)).get(name) ?? Option.none())
      return value === undefined ? [] : [[name, value]]
    })
  )

/** Fails with `InvalidConfig`, and with `AdminFailed` if the gateway does not answer or refuses. */
export const interceptions = (options: AdminCommand.Options) => {
  const connection = AdminCommand.connection(options)

  const show = Command.make("show", {
    ...connection,
    id: Argument.String("id").pipe(Argument.withDescription("The interception's id, as answers carry it."))
  }).pipe(
    Command.withDescription("Print one interception as JSON, with its attempts, prompts, tokens, tools and thoughts."),
    Command.withHandler(({ id, ...from }) =>
      Effect.flatMap(
        AdminCommand.ask(options, from, ({ records }) => records.get({ params: { id } })),
        (found) => Console.log(AdminCommand.asJson(found))
      )
    )
  )

  return Command.make("interceptions", {
    ...connection,
    ...filter,
    limit: Flag.Int("limit").pipe(Flag.withDescription("How many, up to 200."), Flag.withDefault(50)),
    cursor: text("cursor", "The cursor of the next page, which the page before has printed."),
    json: AdminCommand.json
  }).pipe(
    Command.withDescription("Print what was recorded of requests, the latest first."),
    Command.withHandler(({ json, limit, cursor, config, url, ...given }) =>
      Effect.gen(function* () {
        const paging = { limit, ...(Option.isSome(cursor) && { cursor: cursor.value }) }
        const page = yield* AdminCommand.ask(options, { config, url }, ({ records }) =>
          records.list({ query: { ...queryOf(given), ...paging } })
        )
        if (json) return yield* Console.log(AdminCommand.asJson(page))
        const rows = page.interceptions.map(({ id, startedAt, actor, provider, model, client, end }) => [
          startedAt,
          actor,
          provider,
          model,
          client,
          end?.reason ?? "under way",
          id
        ])
        yield* Console.log(Table.render(["STARTED", "ACTOR", "PROVIDER", "MODEL", "CLIENT", "END", "ID"], rows))
        if (page.next !== undefined) yield* Console.log(`more: --cursor ${page.next}`)
      })
    ),
    Command.withSubcommands([show])
  )
}

/** Fails as `interceptions`. */
export const usage = (options: AdminCommand.Options) =>
  Command.make("usage", { ...AdminCommand.connection(options), ...filter, json: AdminCommand.json }).pipe(
    Command.withDescription("Print how many tokens were used, by day, actor and model."),
    Command.withHandler(({ json, config, url, ...given }) =>
      Effect.gen(function* () {
        const sums = yield* AdminCommand.ask(options, { config, url }, ({ records }) =>
          records.usage({ query: queryOf(given) })
        )
        if (json) return yield* Console.log(AdminCommand.asJson(sums))
        const rows = sums.map((sum) =>
          [sum.day, sum.actor, sum.model, sum.interceptions, sum.input, sum.output, sum.cacheRead, sum.cacheWrite].map(
            String
          )
        )
        const titles = ["DAY", "ACTOR", "MODEL", "REQUESTS", "INPUT", "OUTPUT", "CACHE READ", "CACHE WRITTEN"]
        yield* Console.log(Table.render(titles, rows))
      })
    )
  )
