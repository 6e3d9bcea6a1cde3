/** `aibridge keys`: the keys of a running gateway, as its admin API says them. */
import * as Clock from "effect/Clock"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as AdminCommand from "./AdminCommand.ts"
import * as KeyTable from "./KeyTable.ts"

const providerArgument = Argument.String("provider").pipe(Argument.withDescription("The provider's name."))

const keyArgument = Argument.String("key").pipe(
  Argument.withDescription("The key's masked form, as it is printed, or its place in the pool, from 0.")
)

const changes = {
  reset: "Make a key usable from now on that rests, was refused or was disabled.",
  disable: "Set a key aside until it is reset, leaves the configuration, or the gateway is started again."
}

/** Fails with `InvalidConfig`, and with `AdminFailed` if the gateway does not answer or refuses. */
export const make = (options: AdminCommand.Options) => {
  const connection = AdminCommand.connection(options)

  const change = (name: keyof typeof changes) =>
    Command.make(name, { ...connection, json: AdminCommand.json, provider: providerArgument, key: keyArgument }).pipe(
      Command.withDescription(changes[name]),
      Command.withHandler(({ json: asJson, provider, key, ...from }) =>
        Effect.gen(function* () {
          const changed = yield* AdminCommand.ask(options, from, ({ operations }) =>
            operations[name]({ params: { provider, key } })
          )
          const now = yield* Clock.currentTimeMillis
          yield* Console.log(asJson ? AdminCommand.asJson(changed) : KeyTable.sentence(changed, now))
        })
      )
    )

  return Command.make("keys", { ...connection, json: AdminCommand.json }).pipe(
    Command.withDescription("Print the keys of the running gateway: their states, until when, and why."),
    Command.withHandler(({ json: asJson, ...from }) =>
      Effect.gen(function* () {
        const pools = yield* AdminCommand.ask(options, from, ({ operations }) => operations.pools())
        const now = yield* Clock.currentTimeMillis
        yield* Console.log(asJson ? AdminCommand.asJson(pools) : KeyTable.render(pools, now))
      })
    ),
    Command.withSubcommands([change("reset"), change("disable")])
  )
}
