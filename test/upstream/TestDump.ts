/** A directory for dumps, and what is in it. */
import * as Effect from "effect/Effect"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** An empty one, until the scope closes. */
export const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "aibridge-dump-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

export interface DumpFile {
  /** Below the directory. */
  readonly path: string
  readonly mode: number
  readonly bytes: Buffer
}

/** All files below a directory, by their paths. */
export const filesIn = (above: string): ReadonlyArray<DumpFile> =>
  entriesOf(above)
    .filter((path) => statSync(join(above, path)).isFile())
    .map((path) => ({ path, mode: modeOf(join(above, path)), bytes: readFileSync(join(above, path)) }))

/** The permissions of the directories below a directory. */
export const directoryModes = (above: string): ReadonlyArray<number> =>
  entriesOf(above)
    .map((path) => join(above, path))
    .filter((path) => statSync(path).isDirectory())
    .map(modeOf)

/** The paths without what is different each time: `T` is a time, `I` an interception's id, `R` random. */
export const shapes = (files: ReadonlyArray<DumpFile>): ReadonlyArray<string> =>
  files.map(({ path }) =>
    path
      .replace(/\/\d+-/, "/T-")
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/, "I")
      .replace(/-[0-9a-f]{8}-(?=\d+\.\w+\.txt$)/, "-R-")
  )

/** What is in the only file with such an ending. */
export const only = (files: ReadonlyArray<DumpFile>, ending: string): Buffer => {
  const found = files.filter(({ path }) => path.endsWith(ending))
  return found.length === 1 && found[0] !== undefined
    ? found[0].bytes
    : Buffer.from(`${found.length} files end in ${ending}`)
}

export interface Message {
  readonly start: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** A request or answer as HTTP writes it. */
export const parse = (file: Buffer): Message => {
  const end = file.indexOf("\r\n\r\n")
  const [start = "", ...lines] = file.subarray(0, end).toString().split("\r\n")
  const headers = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2)))
  return { start, headers, body: file.subarray(end + 4) }
}

const entriesOf = (above: string): ReadonlyArray<string> =>
  readdirSync(above, { recursive: true, encoding: "utf8" }).toSorted()

const modeOf = (path: string): number => statSync(path).mode & 0o777
