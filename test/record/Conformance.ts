/** What every backend that can be read back must do. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { RecordEvent } from "../../src/domain/RecordEvent.ts"
import { Interceptions } from "../../src/record/Interceptions.ts"
import type { Details, Filter, Page, Sum } from "../../src/record/Interceptions.ts"
import { Recorder } from "../../src/record/Recorder.ts"
import { attempt, ended, noon, prompt, started, thought, tokens, tool } from "./Events.ts"

export interface Settings {
  readonly recordContent?: boolean
}

/** One database. Layers of it see the same records, one after the other or at once. */
export type Database = (settings?: Settings) => Layer.Layer<Recorder | Interceptions, unknown>

/** A new and empty database. */
export type NewDatabase = Effect.Effect<Database, never, Scope.Scope>

/** Records these and ends the recorder, which writes what is left. */
export const write = (database: Database, events: ReadonlyArray<RecordEvent>, settings?: Settings) =>
  Effect.provide(
    Effect.flatMap(Recorder, ({ record }) => Effect.forEach(events, record)),
    database(settings),
    { local: true }
  ).pipe(Effect.orDie)

export const read = <A, E>(database: Database, use: (interceptions: Interceptions["Service"]) => Effect.Effect<A, E>) =>
  Effect.provide(Effect.flatMap(Interceptions, use), database(), { local: true }).pipe(Effect.orDie)

export const get = (database: Database, id: string): Effect.Effect<Details | undefined> =>
  read(database, (interceptions) => interceptions.get(id))

const ids = (page: Page): ReadonlyArray<string> => page.interceptions.map(({ id }) => id)

const sum = (more: Partial<Sum>): Sum => ({
  actor: "alice",
  model: "claude-sonnet-4-5",
  day: "2026-11-21",
  interceptions: 1,
  input: 10,
  output: 20,
  cacheRead: 30,
  cacheWrite: 40,
  ...more
})

