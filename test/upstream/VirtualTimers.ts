/** Timers of a thread that stand still until they are moved. Unlike others they can be refreshed after they have fired. */

let now = 0
const waiting = new Set<VirtualTimeout>()

/** Replaces `setTimeout` and `clearTimeout`. There is no way back: only for a thread of its own. */
export const install = (): void => {
  Object.defineProperty(globalThis, "setTimeout", { value: set })
  Object.defineProperty(globalThis, "clearTimeout", { value: clear })
}

/** Moves the time by so many milliseconds and runs what is due on the way, in order. */
export const advance = (millis: number): void => {
  const end = now + millis
  for (let next = earliest(end); next !== undefined; next = earliest(end)) {
    now = next.at
    waiting.delete(next)
    next.run()
  }
  now = end
}

const set = (run: (...args: ReadonlyArray<unknown>) => void, delay = 0, ...args: ReadonlyArray<unknown>) =>
  new VirtualTimeout(() => run(...args), delay)

const clear = (timeout: unknown): void => {
  if (timeout instanceof VirtualTimeout) timeout.close()
}

const earliest = (end: number): VirtualTimeout | undefined =>
  [...waiting].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0]

class VirtualTimeout {
  at = 0
  readonly run: () => void
  private readonly delay: number

  constructor(run: () => void, delay: number) {
    this.run = run
    this.delay = delay
    this.refresh()
  }

  refresh(): this {
    this.at = now + this.delay
    waiting.add(this)
    return this
  }

  close(): void {
    waiting.delete(this)
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }
}
