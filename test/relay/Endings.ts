/** The ways in which a stream breaks off, as rows of a table. */
import type { UpstreamError } from "../../src/domain/UpstreamError.ts"
import * as Failure from "../../src/domain/UpstreamError.ts"

/** What the client reads when the upstream is gone before its last event. */
export const early = "upstream closed the stream early"

export const all: ReadonlyArray<{
  readonly ending: string
  readonly failure: UpstreamError | undefined
  readonly message: string
}> = [
  { ending: "is cut", failure: Failure.cut("ECONNRESET"), message: early },
  { ending: "times out", failure: Failure.timedOut(), message: "upstream timed out" },
  { ending: "ends", failure: undefined, message: early }
]
