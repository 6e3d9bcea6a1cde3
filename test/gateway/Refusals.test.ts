import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { Gateway } from "../../src/Gateway.ts"
import * as Authenticator from "../../src/inbound/Authenticator.ts"
import * as ConcurrencyLimit from "../../src/inbound/ConcurrencyLimit.ts"
import * as Drain from "../../src/inbound/Drain.ts"
import * as RateLimit from "../../src/inbound/RateLimit.ts"
import * as RefusalMetrics from "../../src/inbound/RefusalMetrics.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import * as Circuits from "./Circuits.ts"
import * as Credentials from "./Credentials.ts"
import * as Logs from "./Logs.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"

const { blocking, passthrough } = Calls

/** All refusals that were counted, as `provider reason count`. */
const counted = Effect.map(Metric.snapshot, (all) =>
  all.flatMap((metric) =>
    metric.id === RefusalMetrics.refusals.id && metric.type === "Counter"
      ? [`${metric.attributes?.["provider"]} ${metric.attributes?.["reason"]} ${metric.state.count}`]
      : []
  )
)

const ask = (path: string, request: TestGateway.RequestOptions = {}) => Effect.asVoid(TestGateway.fetch(path, request))

/** A request whose client stops in the middle of its body. */
const broken = Effect.gen(function* () {
  const body = new ReadableStream({ pull: (controller) => controller.error(new Error("gone")) })
  const init: RequestInit = { method: "POST", body, duplex: "half" }
  const gateway = yield* Gateway
  const request = HttpServerRequest.fromWeb(new Request(`http://gateway.test${blocking.path}`, init))
  return yield* Effect.scoped(gateway.handle(request.modify({ url: blocking.path })))
})

const draining = Drain.make()
draining.begin()

const layer = Setup.layer([])
const limitedTo = (limits: Layer.Layer<never>, script: Parameters<typeof Setup.layer>[0] = () => passthrough.good) =>
  Setup.layer(script, { limits, tokens: { alice: Credentials.alice, bob: Credentials.bob } })
const open = (limits: Layer.Layer<never>) => Setup.layer([ScriptedUpstream.silence, passthrough.good], { limits })

interface Row {
  readonly refusal: string
  readonly when: Effect.Effect<unknown, unknown, Gateway>
  readonly with: ReturnType<typeof Setup.layer>
  readonly counts: ReadonlyArray<string>
}

const rows: ReadonlyArray<Row> = [
  {
    refusal: "a body that is none",
    when: ask(blocking.path, { body: "no JSON" }),
    with: layer,
    counts: ["anthropic invalid_body 1"]
  },
  {
    refusal: "a token that is none",
    when: ask("/openai/v1/models"),
    with: limitedTo(Layer.empty),
    counts: ["openai unauthorized 1"]
  },
  {
    refusal: "a page of another host",
    when: ask(passthrough.path, { headers: { origin: "https://other.test" } }),
    with: layer,
    counts: ["anthropic forbidden 1"]
  },
  {
    refusal: "paths where nothing is",
    when: Effect.andThen(ask("/anthropic/v2"), Effect.andThen(ask("/nowhere/v1"), ask("/elsewhere"))),
    with: layer,
    counts: ["anthropic route_not_found 1", "none route_not_found 2"]
  },
  {
    refusal: "a method that is not allowed",
    when: Effect.andThen(ask(blocking.path), ask("/", { method: "DELETE" })),
    with: layer,
    counts: ["anthropic method_not_allowed 1", "none method_not_allowed 1"]
  },
  {
    refusal: "too large a body",
    when: ask(blocking.path, { body: "x".repeat(100) }),
    with: Setup.layer([], { options: { maximumBodyBytes: 99 } }),
    counts: ["anthropic body_too_large 1"]
  },
  { refusal: "half a body", when: broken, with: layer, counts: ["anthropic body_incomplete 1"] },
  {
    refusal: "another protocol",
    when: Effect.forEach([blocking.path, "/"], (path) =>
      ask(path, { headers: { connection: "upgrade", upgrade: "websocket" } })
    ),
    with: layer,
    counts: ["anthropic unsupported 1", "none unsupported 1"]
  },
  {
    refusal: "what an open circuit keeps out",
    when: Circuits.statuses(3, blocking),
    with: Circuits.layer(() => blocking.fixture.error(503), { failureThreshold: 1 }),
    counts: ["anthropic circuit_open 2"]
  },
  {
    refusal: "what there is no room for at once",
    when: Effect.andThen(Reader.open(passthrough.path, {}), ask(passthrough.path)),
    with: open(ConcurrencyLimit.layer(1)),
    counts: ["anthropic concurrency_limited 1"]
  },
  {
    refusal: "what is one too many in a minute",
    when: Effect.andThen(Reader.open(passthrough.path, {}), ask(passthrough.path)),
    with: open(RateLimit.layerMemory(1)),
    counts: ["anthropic rate_limited 1"]
  },
  {
    refusal: "what comes when the gateway stops",
    when: Effect.forEach(["/", passthrough.path, blocking.path], (path) =>
      ask(path, path === blocking.path ? blocking.request : {})
    ),
    with: Setup.layer([], { drain: draining }),
    counts: ["anthropic draining 2", "none draining 1"]
  }
]

