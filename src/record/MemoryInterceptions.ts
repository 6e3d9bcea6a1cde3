/** A recorder in memory that can be read back, for tests. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { InterceptionEnded, InterceptionStarted, RecordEvent, ToolUsage } from "../domain/RecordEvent.ts"
import * as Cursor from "./Cursor.ts"
import type { Details, End, Filter, Sum, Summary } from "./Interceptions.ts"
import { badCursor, Interceptions } from "./Interceptions.ts"
import { RecordedEvents, Recorder } from "./Recorder.ts"

/** Keeps everything in this array, in order; layers of the same array see the same. Default: one of its own. */
export const layer = (events: Array<RecordEvent> = []): Layer.Layer<Recorder | RecordedEvents | Interceptions> =>
  Layer.succeedContext(
    Context.make(Recorder, {
      record: (event) =>
        Effect.sync(() => {
          events.push(event)
          return true
        }),
      keeps: true,
      isUsable: () => true
    }).pipe(
      Context.add(RecordedEvents, { all: Effect.sync(() => [...events]) }),
      Context.add(Interceptions, {
        list: (filter, paging = {}) =>
          Effect.suspend(() => {
            const after = paging.cursor === undefined ? undefined : Cursor.read(paging.cursor)
            if (paging.cursor !== undefined && after === undefined) return Effect.fail(badCursor)
            const rest = all(events)
              .filter((one) => matches(one, filter) && (after === undefined || isAfter(one, after)))
              .toSorted((one, other) => (isAfter(one, other) ? 1 : -1))
            return Effect.succeed(Cursor.page(rest, Cursor.limitOf(paging)))
          }),
        get: (id) => Effect.sync(() => details(events, id)),
        sums: (filter) => Effect.sync(() => sums(events, filter))
      })
    )
  )

const isAfter = (one: Summary, other: { readonly startedAt: number; readonly id: string }): boolean =>
  one.startedAt < other.startedAt || (one.startedAt === other.startedAt && one.id < other.id)

const matches = (one: Summary, { actor, client, session, model, from, to }: Filter): boolean =>
  (actor === undefined || one.actor.id === actor) &&
  (client === undefined || one.client === client) &&
  (session === undefined || one.clientSessionId === session) &&
  (model === undefined || one.model === model) &&
  (from === undefined || one.startedAt >= from) &&
  (to === undefined || one.startedAt < to)

const all = (events: ReadonlyArray<RecordEvent>): ReadonlyArray<Summary> =>
  events.filter((event) => event._tag === "InterceptionStarted").map((event) => summary(events, event))

const summary = (events: ReadonlyArray<RecordEvent>, { _tag, at, ...facts }: InterceptionStarted): Summary => {
  const ended = events.find((event) => event._tag === "InterceptionEnded" && event.id === facts.id)
  return {
    ...facts,
    startedAt: at,
    end: ended?._tag === "InterceptionEnded" ? end(events, ended, facts.correlatingToolCallId) : undefined
  }
}

const end = (events: ReadonlyArray<RecordEvent>, ended: InterceptionEnded, call: string | undefined): End => {
  const { _tag, id, ...facts } = ended
  const parentId = parentOf(events, id, call)
  return { ...facts, parentId, rootId: rootOf(events, id, new Set()) }
}

const parentOf = (events: ReadonlyArray<RecordEvent>, id: string, call: string | undefined): string | undefined =>
  events
    .filter((event): event is ToolUsage => event._tag === "ToolUsage")
    .filter((event) => event.call.id === call && event.interceptionId !== id)
    .toSorted((one, other) => one.at - other.at)
    .at(-1)?.interceptionId

const rootOf = (events: ReadonlyArray<RecordEvent>, id: string, seen: ReadonlySet<string>): string => {
  const started = events.find((event) => event._tag === "InterceptionStarted" && event.id === id)
  if (started?._tag !== "InterceptionStarted" || seen.has(id)) return id
  const parent = parentOf(events, id, started.correlatingToolCallId)
  return parent === undefined ? id : rootOf(events, parent, new Set([...seen, id]))
}

const details = (events: ReadonlyArray<RecordEvent>, id: string): Details | undefined => {
  const found = all(events).find((one) => one.id === id)
  if (found === undefined) return undefined
  const own = events.filter((event) => "interceptionId" in event && event.interceptionId === id)
  return {
    ...found,
    attempts: own.filter((event) => event._tag === "AttemptEnded"),
    prompts: own.filter((event) => event._tag === "PromptUsage"),
    tokens: own.filter((event) => event._tag === "TokenUsage"),
    tools: own.filter((event) => event._tag === "ToolUsage"),
    thoughts: own.filter((event) => event._tag === "ModelThought")
  }
}

const sums = (events: ReadonlyArray<RecordEvent>, filter: Filter): ReadonlyArray<Sum> => {
  const groups = new Map<string, Sum>()
  for (const one of all(events).filter((each) => matches(each, filter))) {
    const of = { actor: one.actor.id, model: one.model, day: new Date(one.startedAt).toISOString().slice(0, 10) }
    const key = JSON.stringify([of.day, of.actor, of.model])
    const none: Sum = { ...of, interceptions: 0, input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }
    const group = groups.get(key) ?? none
    const usages = (details(events, one.id)?.tokens ?? []).map(({ usage }) => usage)
    const total = (part: "input" | "output" | "cacheRead" | "cacheWrite"): number =>
      usages.reduce((sum, usage) => sum + usage[part], group[part])
    groups.set(key, {
      ...of,
      interceptions: group.interceptions + 1,
      input: total("input"),
      output: total("output"),
      cacheRead: total("cacheRead"),
      cacheWrite: total("cacheWrite")
    })
  }
  return [...groups.values()].toSorted((one, other) => (isBefore(one, other) ? -1 : 1))
}

const isBefore = (one: Sum, other: Sum): boolean => {
  if (one.day !== other.day) return one.day > other.day
  return one.actor === other.actor ? one.model < other.model : one.actor < other.actor
}
