/** Where the events of interceptions go. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { RecordEvent } from "../domain/RecordEvent.ts"

/** Takes what happens in interceptions. */
export class Recorder extends Context.Service<
  Recorder,
  {
    /**
     * Takes an event; what is done with it happens later. Never fails and never waits: a recorder has nothing to say about a
     * request. Answers whether it was taken: one whose queue is full drops it.
     */
    readonly record: (event: RecordEvent) => Effect.Effect<boolean>
    /** Whether anything is kept. If not, nothing is read of answers for it. */
    readonly keeps: boolean
    /** Whether it would take a start right now. */
    readonly isUsable: () => boolean
  }
>()("effect-aibridge/record/Recorder") {}

/** Forgets everything. */
export const layerNoop: Layer.Layer<Recorder> = Layer.sync(Recorder, () => ({
  record: () => taken,
  keeps: false,
  isUsable: () => true
}))

const taken = Effect.succeed(true)

/** What a memory recorder has taken, in order. */
export class RecordedEvents extends Context.Service<
  RecordedEvents,
  {
    readonly all: Effect.Effect<ReadonlyArray<RecordEvent>>
  }
>()("effect-aibridge/record/RecordedEvents") {}

/** Keeps everything in memory, for tests. */
export const layerMemory: Layer.Layer<Recorder | RecordedEvents> = Layer.effectContext(
  Effect.sync(() => {
    const events: Array<RecordEvent> = []
    return Context.make(Recorder, {
      record: (event) =>
        Effect.sync(() => {
          events.push(event)
          return true
        }),
      keeps: true,
      isUsable: () => true
    }).pipe(Context.add(RecordedEvents, { all: Effect.sync(() => [...events]) }))
  })
)
