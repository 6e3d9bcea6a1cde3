/** The commands of `aibridge`: arguments and environment become layers and run. */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Runtime from "effect/Runtime"
import * as Stream from "effect/Stream"
import { readFileSync } from "node:fs"
import process from "node:process"
import * as InterceptionsCommand from "./service/admin/InterceptionsCommand.ts"
import * as KeysCommand from "./service/admin/KeysCommand.ts"
import { ConfigFiles } from "./service/ConfigFiles.ts"
import * as EffectiveConfig from "./service/EffectiveConfig.ts"
import type { Environment } from "./service/ConfigSource.ts"
import type { Hangups } from "./service/Hangups.ts"
import * as LiveCheck from "./service/LiveCheck.ts"
import * as NewToken from "./service/NewToken.ts"
import * as Service from "./service/Service.ts"
import * as ServiceConfig from "./service/ServiceConfig.ts"
import * as UpstreamUndici from "./upstream/UpstreamUndici.ts"

const configFile = Flag.String("config").pipe(
  Flag.withAlias("c"),
  Flag.withDescription(
    "A configuration file (.yaml, .toml or .json); variables win over it. Default: AIBRIDGE_CONFIG."
  ),
  Flag.optional
)

/** Where the configuration stands: a file and variables. */
interface Place {
  readonly environment: Environment
  readonly hangups: Hangups
  readonly files: ConfigFiles
}

const sourceOf = ({ environment }: Place, file: Option.Option<string>) => ({
  environment,
  file: Option.getOrElse(file, () => environment["AIBRIDGE_CONFIG"]?.trim() || undefined)
})

const readConfig = (place: Place, file: Option.Option<string>) =>
  ServiceConfig.load({ ...sourceOf(place, file), readFile: place.files.readFile })

const readAdmin = (place: Place, file: Option.Option<string>) =>
  ServiceConfig.loadAdmin({ ...sourceOf(place, file), readFile: place.files.readFile })

const signalsOf = (place: Place) =>
  Stream.callback<string>((queue) =>
    Effect.sync(() => place.hangups.listen(() => void Queue.offerUnsafe(queue, "SIGHUP")))
  )

// Loaded only where it is served.
const simulated = Effect.flatMap(
  Effect.promise(() => import("./demo/SimulatedProvider.ts")),
  (SimulatedProvider) => SimulatedProvider.start
)

const serve = (place: Place) =>
  Command.make("serve", { config: configFile }).pipe(
    Command.withDescription(
      "Run the gateway in the foreground. Without AIBRIDGE_PROVIDER_0_TYPE it serves simulated providers."
    ),
    Command.withHandler(({ config: file }) =>
      Effect.gen(function* () {
        const config = yield* readConfig(place, file)
        return yield* Layer.launch(
          Service.layer({
            config,
            reloadFrom: { ...sourceOf(place, file), files: place.files, signals: signalsOf(place) },
            version: manifest.version,
            nodeVersion: process.version,
            simulated,
            onListening: (banner) => Console.log(banner)
          })
        ).pipe(Effect.provide(config.structuredLogging ? Logger.layer([Logger.consoleJson]) : Layer.empty))
      })
    )
  )

const json = Flag.Boolean("json").pipe(Flag.withDescription("Print JSON."), Flag.withDefault(false))

