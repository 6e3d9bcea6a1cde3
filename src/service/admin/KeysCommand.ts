/** `aibridge keys`: the keys of a running gateway, as its admin API says them. */
import * as Clock from "effect/Clock"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AdminConfig } from "../AdminConfig.ts"
import type { InvalidConfig } from "../ServiceConfig.ts"
import * as AdminClient from "./AdminClient.ts"
import * as KeyTable from "./KeyTable.ts"

const url = Flag.String("url").pipe(
  Flag.withDescription("Where the admin API is. Default: where the configuration says."),
  Flag.optional
)

const json = Flag.Boolean("json").pipe(Flag.withDescription("Print JSON."), Flag.withDefault(false))

const providerArgument = Argument.String("provider").pipe(Argument.withDescription("The provider's name."))

const keyArgument = Argument.String("key").pipe(
  Argument.withDescription("The key's masked form, as it is printed, or its place in the pool, from 0.")
)

const changes = {
  reset: "Make a key usable from now on that rests, was refused or was disabled.",
  disable: "Set a key aside until it is reset, leaves the configuration, or the gateway is started again."
}

/**
 * Fails with `InvalidConfig`, and with `AdminFailed` if the gateway does not answer or refuses.
 *
 * @param config the flag that names the configuration file
 * @param readAdmin what the gateway has read, too: where its admin API is, and the token
 */
export const make = (
  config: Flag.Flag<Option.Option<string>>,
  readAdmin: (file: Option.Option<string>) => Effect.Effect<AdminConfig, InvalidConfig>
) => {
  const connection = { config, url }

  const ask = <A>(
    from: { readonly config: Option.Option<string>; readonly url: Option.Option<string> },
    question: Parameters<typeof AdminClient.ask<A>>[1]
  ) =>
    Effect.flatMap(readAdmin(from.config), (admin) =>
      AdminClient.ask({ url: Option.getOrElse(from.url, () => AdminClient.urlOf(admin)), token: admin.token }, question)
    )

  const change = (name: keyof typeof changes) =>
    Command.make(name, { ...connection, json, provider: providerArgument, key: keyArgument }).pipe(
      Command.withDescription(changes[name]),
      Command.withHandler(({ json: asJson, provider, key, ...from }) =>
        Effect.gen(function* () {
          const changed = yield* ask(from, ({ operations }) => operations[name]({ params: { provider, key } }))
          const now = yield* Clock.currentTimeMillis
          yield* Console.log(asJson ? JSON.stringify(changed, undefined, 2) : KeyTable.sentence(changed, now))
        })
      )
    )

  return Command.make("keys", { ...connection, json }).pipe(
    Command.withDescription("Print the keys of the running gateway: their states, until when, and why."),
    Command.withHandler(({ json: asJson, ...from }) =>
      Effect.gen(function* () {
        const pools = yield* ask(from, ({ operations }) => operations.pools())
        const now = yield* Clock.currentTimeMillis
        yield* Console.log(asJson ? JSON.stringify(pools, undefined, 2) : KeyTable.render(pools, now))
      })
    ),
    Command.withSubcommands([change("reset"), change("disable")])
  )
}
