/**
 * A process that records: `node WriterProcess.ts <url> <prefix> once|forever|open`. Says `ready`, and begins with the first line
 * that it is told. `once`: records one interception and ends. `forever`: records one every 20 ms and names each. `open`: begins
 * one, says when it is written, and does not end.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { once } from "node:events"
import { Interceptions } from "../../src/record/Interceptions.ts"
import { Recorder } from "../../src/record/Recorder.ts"
import * as SqlRecorder from "../../src/record/sql/SqlRecorder.ts"
import { prompt, started } from "./Events.ts"

const [url = "", tablePrefix = "", mode = "once"] = process.argv.slice(2)

const say = (line: string): Effect.Effect<boolean> => Effect.sync(() => process.stdout.write(`${line}\n`))

const recordOne = Effect.gen(function* () {
  const { record } = yield* Recorder
  const id = crypto.randomUUID()
  const at = Date.now()
  yield* record(started(id, { at }))
  yield* record(prompt(id, "x".repeat(2000), { at }))
  yield* say(`${id} ${at}`)
})

const openOne = Effect.gen(function* () {
  const { record } = yield* Recorder
  const { get } = yield* Interceptions
  const id = crypto.randomUUID()
  yield* record(started(id, { at: Date.now() }))
  while ((yield* get(id)) === undefined) yield* Effect.sleep("20 millis")
  yield* say(`open ${id}`)
  return yield* Effect.never
})

const works = {
  once: recordOne,
  forever: Effect.forever(Effect.andThen(recordOne, Effect.sleep("20 millis"))),
  open: openOne
}

const work = mode === "open" || mode === "forever" ? works[mode] : works.once

process.stdout.write("ready\n")
await once(process.stdin, "data")
await Effect.runPromise(Effect.provide(work, SqlRecorder.layer({ url: Redacted.make(url), tablePrefix })))
process.stdin.destroy()