export const suite = (newDatabase: NewDatabase): void => {
  it.effect("gives back every kind of event as it came", () =>
    Effect.gen(function* () {
      const database = yield* newDatabase
      const injected = tool("i1", "call_2", {
        at: noon + 5,
        injected: true,
        serverUrl: "https://tools.example/mcp",
        error: "no such issue"
      })
      const events = [
        started("i1"),
        attempt("i1", { number: 1, status: 429 }),
        attempt("i1", { number: 2, status: undefined, failure: "ECONNREFUSED" }),
        prompt("i1", "What is Effect?"),
        tokens("i1"),
        tokens("i1", { extra: {} }, { quality: "partial", messageId: undefined }),
        tool("i1", "call_1"),
        injected,
        thought("i1", "Hm."),
        thought("i1", "So:", { thought: { text: "So:", source: "commentary" } }),
        ended("i1", { attempts: 2 })
      ]

      const taken = yield* write(database, events)
      const details = yield* get(database, "i1")

      assert.deepStrictEqual(new Set(taken), new Set([true]))
      const expected: Details = {
        id: "i1",
        startedAt: noon,
        actor: { id: "alice", metadata: { team: "blue" } },
        provider: "main",
        providerType: "anthropic",
        endpoint: "/v1/messages",
        model: "claude-sonnet-4-5",
        stream: true,
        credentialKind: "centralized",
        client: "Claude Code",
        userAgent: "claude-cli/2.0.0",
        clientSessionId: "session-1",
        correlatingToolCallId: undefined,
        end: {
          at: noon + 1000,
          reason: "complete",
          status: 200,
          attempts: 2,
          credentialHint: "sk...aa",
          usageQuality: "final",
          parentId: undefined,
          rootId: "i1"
        },
        attempts: [
          attempt("i1", { number: 1, status: 429 }),
          attempt("i1", { number: 2, status: undefined, failure: "ECONNREFUSED" })
        ],
        prompts: [prompt("i1", "What is Effect?")],
        tokens: [tokens("i1"), tokens("i1", { extra: {} }, { quality: "partial", messageId: undefined })],
        tools: [tool("i1", "call_1"), injected],
        thoughts: [thought("i1", "Hm."), thought("i1", "So:", { thought: { text: "So:", source: "commentary" } })]
      }
      assert.deepStrictEqual(details, expected)
    })
  )

  it.effect("knows one that has not ended, and nothing of one that never started", () =>
    Effect.gen(function* () {
      const database = yield* newDatabase

      yield* write(database, [
        started("open", { userAgent: undefined, clientSessionId: undefined, credentialKind: "byok", stream: false }),
        prompt("never", "lost"),
        ended("never")
      ])
      const open = yield* get(database, "open")
      const never = yield* get(database, "never")

      assert.deepInclude(open, { end: undefined, userAgent: undefined, credentialKind: "byok", stream: false })
      assert.isUndefined(never)
    })
  )

  it.effect("takes what belongs to an interception in later batches than its start", () =>
    Effect.gen(function* () {
      const database = yield* newDatabase

      yield* write(database, [started("i1")])
      yield* write(database, [prompt("i1", "one")])
      yield* write(database, [ended("i1", { reason: "client_gone", status: undefined, credentialHint: undefined })])
      const details = yield* get(database, "i1")

      assert.strictEqual(details?.prompts[0]?.text, "one")
      assert.deepInclude(details?.end, { reason: "client_gone", status: undefined, credentialHint: undefined })
    })
  )

  it.effect(
    "links one that brings a tool's result to the one that called the tool, and to the first of the thread",
    () =>
      Effect.gen(function* () {
        const database = yield* newDatabase
        const third = { correlatingToolCallId: "call_2" }

        yield* write(database, [
          started("first"),
          tool("first", "call_1"),
          ended("first"),
          started("second", { correlatingToolCallId: "call_1" }),
          tool("second", "call_2"),
          ended("second")
        ])
        // It names its own call, too, which is none of another.
        yield* write(database, [started("third", third), tool("third", "call_2", { at: noon + 9 }), ended("third")])
        yield* write(database, [started("other", { correlatingToolCallId: "unheard" }), ended("other")])
        const links = yield* Effect.forEach(["first", "second", "third", "other"], (id) =>
          Effect.map(get(database, id), (details) => [details?.end?.parentId, details?.end?.rootId])
        )

        assert.deepStrictEqual(links, [
          [undefined, "first"],
          ["first", "first"],
          ["second", "first"],
          [undefined, "other"]
        ])
      })
  )

  it.effect("links to the latest one where several called a tool by the same id", () =>
    Effect.gen(function* () {
      const database = yield* newDatabase

      yield* write(database, [
        ...["late", "early"].flatMap((id) => [
          started(id),
          tool(id, "call_0", { at: id === "late" ? noon + 500 : noon + 4 }),
          ended(id)
        ]),
        started("child", { correlatingToolCallId: "call_0" }),
        ended("child")
      ])

      assert.strictEqual((yield* get(database, "child"))?.end?.parentId, "late")
    })
  )

  it.effect("takes those along that ended before their parent did", () =>
    Effect.gen(function* () {
      const database = yield* newDatabase

      yield* write(database, [
        started("root"),
        tool("root", "call_1"),
        ended("root"),
        started("parent", { correlatingToolCallId: "call_1" }),
        tool("parent", "call_2"),
        started("child", { correlatingToolCallId: "call_2" }),
        ended("child"),
        ended("parent")
      ])

      assert.deepInclude((yield* get(database, "child"))?.end, { parentId: "parent", rootId: "root" })
    })
  )

  const threads: ReadonlyArray<{ readonly order: string; readonly ends: ReadonlyArray<number> }> = [
    { order: "as they began", ends: [0, 1, 2, 3, 4] },
    { order: "the last one first", ends: [4, 3, 2, 1, 0] },
    { order: "crosswise", ends: [2, 4, 0, 3, 1] },
    { order: "the first one never", ends: [1, 3, 2, 4] }
  ]

  const inBatches = threads.flatMap((thread) => [
    { ...thread, batches: "one batch", size: Infinity },
    { ...thread, batches: "batches of two", size: 2 },
    { ...thread, batches: "a batch for each", size: 1 }
  ])

  it.effect.each(inBatches)("links a thread that ends $order, in $batches", ({ ends, size }) =>
    Effect.gen(function* () {
      const database = yield* newDatabase
      const begins = [0, 1, 2, 3, 4].flatMap((index) => [
        started(`i${index}`, { correlatingToolCallId: index === 0 ? undefined : `call_${index - 1}` }),
        tool(`i${index}`, `call_${index}`)
      ])
      const last = ends.map((index) => ended(`i${index}`))

      if (size > last.length) {
        yield* write(database, [...begins, ...last])
      } else {
        yield* write(database, begins)
        const batches = last.flatMap((_, at) => (at % size === 0 ? [last.slice(at, at + size)] : []))
        yield* Effect.forEach(batches, (batch) => write(database, batch))
      }
      const links = yield* read(database, ({ get: find }) =>
        Effect.forEach(ends, (index) =>
          Effect.map(find(`i${index}`), (details) => [index, details?.end?.parentId, details?.end?.rootId])
        )
      )

      assert.deepStrictEqual(
        links,
        ends.map((index) => [index, index === 0 ? undefined : `i${index - 1}`, "i0"])
      )
    })
  )

  it.effect("lists the latest first, page by page, each exactly once, while others come", () =>
    Effect.gen(function* () {
      const database = yield* newDatabase
      // Two at each instant, so that pages end between equals.
      const all = Array.from({ length: 11 }, (_, index) =>
        started(`i${String(index).padStart(2, "0")}`, { at: noon + Math.floor(index / 2) })
      )
      yield* write(database, all)

      const [first, second] = yield* read(database, (interceptions) =>
        Effect.gen(function* () {
          const one = yield* interceptions.list({}, { limit: 3 })
          return [one, yield* interceptions.list({}, { limit: 3, cursor: one.next })] as const
        })
      )
      yield* write(database, [started("new", { at: noon + 100 })])
      const rest = yield* read(database, (interceptions) => interceptions.list({}, { cursor: second.next }))

      assert.deepStrictEqual([...ids(first), ...ids(second), ...ids(rest)], all.map(({ id }) => id).toReversed())
      assert.lengthOf(second.interceptions, 3)
      assert.isUndefined(rest.next)
    })
  )

  it.effect("gives no cursor for a page that is just full, and refuses one that it has not given", () =>
    Effect.gen(function* () {
      const database = yield* newDatabase
      yield* write(database, [started("a"), started("b")])

      const page = yield* read(database, (interceptions) => interceptions.list({}, { limit: 2 }))
      const refused = yield* read(database, (interceptions) =>
        Effect.flip(interceptions.list({}, { cursor: "1' OR 1=1" }))
      )

      assert.isUndefined(page.next)
      assert.strictEqual(refused.reason._tag, "BadCursor")
    })
  )

  const filters: ReadonlyArray<{ readonly filter: Filter; readonly found: ReadonlyArray<string> }> = [
    { filter: {}, found: ["c", "b", "a"] },
    { filter: { actor: "bob" }, found: ["b"] },
    { filter: { client: "Codex" }, found: ["c"] },
    { filter: { session: "session-2" }, found: ["b"] },
    { filter: { model: "gpt-5" }, found: ["c"] },
    { filter: { from: noon + 1000 }, found: ["c", "b"] },
    { filter: { to: noon + 1000 }, found: ["a"] },
    { filter: { from: noon, to: noon + 2000, actor: "alice" }, found: ["a"] },
    { filter: { actor: "bob", model: "gpt-5" }, found: [] },
    { filter: { actor: "'; DROP TABLE x; --" }, found: [] }
  ]

  it.effect.each(filters)("lists those that match $filter", ({ filter, found }) =>
    Effect.gen(function* () {
      const database = yield* newDatabase
      yield* write(database, [
        started("a"),
        started("b", { at: noon + 1000, actor: { id: "bob", metadata: {} }, clientSessionId: "session-2" }),
        started("c", { at: noon + 2000, model: "gpt-5", client: "Codex", clientSessionId: undefined })
      ])

      assert.deepStrictEqual(ids(yield* read(database, (interceptions) => interceptions.list(filter))), found)
    })
  )

  it.effect("adds up tokens by actor, model and day", () =>
    Effect.gen(function* () {
      const database = yield* newDatabase
      const midnight = Date.UTC(2026, 10, 21)
      const bob = { id: "bob", metadata: {} }
      yield* write(database, [
        started("a", { at: midnight - 1 }),
        tokens("a", { input: 3_000_000_000 }),
        tokens("a"),
        started("b", { at: midnight - 1 }),
        tokens("b"),
        started("c", { at: midnight }),
        tokens("c"),
        started("d", { at: midnight, actor: bob }),
        tokens("d", { output: 1 }),
        started("e", { at: midnight, model: "gpt-5" })
      ])

      const sums = yield* read(database, (interceptions) => interceptions.sums({}))
      const bobs = yield* read(database, (interceptions) => interceptions.sums({ actor: "bob", from: midnight }))

      assert.deepStrictEqual(sums, [
        sum({}),
        sum({ model: "gpt-5", input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }),
        sum({ actor: "bob", output: 1 }),
        sum({
          day: "2026-11-20",
          interceptions: 2,
          input: 3_000_000_020,
          output: 60,
          cacheRead: 90,
          cacheWrite: 120
        })
      ])
      assert.deepStrictEqual(bobs, [sum({ actor: "bob", output: 1 })])
    })
  )

  it.effect("writes more than fits a batch, in order", () =>
    Effect.gen(function* () {
      const database = yield* newDatabase
      const prompts = Array.from({ length: 450 }, (_, index) => prompt("i1", `prompt ${index}`))

      yield* write(database, [started("i1"), ...prompts, ended("i1")])

      assert.deepStrictEqual((yield* get(database, "i1"))?.prompts, prompts)
    })
  )
}

