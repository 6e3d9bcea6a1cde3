/** The files of a configuration on this machine's disk, and whether they have changed since they were read. */
import * as Result from "effect/Result"
import { readFileSync, statSync } from "node:fs"
import { codeOf } from "../domain/UpstreamError.ts"

export class ConfigFiles {
  // As they were right before they were read.
  private readonly read = new Map<string, string>()
  private candidate: string | undefined

  /** The text of a file, or the system's code for why it cannot be read, such as `ENOENT`. */
  readonly readFile = (path: string): Result.Result<string, string> => {
    this.read.set(path, fingerprint(path))
    return Result.try({ try: () => readFileSync(path, "utf8"), catch: codeOf })
  }

  /** Forgets all files: what is read from now on is what counts. */
  forget(): void {
    this.read.clear()
    this.candidate = undefined
  }

  /**
   * To be asked again and again: whether files are other ones than those that were read, and have been so the last time, too. A
   * file that is being written is not one to be read yet.
   */
  haveChanged(): boolean {
    const present = Array.from(this.read.keys(), fingerprint).join("\n")
    const isChanged = present !== Array.from(this.read.values()).join("\n")
    const isSettled = isChanged && present === this.candidate
    this.candidate = isChanged ? present : undefined
    return isSettled
  }
}

// Also of what a link leads to: mounted secrets are swapped that way.
const fingerprint = (path: string): string => {
  const found = Result.try({ try: () => statSync(path), catch: codeOf })
  if (Result.isFailure(found)) return found.failure
  const { ino, size, mtimeMs, ctimeMs } = found.success
  return [ino, size, mtimeMs, ctimeMs].join(":")
}
