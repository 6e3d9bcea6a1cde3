/** Where the events of interceptions go. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { RecordEvent } from "../domain/RecordEvent.ts"

/** Takes what happens in interceptions. */
export class Recorder extends Context.Service<
  Recorder,
  {
    /** Takes an event. Never fails and never waits: a recorder has nothing to say about a request. */
    readonly record: (event: RecordEvent) => Effect.Effect<void>
  }
>()("effect-aibridge/record/Recorder") {}

/** Forgets everything. */
export const layerNoop: Layer.Layer<Recorder> = Layer.succeed(Recorder, { record: () => Effect.void })

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
      record: (event) => Effect.sync(() => void events.push(event))
    }).pipe(Context.add(RecordedEvents, { all: Effect.sync(() => [...events]) }))
  })
)
