import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Worker } from "node:worker_threads"

const outcomes = Effect.acquireUseRelease(
  Effect.sync(() => new Worker(new URL("./SilentUpstream.worker.ts", import.meta.url))),
  (worker) =>
    Effect.callback<unknown>((resume) => {
      worker.once("message", (message) => resume(Effect.succeed(message)))
      worker.once("error", (error) => resume(Effect.die(error)))
    }),
  (worker) => Effect.promise(() => worker.terminate())
)

describe("The default limits of UpstreamUndici", () => {
  it.live("let an upstream think for 10 minutes before its head and in the middle of its answer, not longer", () =>
    Effect.gen(function* () {
      const seen = yield* outcomes

      const limit = { before: "waiting", after: "TimedOut" }
      assert.deepStrictEqual(seen, { head: limit, body: limit })
    })
  )
})
