/** The files of a configuration on this machine's disk, and whether they have changed since they were read. */
import * as Result from "effect/Result"
import type { Stats } from "node:fs"
import { readFileSync, statSync } from "node:fs"
import { codeOf } from "../domain/UpstreamError.ts"

export class ConfigFiles {
  // As they were right before they were read.
  private readonly read = new Map<string, string>()
  private candidate: string | undefined
  private isAgain = false

  /**
   * The text of a file, or why it cannot be read, such as `ENOENT`. It is read at once, and everything waits for it: so no large
   * ones, and when it is read again, none that somebody has yet to write into, such as a pipe.
   */
  readonly readFile = (path: string): Result.Result<string, string> => {
    const found = look(path)
    this.read.set(path, fingerprint(found))
    if (Result.isSuccess(found) && this.isAgain && !found.success.isFile() && !found.success.isDirectory()) {
      return Result.fail("no regular file")
    }
    if (Result.isSuccess(found) && found.success.size > maximumBytes) return Result.fail("larger than 1 MiB")
    return Result.try({ try: () => readFileSync(path, "utf8"), catch: codeOf })
  }

  /** Forgets all files: what is read from now on is what counts. */
  forget(): void {
    this.read.clear()
    this.candidate = undefined
    this.isAgain = true
  }

  /**
   * To be asked again and again: whether files are other ones than those that were read, and have been so the last time, too. A
   * file that is being written is not one to be read yet.
   */
  haveChanged(): boolean {
    const present = Array.from(this.read.keys(), (path) => fingerprint(look(path))).join("\n")
    const isChanged = present !== Array.from(this.read.values()).join("\n")
    const isSettled = isChanged && present === this.candidate
    this.candidate = isChanged ? present : undefined
    return isSettled
  }
}

const maximumBytes = 1024 * 1024

// Also of what a link leads to: mounted secrets are swapped that way.
const look = (path: string): Result.Result<Stats, string> => Result.try({ try: () => statSync(path), catch: codeOf })

const fingerprint = (found: ReturnType<typeof look>): string => {
  if (Result.isFailure(found)) return found.failure
  const { ino, size, mtimeMs, ctimeMs } = found.success
  return [ino, size, mtimeMs, ctimeMs].join(":")
}
