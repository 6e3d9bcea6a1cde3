#!/usr/bin/env node
/** The `aibridge` binary: arguments and environment become layers and run. The only file that reads the one or runs the other. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Runtime from "effect/Runtime"
import { readFileSync } from "node:fs"
import process from "node:process"
import * as Service from "./service/Service.ts"
import * as ServiceConfig from "./service/ServiceConfig.ts"

const serve = Command.make("serve").pipe(
  Command.withDescription(
    "Run the gateway in the foreground. Without AIBRIDGE_PROVIDER_0_TYPE it serves simulated providers."
  ),
  Command.withHandler(() =>
    Effect.gen(function* () {
      const config = yield* ServiceConfig.fromEnvironment(process.env)
      return yield* Layer.launch(
        Service.layer({
          config,
          nodeVersion: process.version,
          simulated,
          onListening: (banner) => Console.log(banner)
        })
      )
    })
  )
)

// Loaded only where it is served.
const simulated = Effect.flatMap(
  Effect.promise(() => import("./demo/SimulatedProvider.ts")),
  (SimulatedProvider) => SimulatedProvider.start
)

const check = Command.make("check").pipe(
  Command.withDescription("Check the configuration and end: with code 1 if the gateway could not start with it."),
  Command.withHandler(() =>
    Effect.gen(function* () {
      const { providers, warnings } = yield* ServiceConfig.fromEnvironment(process.env)
      yield* Effect.forEach(warnings, (warning) => Console.log(`warning: ${warning}`))
      const served = providers.length === 0 ? "none configured, simulated ones are served" : providers.length
      yield* Console.log(`the configuration is valid; providers: ${served}`)
    })
  )
)

const aibridge = Command.make("aibridge").pipe(
  Command.withDescription("A gateway between AI clients and AI providers, whose keys fail over."),
  Command.withSubcommands([serve, check])
)

const manifest: { readonly version: string } = JSON.parse(
  readFileSync(new URL("../package.json", import.meta.url), "utf8")
)

aibridge.pipe(
  Command.run({ version: manifest.version }),
  Effect.catchTags({
    InvalidConfig: (error) => refuse("cannot start, the configuration is not valid:", error.problems),
    InvalidKeys: (error) => refuse("cannot start:", [error.message]),
    InvalidProvider: (error) => refuse("cannot start:", [error.message]),
    CannotListen: (error) => refuse("cannot start:", [error.message])
  }),
  Effect.provide([NodeServices.layer, Logger.layer([Logger.consoleLogFmt])]),
  NodeRuntime.runMain({
    // Being stopped by a signal is no failure: service managers look at the code.
    teardown: (exit, onExit) =>
      Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)
  })
)

function refuse(title: string, lines: ReadonlyArray<string>): Effect.Effect<void> {
  return Effect.andThen(
    Console.error([`aibridge: ${title}`, ...lines.map((line) => `  ${line}`)].join("\n")),
    Effect.sync(() => {
      process.exitCode = 1
    })
  )
}