/** What a backend must do that stores what it is given somewhere else. */
export const storing = (newDatabase: NewDatabase): void => {
  const texts = [
    { name: "umlauts, emoji and quotes", text: `ä € 👩‍💻 "'\\ \r\n`, kept: `ä € 👩‍💻 "'\\ \r\n` },
    { name: "1 MiB", text: "x€".repeat(1 << 19), kept: "x€".repeat(1 << 19) },
    { name: "NUL", text: "a\0b", kept: "a\uFFFDb" },
    { name: "half a surrogate pair", text: "a\uD83D", kept: "a\uFFFD" }
  ]

  it.effect.each(texts)("keeps a text of $name, as far as it is Unicode without NUL", ({ text, kept }) =>
    Effect.gen(function* () {
      const database = yield* newDatabase

      yield* write(database, [
        started("i1", { model: text, actor: { id: "alice", metadata: { text } } }),
        prompt("i1", text),
        tool("i1", text, { call: { id: text, name: text, args: text } }),
        thought("i1", text),
        ended("i1")
      ])
      const details = yield* get(database, "i1")

      assert.strictEqual(details?.prompts[0]?.text, kept)
      assert.strictEqual(details?.tools[0]?.call.args, kept)
      assert.strictEqual(details?.thoughts[0]?.thought.text, kept)
      assert.strictEqual(details?.model, kept.slice(0, 512))
      assert.strictEqual(details?.actor.metadata["text"], text)
    })
  )

  it.effect("stores no prompts, arguments and thoughts where content is not recorded", () =>
    Effect.gen(function* () {
      const database = yield* newDatabase

      yield* write(
        database,
        [
          started("i1"),
          prompt("i1", "secret"),
          tool("i1", "call_1"),
          thought("i1", "secret"),
          tokens("i1"),
          ended("i1")
        ],
        { recordContent: false }
      )
      const details = yield* get(database, "i1")

      assert.deepStrictEqual(details?.prompts, [])
      assert.deepStrictEqual(details?.thoughts, [])
      assert.deepStrictEqual(details?.tools, [tool("i1", "call_1", { call: { id: "call_1", name: "Read", args: "" } })])
      assert.lengthOf(details?.tokens ?? [], 1)
    })
  )

  it.effect("takes numbers that are none, or too large, as the nearest that is one", () =>
    Effect.gen(function* () {
      const database = yield* newDatabase

      yield* write(database, [started("i1"), tokens("i1", { input: Number.NaN, output: 1e300 }), ended("i1")])
      const usage = (yield* get(database, "i1"))?.tokens[0]?.usage

      assert.deepInclude(usage, { input: 0, output: Number.MAX_SAFE_INTEGER })
    })
  )
}
