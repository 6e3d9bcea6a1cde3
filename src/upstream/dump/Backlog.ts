/** What has come back in one attempt and waits for the disk: bounded, so that a slow one does not fill the memory. */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type { UpstreamError } from "../../domain/UpstreamError.ts"
import type { AnswerDump } from "../ApiDump.ts"
import type { UpstreamResponse } from "../Upstream.ts"

export type Head = Pick<UpstreamResponse, "status" | "headers">

/** A head, then bytes; a failure in place of the one or at the end of the other. */
export type Part = Head | Uint8Array | UpstreamError

/** So much may wait of one attempt, and of all together. Bytes. */
export const maximumOfOne = 8 * 1024 * 1024
export const maximumOfAll = 64 * 1024 * 1024

/** How many bytes wait, of all attempts. */
export interface Total {
  waiting: number
}

/** The last line of a file that is not all that has come. */
const cutLine = new TextEncoder().encode("\n[the dump ends here: too much was waiting to be written]\n")

export const make = (total: Total): Effect.Effect<Backlog> =>
  Effect.map(Queue.unbounded<Part, Cause.Done>(), (queue) => new Backlog(queue, total))

export class Backlog implements AnswerDump {
  /** Whether bytes were left out. */
  isCut = false
  private waiting = 0
  private readonly queue: Queue.Queue<Part, Cause.Done>
  private readonly total: Total

  constructor(queue: Queue.Queue<Part, Cause.Done>, total: Total) {
    this.queue = queue
    this.total = total
  }

  /** Waits for what comes next; nothing at the end. */
  get take(): Effect.Effect<ReadonlyArray<Part>> {
    return Effect.catch(Queue.takeAll(this.queue), () => Effect.succeed([]))
  }

  /** What was taken waits no longer. */
  written(parts: ReadonlyArray<Part>): void {
    for (const part of parts) if (part instanceof Uint8Array) this.count(-part.length)
  }

  /** Nobody takes any more: what waits, or is still to come, is forgotten. */
  readonly close = Effect.suspend(() => {
    this.count(-this.waiting)
    return Queue.shutdown(this.queue)
  })

  head(head: Head): void {
    Queue.offerUnsafe(this.queue, head)
  }

  bytes(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.isCut) return
    const { length } = chunk
    this.isCut = this.waiting + length > maximumOfOne || this.total.waiting + length > maximumOfAll
    const taken = this.isCut ? cutLine : chunk
    if (Queue.offerUnsafe(this.queue, taken)) this.count(taken.length)
  }

  failed(error: UpstreamError): void {
    Queue.offerUnsafe(this.queue, error)
  }

  readonly end = (): void => {
    Queue.endUnsafe(this.queue)
  }

  private count(bytes: number): void {
    this.waiting += bytes
    this.total.waiting += bytes
  }
}
