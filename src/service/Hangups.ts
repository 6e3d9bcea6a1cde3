/** SIGHUP, which asks a daemon to read its configuration again: heard from the first moment on. Loads nothing. */
import { closeSync, openSync } from "node:fs"
import process from "node:process"

export class Hangups {
  private isWaiting = false
  private listener: (() => void) | undefined

  constructor() {
    process.on("SIGHUP", () => {
      if (isOfClosedTerminal()) process.kill(process.pid, "SIGTERM")
      else if (this.listener === undefined) this.isWaiting = true
      else this.listener()
    })
  }

  /** Tells one that has come before, too. */
  listen(listener: () => void): void {
    this.listener = listener
    if (this.isWaiting) listener()
    this.isWaiting = false
  }
}

// A terminal that was closed says so with the same signal, which means the opposite.
const isOfClosedTerminal = (): boolean => {
  if (!process.stdin.isTTY) return false
  try {
    closeSync(openSync("/dev/tty", "r"))
    return false
  } catch {
    return true
  }
}
