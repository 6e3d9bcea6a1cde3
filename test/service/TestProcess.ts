/** The `aibridge` program in a process of its own. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import process from "node:process"
import * as Repository from "../deploy/Repository.ts"
import * as TestCommand from "../deploy/TestCommand.ts"

export interface TestProcess extends Omit<TestCommand.TestCommand, "ended"> {
  /** Waits for the end: an exit code, or the signal that killed it. A defect after 30 seconds, as with `says`. */
  readonly ended: Effect.Effect<number | string>
}

/** Starts `aibridge serve`, as `run`. */
export const serve = (environment: Readonly<Record<string, string>>) => run("serve", environment)

/**
 * Starts a command of `aibridge` with nothing of ours but these variables in its environment, any free port for the admin API, and no database;
 * killed when the scope closes.
 */
export const run = (
  command: string,
  environment: Readonly<Record<string, string>>,
  flags: ReadonlyArray<string> = []
): Effect.Effect<TestProcess, never, Scope.Scope> =>
  Effect.map(
    TestCommand.start(process.execPath, ["src/main.ts", command, ...flags], {
      directory: Repository.root,
      environment: { AIBRIDGE_ADMIN_PORT: "0", AIBRIDGE_DATABASE_URL: "none", ...environment }
    }),
    (child) => ({
      ...child,
      says: (pattern) => soon(child.says(pattern)),
      ended: soon(Effect.map(child.ended, ({ code }) => code))
    })
  )

const soon = <A>(effect: Effect.Effect<A>): Effect.Effect<A> => effect.pipe(Effect.timeout("30 seconds"), Effect.orDie)