const check = (place: Place) =>
  Command.make("check", {
    config: configFile,
    live: Flag.Boolean("live").pipe(
      Flag.withDescription("Also ask each key for the list of models, which costs nothing."),
      Flag.withDefault(false)
    ),
    json
  }).pipe(
    Command.withDescription(
      "Check the configuration and print it as it holds, secrets masked. Ends with code 1 if the gateway could not start with it, or a key does not work."
    ),
    Command.withHandler(({ config: file, live, json: asJson }) =>
      Effect.gen(function* () {
        const config = yield* readConfig(place, file)
        const answers = live
          ? yield* LiveCheck.ask(config).pipe(Effect.provide(UpstreamUndici.layer(config.proxy)))
          : []
        const { warnings } = config
        const effective = EffectiveConfig.mask(config)
        yield* asJson
          ? Console.log(JSON.stringify({ config: effective, warnings, ...(live && { keys: answers }) }, undefined, 2))
          : Console.log(
              [
                ...EffectiveConfig.render(effective),
                ...warnings.map((warning) => `warning: ${warning}`),
                ...answers.map(
                  ({ provider, key, outcome, detail }) => `key ${key} of ${provider} ${outcome} (${detail})`
                ),
                config.providers.length === 0
                  ? "the configuration is valid; no provider is configured, simulated ones are served"
                  : "the configuration is valid"
              ].join("\n")
            )
        if (answers.some(({ outcome }) => outcome === "refused" || outcome === "failed")) {
          process.exitCode = 1
        }
      })
    )
  )

const schema = Command.make("schema").pipe(
  Command.withDescription("Print the JSON Schema of the configuration file, for editors."),
  Command.withHandler(() => Console.log(JSON.stringify(ServiceConfig.jsonSchema, undefined, 2)))
)

const createToken = Command.make("create", {
  name: Argument.String("name").pipe(
    Argument.withDescription("Who gets it: the name that records and providers are told."),
    Argument.filter(NewToken.isName, () => "a name must not be blank, or hold a comma or an equals sign")
  )
}).pipe(
  Command.withDescription("Print a new token for a caller, once, and the setting by which the gateway knows it."),
  Command.withHandler(({ name }) =>
    NewToken.make(name).pipe(
      Effect.flatMap((made) => Console.log(NewToken.render(made))),
      Effect.provide([NodeCrypto.layerDigest, NodeCrypto.layerSecureRandom])
    )
  )
)

const token = Command.make("token").pipe(
  Command.withDescription("Make the tokens by which callers are known."),
  Command.withSubcommands([createToken])
)

const aibridge = (place: Place) => {
  const admin = { config: configFile, readAdmin: (file: Option.Option<string>) => readAdmin(place, file) }
  return Command.make("aibridge").pipe(
    Command.withDescription("A gateway between AI clients and AI providers, whose keys fail over."),
    Command.withSubcommands([
      serve(place),
      check(place),
      KeysCommand.make(admin),
      InterceptionsCommand.interceptions(admin),
      InterceptionsCommand.usage(admin),
      schema,
      token
    ])
  )
}

const manifest: { readonly version: string } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8")
)

/** Runs the command that the arguments name, and ends the process. */
export const run = (environment: Environment, hangups: Hangups): void => {
  // The first signal stops the gateway in order; whoever sends another one does not want to wait.
  let signals = 0
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (++signals > 1) process.exit(1)
    })
  }
  aibridge({ environment, hangups, files: new ConfigFiles() }).pipe(
    Command.run({ version: manifest.version }),
    Effect.catchTags({
      InvalidConfig: (error) => refuse("the configuration is not valid:", error.problems),
      InvalidKeys: (error) => refuse("cannot start:", [error.message]),
      InvalidProvider: (error) => refuse("cannot start:", [error.message]),
      CannotListen: (error) => refuse("cannot start:", [error.message]),
      AdminFailed: (error) => refuse("failed:", [error.message]),
      // What is wrong with the command line was printed with the help. Help that was asked for is no failure.
      ShowHelp: ({ errors }) => Effect.sync(() => void (process.exitCode = errors.length > 0 ? 2 : 0))
    }),
    Effect.provide([NodeServices.layer, Logger.layer([Logger.consoleLogFmt])]),
    NodeRuntime.runMain({
      // Being stopped by a signal is no failure: service managers look at the code.
      teardown: (exit, onExit) =>
        Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)
    })
  )
}

function refuse(title: string, lines: ReadonlyArray<string>): Effect.Effect<void> {
  return Effect.andThen(
    Console.error([`aibridge: ${title}`, ...lines.map((line) => `  ${line}`)].join("\n")),
    Effect.sync(() => {
      process.exitCode = 1
    })
  )
}
