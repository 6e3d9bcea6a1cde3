/** A configuration file in a directory of its own, which a test writes again and again. */
import * as Effect from "effect/Effect"
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface TestConfigFile {
  /** Where it is, for a gateway to read. */
  readonly path: string
  /** Writes other settings in its place, in one step. */
  readonly write: (settings: unknown) => Effect.Effect<unknown>
  readonly remove: Effect.Effect<void>
  /** A file beside it, written in the same way. */
  readonly beside: (name: string, text: string) => Effect.Effect<string>
}

/** Removed when the scope closes. */
export const make = (settings: unknown) =>
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "aibridge-"))),
      (made) => Effect.sync(() => rmSync(made, { recursive: true }))
    )
    const path = join(directory, "aibridge.json")
    const file: TestConfigFile = {
      path,
      write: (next) => replace(path, typeof next === "string" ? next : JSON.stringify(next)),
      remove: Effect.sync(() => rmSync(path)),
      beside: (name, text) => replace(join(directory, name), text)
    }
    yield* file.write(settings)
    return file
  })

const replace = (target: string, text: string) =>
  Effect.sync(() => {
    writeFileSync(`${target}.new`, text)
    renameSync(`${target}.new`, target)
    return target
  })
