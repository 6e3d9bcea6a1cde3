/** What all commands that ask a running gateway have in common. */
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { AdminConfig } from "../AdminConfig.ts"
import type { InvalidConfig } from "../ServiceConfig.ts"
import * as AdminClient from "./AdminClient.ts"

export interface Options {
  /** The flag that names the configuration file. */
  readonly config: Flag.Flag<Option.Option<string>>
  /** What the gateway has read, too: where its admin API is, and the token. */
  readonly readAdmin: (file: Option.Option<string>) => Effect.Effect<AdminConfig, InvalidConfig>
}

/** Where to ask, as flags. */
export const connection = ({ config }: Options) => ({
  config,
  url: Flag.String("url").pipe(
    Flag.withDescription("Where the admin API is. Default: where the configuration says."),
    Flag.optional
  )
})

export const json = Flag.Boolean("json").pipe(Flag.withDescription("Print JSON."), Flag.withDefault(false))

/** Asks one thing. Fails with `InvalidConfig`, and with `AdminFailed` if the gateway does not answer or refuses. */
export const ask = <A>(
  { readAdmin }: Options,
  from: { readonly config: Option.Option<string>; readonly url: Option.Option<string> },
  question: Parameters<typeof AdminClient.ask<A>>[1]
) =>
  Effect.flatMap(readAdmin(from.config), (admin) =>
    AdminClient.ask({ url: Option.getOrElse(from.url, () => AdminClient.urlOf(admin)), token: admin.token }, question)
  )

/** For programs. */
export const asJson = (value: unknown): string => JSON.stringify(value, undefined, 2)
