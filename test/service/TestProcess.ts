/** The `aibridge` program in a process of its own. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as ChildProcess from "node:child_process"
import process from "node:process"
import { fileURLToPath } from "node:url"

export interface TestProcess {
  readonly output: () => string
  readonly errors: () => string
  /** Waits until the output has something that matches; what it was. A defect if it has not after 30 seconds. */
  readonly says: (pattern: RegExp) => Effect.Effect<string>
  readonly signal: (name: "SIGTERM" | "SIGINT" | "SIGHUP") => Effect.Effect<void>
  /** Waits for the end: an exit code, or the signal that killed it. */
  readonly ended: Effect.Effect<number | string>
}

const limit = "30 seconds"

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url))

/** Starts `aibridge serve`, as `run`. */
export const serve = (environment: Readonly<Record<string, string>>) => run("serve", environment)

/**
 * Starts a command of `aibridge` with nothing but these variables in its environment, and any free port for the admin API;
 * killed when the scope closes.
 */
export const run = (
  command: string,
  environment: Readonly<Record<string, string>>,
  flags: ReadonlyArray<string> = []
): Effect.Effect<TestProcess, never, Scope.Scope> =>
  Effect.gen(function* () {
    const end = Deferred.makeUnsafe<number | string>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        ChildProcess.spawn(process.execPath, [main, command, ...flags], {
          env: { AIBRIDGE_ADMIN_PORT: "0", ...environment },
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
    let waiting: (() => void) | undefined
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text
      waiting?.()
    })
    child.stderr.setEncoding("utf8").on("data", (text) => {
      errors += text
    })
    child.on("close", (code, signal) => {
      Deferred.doneUnsafe(end, Effect.succeed(code ?? signal ?? "unknown"))
    })
    return {
      output: () => output,
      errors: () => errors,
      says: (pattern) =>
        Effect.callback<string>((resume) => {
          waiting = () => {
            const match = pattern.exec(output)
            if (match !== null) resume(Effect.succeed(match[1] ?? match[0]))
          }
          waiting()
        }).pipe(Effect.timeout(limit), Effect.orDie),
      signal: (name) => Effect.sync(() => void child.kill(name)),
      ended: Deferred.await(end).pipe(Effect.timeout(limit), Effect.orDie)
    }
  })
