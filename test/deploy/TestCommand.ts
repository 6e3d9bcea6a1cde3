/** Any program in a process of its own. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ChildProcess from "node:child_process"
import { dirname, delimiter } from "node:path"
import process from "node:process"

export interface Options {
  readonly directory: string
  /** Beside `PATH`, which begins with the Node that runs the tests. Default none. */
  readonly environment?: Readonly<Record<string, string>>
}

export interface TestCommand {
  /** What it has printed so far. */
  readonly output: () => string
  readonly errors: () => string
  /** Waits until the output has something that matches; its first group. A defect if the program ends without. */
  readonly says: (pattern: RegExp) => Effect.Effect<string>
  readonly signal: (name: "SIGTERM" | "SIGINT" | "SIGHUP") => Effect.Effect<void>
  /** Waits for the end. */
  readonly ended: Effect.Effect<End>
}

export interface End {
  /** The exit code, or the signal that killed it. */
  readonly code: number | string
  readonly output: string
  readonly errors: string
}

/** Starts a program, which is killed when the scope closes. */
export const start = (
  command: string,
  parameters: ReadonlyArray<string>,
  { directory, environment = {} }: Options
): Effect.Effect<TestCommand, never, Scope.Scope> =>
  Effect.gen(function* () {
    const end = Deferred.makeUnsafe<End>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        ChildProcess.spawn(command, parameters, {
          cwd: directory,
          env: { PATH: dirname(process.execPath) + delimiter + process.env["PATH"], ...environment },
          stdio: ["ignore", "pipe", "pipe"]
        })
      ),
      (running) => {
        running.kill("SIGKILL")
        return Deferred.await(end)
      }
    )
    let output = ""
    let errors = ""
    const waiting = new Set<() => void>()
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text
      for (const look of waiting) look()
    })
    child.stderr.setEncoding("utf8").on("data", (text) => {
      errors += text
    })
    // A program that cannot be started, which is followed by "close", too.
    child.on("error", (error) => {
      errors += error.message
    })
    child.on("close", (code, signal) => {
      Deferred.doneUnsafe(end, Effect.succeed({ code: code ?? signal ?? "unknown", output, errors }))
    })
    const found = (pattern: RegExp) =>
      Effect.callback<string>((resume) => {
        const look = () => {
          const match = pattern.exec(output)
          if (match !== null) resume(Effect.succeed(match[1] ?? match[0]))
        }
        waiting.add(look)
        look()
        return Effect.sync(() => waiting.delete(look))
      })
    const ended = Deferred.await(end)
    return {
      output: () => output,
      errors: () => errors,
      says: (pattern) =>
        Effect.raceFirst(
          found(pattern),
          Effect.flatMap(ended, (early) => Effect.die(new Error(`ended too early: ${JSON.stringify(early)}`)))
        ),
      signal: (name) => Effect.sync(() => void child.kill(name)),
      ended
    }
  })

/** Runs a program to its end. */
export const run = (command: string, parameters: ReadonlyArray<string>, options: Options): Effect.Effect<End> =>
  Effect.scoped(Effect.flatMap(start(command, parameters, options), ({ ended }) => ended))

/** Runs a program that has to end well; what it printed. */
export const output = (command: string, parameters: ReadonlyArray<string>, options: Options): Effect.Effect<string> =>
  Effect.flatMap(run(command, parameters, options), (end) =>
    end.code === 0
      ? Effect.succeed(end.output)
      : Effect.die(new Error(`${command} ${parameters.join(" ")} ended with ${end.code}: ${end.errors}${end.output}`))
  )
