/** The `ApiDump` of the Node service: one file for each request, answer and failure, of each attempt. */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import { join, resolve } from "node:path"
import type { AnswerDump, Attempt } from "./ApiDump.ts"
import { ApiDump } from "./ApiDump.ts"
import * as AttemptFiles from "./dump/AttemptFiles.ts"
import * as Backlog from "./dump/Backlog.ts"
import { Complaints } from "./dump/Complaints.ts"
import * as DumpText from "./dump/DumpText.ts"

/**
 * The directory for the dumps of a provider, in a directory of the provider's name below it; `undefined` for no dumps. Asked for each
 * request. Relative to the working directory unless it begins at the root; made when it is needed.
 */
export type DirectoryOf = (provider: string) => string | undefined

/**
 * Below `<directory>/<provider>` there is `<model>/<ms>-<interception id>-<attempt>` of what is read, and
 * `passthrough/<ms>-<path>-<random>-<attempt>` of what is relayed blind, each with `.req.txt`, `.resp.txt`, `.req_error.txt`
 * (there was no answer) and `.resp_error.txt` (it broke off) at its end. Only their owner may read them. Secrets in headers are
 * masked; bodies are as they are, but for the white space of requests that are JSON.
 *
 * Nothing waits for the files, and no failure of theirs is a request's: there is one line in the log until they work again.
 * What is left when the layer closes has 5 seconds. The first dump in a directory is logged as a warning, as it holds what was said.
 */
export const layer = (directoryOf: DirectoryOf): Layer.Layer<never> =>
  Layer.effect(
    ApiDump,
    Effect.gen(function* () {
      const writers = yield* FiberSet.make<void>()
      yield* Effect.addFinalizer(() => Effect.timeoutOption(FiberSet.awaitEmpty(writers), lastWrites))
      const total: Backlog.Total = { waiting: 0 }
      // By the directory.
      const complaints = new Map<string, Complaints>()

      const begin = (stem: string, attempt: Attempt, complain: Complaints): Effect.Effect<AnswerDump> => {
        const size = (attempt.request.body?.length ?? 0) + overhead
        if (total.waiting + size > Backlog.maximumOfAll) return Effect.as(complain.say(tooSlow), nobody)
        total.waiting += size
        const released = Effect.sync(() => {
          total.waiting -= size
        })
        return Effect.flatMap(Backlog.make(total), (backlog) => {
          const ended = Effect.suspend(() => (backlog.isCut ? complain.say(tooSlow) : complain.worksAgain))
          const written = Effect.ensuring(AttemptFiles.writeRequest(stem, attempt), released).pipe(
            Effect.andThen(AttemptFiles.writeAnswer(stem, attempt, backlog)),
            Effect.andThen(ended),
            Effect.catchTag("CannotWrite", ({ code }) => complain.say(cannotWrite, code)),
            Effect.catchDefect((defect) => Effect.logError("dump failed by a defect", defect)),
            Effect.ensuring(backlog.close)
          )
          // It begins when the attempt has been sent.
          return Effect.as(FiberSet.run(writers, written, { startImmediately: false }), backlog)
        })
      }

      return {
        request: (facts) => {
          const { provider } = facts
          const base = directoryOf(provider)
          if (base === undefined) return undefined
          const directory = join(resolve(base), DumpText.segment(provider))
          const complain = complaints.get(directory) ?? new Complaints({ provider, directory })
          const random = crypto.randomUUID().slice(0, 8)
          let attempts = 0
          let begun: number | undefined
          return (attempt) =>
            Effect.clockWith((clock) => {
              begun ??= clock.currentTimeMillisUnsafe()
              const place = DumpText.place(facts, attempt, { begun, random, number: ++attempts })
              const begins = begin(join(directory, ...place), attempt, complain)
              if (complaints.has(directory)) return begins
              complaints.set(directory, complain)
              return Effect.andThen(announce({ provider, directory }), begins)
            })
        }
      }
    })
  )

const announce = (facts: Readonly<Record<string, string>>) => Effect.annotateLogs(Effect.logWarning(inTheClear), facts)

const inTheClear = "dumps are on: requests and answers are written to files, with all prompts in the clear"
const cannotWrite = "dumps cannot be written; requests go on without them"
const tooSlow = "dumps are not complete: the disk is slower than what comes"

const lastWrites = "5 seconds"

// What an attempt takes besides its body while it waits, roughly.
const overhead = 4096

const nobody: AnswerDump = { head: () => {}, bytes: () => {}, failed: () => {}, end: () => {} }