describe("The metric refusals_total", () => {
  it.effect.each(rows)("counts $refusal", ({ when, with: gateway, counts }) =>
    Effect.gen(function* () {
      yield* when

      assert.deepStrictEqual((yield* counted).toSorted(), counts)
    }).pipe(Effect.provide(gateway), Circuits.measured)
  )

  it.effect.each([200, 400, 401, 403, 404, 429, 500])("does not count an upstream's %s", (status) =>
    Effect.gen(function* () {
      yield* Circuits.status(blocking)

      assert.deepStrictEqual(yield* counted, [])
    }).pipe(Effect.provide(Setup.layer(() => blocking.fixture.error(status))), Circuits.measured)
  )
})

/** Asks so often with a token. */
const knock = (token: string, times = 1) =>
  Effect.forEach(Array.from({ length: times }), () => ask(passthrough.path, { headers: { "x-api-key": token } }))

const warning = (annotations: Record<string, unknown>): Logs.Line => ({
  level: "WARN",
  message: "request refused",
  annotations: { provider: "anthropic", ...annotations }
})

const limited = (actor: string, more: Record<string, unknown> = {}) =>
  warning({ reason: "rate_limited", actor, ...more })

describe("The log", () => {
  it.effect("says whose requests are too many, once in ten seconds with the number of the others", () =>
    Effect.gen(function* () {
      const lines = yield* Logs.of(
        Effect.gen(function* () {
          yield* knock(Credentials.alice, 1 + 4)
          yield* TestClock.adjust("9999 millis")
          yield* knock(Credentials.alice, 2)
          yield* TestClock.adjust("1 millis")
          yield* knock(Credentials.alice, 2)
          yield* TestClock.adjust("10 seconds")
          yield* knock(Credentials.alice)
          yield* TestClock.adjust("10 seconds")
          yield* knock(Credentials.alice)
        })
      )

      assert.deepStrictEqual(lines, [
        limited("alice"),
        limited("alice", { suppressed: 5 }),
        limited("alice", { suppressed: 1 }),
        limited("alice")
      ])
    }).pipe(Effect.provide(limitedTo(RateLimit.layerMemory(1))))
  )

  it.effect("tells callers, providers and reasons apart", () =>
    Effect.gen(function* () {
      const models = { headers: { "x-api-key": Credentials.alice } }
      const lines = yield* Logs.of(
        Effect.gen(function* () {
          yield* knock(Credentials.alice, 3)
          yield* knock(Credentials.bob, 3)
          yield* ask("/openai/v1/models", models)
          yield* ask("/openai/v1/models", { headers: { authorization: `Bearer ${Credentials.alice}` } })
          yield* knock("gate-nobody-NEVER-SHOWN-0003")
        })
      )

      assert.deepStrictEqual(lines, [
        limited("alice"),
        limited("bob"),
        limited("alice", { provider: "openai" }),
        warning({ reason: "unauthorized", token_hint: "gate...0003", detail: "the gateway token is not valid" })
      ])
    }).pipe(Effect.provide(limitedTo(RateLimit.layerMemory(1))))
  )

  it.effect("says that there is no room for more, whoever asks", () =>
    Effect.gen(function* () {
      const lines = yield* Logs.of(
        Effect.gen(function* () {
          yield* Reader.open(passthrough.path, { headers: { "x-api-key": Credentials.alice } })
          yield* knock(Credentials.alice)
          yield* knock(Credentials.bob, 2)
          yield* TestClock.adjust("10 seconds")
          yield* knock(Credentials.bob)
        })
      )

      assert.deepStrictEqual(lines, [
        warning({ reason: "concurrency_limited" }),
        warning({ reason: "concurrency_limited", suppressed: 2 })
      ])
    }).pipe(Effect.provide(limitedTo(ConcurrencyLimit.layer(1), () => ScriptedUpstream.silence)))
  )

  it.effect("says in one line that unknown callers come, with the first one's masked token", () =>
    Effect.gen(function* () {
      const lines = yield* Logs.of(
        Effect.gen(function* () {
          for (let guess = 0; guess < 500; guess++) yield* knock(`gate-guess-NEVER-SHOWN-${guess}`)
          yield* TestClock.adjust("10 seconds")
          yield* knock("gate-other-NEVER-SHOWN-0004")
        })
      )

      assert.deepStrictEqual(lines, [
        warning({ reason: "unauthorized", token_hint: "gate...WN-0", detail: "the gateway token is not valid" }),
        warning({
          reason: "unauthorized",
          token_hint: "gate...0004",
          detail: "the gateway token is not valid",
          suppressed: 499
        })
      ])
    }).pipe(Effect.provide(limitedTo(Layer.empty)))
  )

  it.effect("says whose token has expired, and tells the client nothing of it", () => {
    const authenticator = Authenticator.layerTokens(
      [Credentials.alice, Credentials.bob].map((token, index) => ({
        name: index === 0 ? "alice" : "bob",
        token: Redacted.make(Credentials.hashed(token)),
        expires: DateTime.makeUnsafe("1970-01-01")
      }))
    )
    return Effect.gen(function* () {
      const lines = yield* Logs.of(
        Effect.gen(function* () {
          const { text } = yield* TestGateway.fetch(passthrough.path, { headers: { "x-api-key": Credentials.alice } })
          assert.notMatch(text, /alice|0001/)
          yield* knock(Credentials.alice)
          yield* knock(Credentials.bob)
        })
      )

      const detail = "the gateway token has expired"
      assert.deepStrictEqual(lines, [
        warning({ reason: "unauthorized", actor: "alice", token_hint: "gate...0001", detail }),
        warning({ reason: "unauthorized", actor: "bob", token_hint: "gate...0002", detail })
      ])
    }).pipe(Effect.provide(Setup.layer([], { authenticator })))
  })

  const told = new Set(["concurrency_limited", "rate_limited"])
  const untold = rows.filter(({ counts }) => !counts.some((count) => told.has(count.split(" ")[1] ?? "")))

  it.effect.each(untold)("says nothing like that about $refusal", ({ when, with: gateway }) =>
    Effect.gen(function* () {
      const lines = yield* Logs.of(when)

      assert.notInclude(
        lines.map(({ message }) => message),
        "request refused"
      )
    }).pipe(Effect.provide(gateway))
  )
})
