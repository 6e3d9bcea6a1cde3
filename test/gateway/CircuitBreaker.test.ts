import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as Gateway from "../../src/Gateway.ts"
import * as Authenticator from "../../src/inbound/Authenticator.ts"
import * as Anthropic from "../../src/providers/Anthropic.ts"
import * as OpenAi from "../../src/providers/OpenAi.ts"
import * as Providers from "../../src/providers/Providers.ts"
import * as Recorder from "../../src/record/Recorder.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as CircuitBreakers from "../../src/upstream/CircuitBreakers.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Circuits from "./Circuits.ts"
import * as Logs from "./Logs.ts"
import * as Messages from "./Messages.ts"
import * as OpenAiShape from "./OpenAiShape.ts"
import * as Reader from "./Reader.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

const { blocking, streaming } = Calls
const { error } = blocking.fixture

const openMessage = "circuit breaker is open"

describe("A circuit that is open", () => {
  it.effect.each(Calls.bridged)("answers $call by itself, says how long, and recovers by one good probe", (call) => {
    const { path, request, fixture, good, text } = call
    const script = [fixture.error(503), fixture.error(529), good, good, good, good]
    return Effect.gen(function* () {
      const relayed = yield* Circuits.statuses(2, call)
      const refused = yield* TestGateway.fetch(path, request)
      const whenOpen = yield* Circuits.metrics(call)
      const callsWhenOpen = yield* Circuits.calls
      yield* TestClock.adjust("30 seconds")
      const recovered = yield* TestGateway.fetch(path, request)
      const whenClosed = yield* Circuits.metrics(call)
      const more = yield* Circuits.statuses(3, call)

      assert.deepStrictEqual(relayed, [503, 529])
      assert.deepStrictEqual([refused.status, refused.text], [503, fixture.errorText(503, openMessage)])
      assert.strictEqual(refused.headers["retry-after"], "30")
      assert.strictEqual(refused.headers["content-type"], "application/json")
      assert.strictEqual(refused.headers["content-length"], String(Buffer.byteLength(refused.text)))
      assert.strictEqual(callsWhenOpen, 2)
      assert.deepStrictEqual(whenOpen, { trips: 1, state: 1, rejects: 1 })
      assert.deepStrictEqual([recovered.status, recovered.text], [200, text])
      assert.deepStrictEqual(whenClosed, { trips: 1, state: 0, rejects: 1 })
      assert.deepStrictEqual(more, [200, 200, 200])
      assert.deepStrictEqual(yield* Circuits.metrics(call), { trips: 1, state: 0, rejects: 1 })
    }).pipe(Circuits.measured, Effect.provide(Circuits.layer(script)))
  })

  it.effect.each([
    { after: "0 seconds", retryAfter: "30" },
    { after: "1 millis", retryAfter: "30" },
    { after: "12300 millis", retryAfter: "18" },
    { after: "29 seconds", retryAfter: "1" },
    { after: "29.999 seconds", retryAfter: "1" }
  ] as const)("tells after $after to try again in $retryAfter seconds", ({ after, retryAfter }) =>
    Effect.gen(function* () {
      yield* Circuits.status(blocking)
      yield* TestClock.adjust(after)

      const { status, headers } = yield* TestGateway.fetch(blocking.path, blocking.request)

      assert.deepStrictEqual([status, headers["retry-after"]], [503, retryAfter])
      assert.strictEqual(yield* Circuits.calls, 1)
    }).pipe(Effect.provide(Circuits.layer([error(503)], { failureThreshold: 1 })))
  )

  it.effect("opens again by a bad probe, for as long", () =>
    Effect.gen(function* () {
      yield* Circuits.statuses(2, blocking)
      yield* TestClock.adjust("30 seconds")
      const probed = yield* Circuits.status(blocking)
      const metrics = yield* Circuits.metrics(blocking)
      yield* TestClock.adjust("29.999 seconds")
      const { headers } = yield* TestGateway.fetch(blocking.path, blocking.request)
      const callsBefore = yield* Circuits.calls
      yield* TestClock.adjust("1 millis")
      const last = yield* Circuits.status(blocking)

      assert.strictEqual(probed, 503)
      assert.deepStrictEqual(metrics, { trips: 2, state: 1, rejects: 0 })
      assert.deepStrictEqual([headers["retry-after"], callsBefore, last], ["1", 3, 200])
    }).pipe(Circuits.measured, Effect.provide(Circuits.layer([error(503), error(503), error(503), blocking.good])))
  )

  it.effect("lets one probe through at a time, and tells the others to come back in a second", () =>
    Effect.gen(function* () {
      yield* Circuits.statuses(3, blocking)
      yield* TestClock.adjust("30 seconds")
      const ask = TestGateway.fetch(blocking.path, blocking.request)
      const parallel = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: 5 }), () => ask, { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 second")
      const answers = yield* Fiber.join(parallel)

      const told = answers.map(({ status, headers }) => [status, headers["retry-after"]])
      assert.deepStrictEqual(told, [[200, undefined], ...Array.from({ length: 4 }, () => [503, "1"])])
      assert.strictEqual(yield* Circuits.calls, 3)
      assert.deepStrictEqual(yield* Circuits.metrics(blocking), { trips: 1, state: 0, rejects: 1 + 4 })
    }).pipe(
      Circuits.measured,
      Effect.provide(Circuits.layer([error(503), error(503), Effect.delay(blocking.good, "1 second")]))
    )
  )

  const fruitless = [
    { probe: "finds the pool exhausted", answer: error(429) },
    { probe: "reaches nobody", answer: ScriptedUpstream.failure(Failure.unreachable("ECONNREFUSED")) },
    { probe: "is told nothing in time", answer: ScriptedUpstream.failure(Failure.timedOut()) }
  ]

  it.effect.each(fruitless)("goes on probing after a probe that $probe", ({ answer }) =>
    Effect.gen(function* () {
      yield* Circuits.statuses(2, blocking)
      yield* TestClock.adjust("30 seconds")
      yield* Circuits.status(blocking)
      const { state } = yield* Circuits.metrics(blocking)
      yield* TestClock.adjust("1 minute")
      const next = yield* Circuits.status(blocking)

      assert.deepStrictEqual([state, next], [0.5, 200])
      assert.deepStrictEqual(yield* Circuits.metrics(blocking), { trips: 1, state: 0, rejects: 0 })
    }).pipe(Circuits.measured, Effect.provide(Circuits.layer([error(503), error(503), answer, blocking.good])))
  )

  it.effect("frees the place of a probe whose client leaves", () =>
    Effect.gen(function* () {
      yield* Circuits.statuses(2, blocking)
      yield* TestClock.adjust("30 seconds")
      const client = yield* Reader.open(blocking.path, blocking.request)
      const meanwhile = yield* Circuits.status(blocking)
      yield* client.leave

      const next = yield* Circuits.status(blocking)

      assert.deepStrictEqual([meanwhile, next], [503, 200])
    }).pipe(Effect.provide(Circuits.layer([error(503), error(503), ScriptedUpstream.silence, blocking.good])))
  )

  it.effect.each([
    { after: "29.999 seconds", status: 503 },
    { after: "30 seconds", status: 200 }
  ] as const)("lets another probe through $after after one that is not answered: $status", ({ after, status }) =>
    Effect.gen(function* () {
      yield* Circuits.statuses(2, blocking)
      yield* TestClock.adjust("30 seconds")
      const silent = yield* Reader.open(blocking.path, blocking.request)
      yield* TestClock.adjust(after)

      assert.strictEqual(yield* Circuits.status(blocking), status)
      assert.isUndefined(silent.fiber.pollUnsafe())
    }).pipe(Effect.provide(Circuits.layer([error(503), error(503), ScriptedUpstream.silence, blocking.good])))
  )

  it.effect("forgets its failures by periods that no call from before it opened has moved", () => {
    const early = Effect.delay(error(503), "41 seconds")
    const script = [early, ...[503, 503, 200, 503, 503].map((status) => error(status))]
    return Effect.gen(function* () {
      yield* Effect.forkChild(Circuits.status(blocking), { startImmediately: true })
      yield* Circuits.statuses(2, blocking)
      yield* TestClock.adjust("30 seconds")
      yield* Circuits.status(blocking)
      yield* TestClock.adjust("9 seconds")
      yield* Circuits.status(blocking)
      yield* TestClock.adjust("3 seconds")
      yield* Circuits.status(blocking)

      assert.strictEqual((yield* Circuits.metrics(blocking)).trips, 1)
    }).pipe(Circuits.measured, Effect.provide(Circuits.layer(script)))
  })

  it.effect("is the same for all gateways that share them", () =>
    Effect.gen(function* () {
      const circuitBreakers = Layer.succeed(CircuitBreakers.CircuitBreakers, yield* CircuitBreakers.make())
      const opened = yield* Effect.provide(
        Circuits.statuses(2, blocking),
        Circuits.layer([error(503), error(503)], {}, { circuitBreakers })
      )
      const other = yield* Effect.provide(Circuits.status(blocking), Circuits.layer([], {}, { circuitBreakers }))

      assert.deepStrictEqual([opened, other], [[503, 503], 503])
    })
  )

  it.effect("takes no notice of how calls from before it opened go on", () =>
    Effect.gen(function* () {
      const early = yield* Effect.forkChild(Circuits.status(blocking), { startImmediately: true })
      yield* Circuits.statuses(2, blocking)
      yield* TestClock.adjust("5 seconds")
      const refused = yield* Circuits.status(blocking)

      assert.deepStrictEqual([yield* Fiber.join(early), refused], [200, 503])
    }).pipe(Effect.provide(Circuits.layer([Effect.delay(blocking.good, "5 seconds"), error(503), error(503)])))
  )

  it.effect("leaves passthrough requests alone", () =>
    Effect.gen(function* () {
      const statuses = yield* Circuits.statuses(3, Calls.passthrough)

      assert.deepStrictEqual(statuses, [503, 503, 503])
    }).pipe(Effect.provide(Circuits.layer(() => error(503))))
  )

  it.effect.each(Calls.bridged)("is told in the record and the log of $call", ({ path, request, vendor, fixture }) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)
      const lines = yield* Logs.of(TestGateway.fetch(path, request))

      const [, ended] = yield* Setup.ended
      const starts = yield* Setup.started
      const id = starts[1]?.id ?? "none"
      assert.deepStrictEqual(ended, {
        _tag: "InterceptionEnded",
        id,
        at: 0,
        reason: "circuit_open",
        status: 503,
        attempts: 0,
        credentialHint: undefined,
        usageQuality: "none"
      })
      assert.deepStrictEqual(lines, [
        {
          level: "WARN",
          message: openMessage,
          annotations: { provider: vendor.name, interception_id: id }
        }
      ])
    }).pipe(Effect.provide(Circuits.layer(() => fixture.error(503), { failureThreshold: 1 })))
  )

  it.effect("carries the interception's id in its answer", () =>
    Effect.gen(function* () {
      yield* Circuits.status(blocking)
      const { headers } = yield* TestGateway.fetch(blocking.path, blocking.request)

      const [, started] = yield* Setup.started
      assert.strictEqual(headers["x-aibridge-interception-id"], started?.id)
    }).pipe(Effect.provide(Circuits.layer([error(503)], { failureThreshold: 1 })))
  )
})

describe("A circuit opens", () => {
  const counted = [503, 529]
  const others = [200, 400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 504, 599]
  const own = {
    ...blocking,
    request: { ...blocking.request, headers: { "x-aibridge-token": "any", "x-api-key": "own" } }
  }
  const keys = [
    { key: "a key of the pool", call: blocking },
    { key: "a key of the caller's own", call: own }
  ]

  it.effect.each(
    Table.times(
      keys,
      counted.map((status) => ({ status }))
    )
  )("by a $status with $key", ({ status, call }) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Circuits.statuses(3, call), [status, status, 503])
      assert.strictEqual(yield* Circuits.calls, 2)
    }).pipe(Effect.provide(Circuits.layer(() => error(status))))
  )

  it.effect.each(
    Table.times(
      keys,
      others.map((status) => ({ status }))
    )
  )("not by a $status with $key", ({ status, call }) =>
    Effect.gen(function* () {
      yield* Circuits.statuses(4, call)

      assert.deepStrictEqual(yield* Circuits.metrics(call), { trips: 0, state: 0, rejects: 0 })
    }).pipe(Circuits.measured, Effect.provide(Circuits.layer(() => error(status))))
  )

  it.effect.each([
    { given: "503 and 529", script: [503, 529], opens: true },
    { given: "a good answer between", script: [503, 200, 503], opens: false },
    { given: "an error of the request between", script: [503, 400, 503], opens: false },
    { given: "a 500 between", script: [503, 500, 529], opens: false },
    { given: "a limited key between", script: [503, 429, 529], opens: true },
    { given: "a refused key between", script: [529, 403, 503], opens: true }
  ])("by failures in a row: $given", ({ script, opens }) =>
    Effect.gen(function* () {
      yield* Circuits.statuses(script.length, { ...own })

      assert.strictEqual((yield* Circuits.metrics(blocking)).trips, opens ? 1 : 0)
    }).pipe(Circuits.measured, Effect.provide(Circuits.layer(script.map((status) => error(status)))))
  )

  it.effect("by what the upstream says to the last key of a failover", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Circuits.statuses(2, blocking), [529, 503])
      assert.strictEqual(yield* Circuits.calls, 2)
    }).pipe(Effect.provide(Circuits.layer([error(429), error(529)], { failureThreshold: 1 }, { keys: 2 })))
  )

  it.effect.each([
    { second: "9.999 seconds", opens: true },
    { second: "10 seconds", opens: false }
  ] as const)("only by failures of one period: a second one after $second", ({ second, opens }) =>
    Effect.gen(function* () {
      yield* Circuits.status(blocking)
      yield* TestClock.adjust(second)
      yield* Circuits.status(blocking)
      const { trips } = yield* Circuits.metrics(blocking)
      yield* TestClock.adjust("1 millis")
      yield* Circuits.status(blocking)

      assert.strictEqual(trips, opens ? 1 : 0)
      assert.strictEqual((yield* Circuits.metrics(blocking)).trips, 1)
    }).pipe(Circuits.measured, Effect.provide(Circuits.layer(() => error(503))))
  )

  it.effect.each([
    { second: "999 millis", opens: true },
    { second: "1 second", opens: false }
  ] as const)("in periods that begin anew when it closes: 9 seconds and $second later", ({ second, opens }) =>
    Effect.gen(function* () {
      yield* Circuits.statuses(2, blocking)
      yield* TestClock.adjust("35 seconds")
      yield* Circuits.status(blocking)
      yield* TestClock.adjust("9 seconds")
      yield* Circuits.status(blocking)
      yield* TestClock.adjust(second)
      yield* Circuits.status(blocking)

      assert.strictEqual((yield* Circuits.metrics(blocking)).trips, opens ? 2 : 1)
    }).pipe(Circuits.measured, Effect.provide(Circuits.layer([503, 503, 200, 503, 503].map((status) => error(status)))))
  )

  it.effect("by failures however far apart if the interval is zero", () =>
    Effect.gen(function* () {
      yield* Circuits.status(blocking)
      yield* TestClock.adjust("30 days")
      yield* Circuits.status(blocking)

      assert.strictEqual((yield* Circuits.metrics(blocking)).trips, 1)
    }).pipe(Circuits.measured, Effect.provide(Circuits.layer(() => error(503), { interval: 0 })))
  )

  it.effect("by the statuses that the provider's options name, and no others", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Circuits.statuses(5, blocking), [503, 503, 502, 502, 503])
      assert.strictEqual(yield* Circuits.calls, 4)
    }).pipe(
      Effect.provide(
        Circuits.layer(
          [503, 503, 502, 502].map((status) => error(status)),
          { statuses: [502] }
        )
      )
    )
  )

  it.effect("after five failures and for 30 seconds if nothing else is said", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* Circuits.statuses(6, blocking), [529, 529, 529, 529, 529, 503])
      yield* TestClock.adjust("29.999 seconds")
      assert.strictEqual(yield* Circuits.status(blocking), 503)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Circuits.status(blocking), 529)
    }).pipe(Effect.provide(Setup.layer(() => error(529), { provider: { circuitBreaker: {} } })))
  )

  it.effect("never if the provider has no breakers", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* Circuits.statuses(20, blocking),
        Array.from({ length: 20 }, () => 503)
      )
    }).pipe(Effect.provide(Setup.layer(() => error(503))))
  )
})

/** Asks so that the upstream answers with this status. */
const ask = (path: string, status: number) =>
  TestGateway.fetch(path, {
    headers: { "x-status": String(status), authorization: "Bearer own", "x-aibridge-token": "any" },
    body: { model: "m" }
  })

/** What four such answers say if they are the gateway's own, with their `Retry-After`. */
const asked = (path: string, status: number) =>
  Effect.forEach([1, 2, 3, 4], () =>
    Effect.map(ask(path, status), ({ text, headers }) =>
      text.includes(openMessage) ? `${text} ${headers["retry-after"]}` : "upstream"
    )
  )

describe("Circuits are told apart", () => {
  const [chat, responses] = Calls.blockings.filter((call) => call.vendor === Vendors.openai)
  const pairs = [
    { by: "their models", one: blocking, other: Circuits.withModel(blocking, "claude-haiku-4-5") },
    { by: "their endpoints", one: chat ?? blocking, other: responses ?? blocking },
    { by: "their providers", one: blocking, other: chat ?? blocking }
  ]

  it.effect.each(pairs)("by $by", ({ one, other }) =>
    Effect.gen(function* () {
      const opened = yield* Circuits.statuses(2, one)
      const others = yield* Circuits.statuses(4, other)
      const metrics = yield* Circuits.metrics(other)
      yield* TestClock.adjust("30 seconds")
      const recovered = yield* Circuits.status(one)

      assert.deepStrictEqual([opened, others, recovered], [[503, 503], [200, 200, 200, 200], 200])
      assert.deepStrictEqual([metrics.trips, metrics.state], [0, 0])
    }).pipe(
      Circuits.measured,
      Effect.provide(Circuits.layer((_, index) => (index === 0 ? error(503) : one.good), { failureThreshold: 1 }))
    )
  )

  it.effect("not by whether a stream is asked for", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual([yield* Circuits.status(blocking), yield* Circuits.status(streaming)], [503, 503])
      assert.strictEqual(yield* Circuits.calls, 1)
    }).pipe(Effect.provide(Circuits.layer([error(503)], { failureThreshold: 1 })))
  )

  it.effect("by providers that each keep their own options and their own answer", () => {
    const shared = { failureThreshold: 1, statuses: [503] }
    const providers = [
      Anthropic.make({ circuitBreaker: shared }),
      OpenAi.make({ circuitBreaker: { ...shared, statuses: [529], timeout: "5 seconds" } }),
      Anthropic.make({ name: "later", circuitBreaker: { ...shared, failureThreshold: 3 } }),
      OpenAi.make({ name: "off" })
    ]
    const gateway = Gateway.layer.pipe(
      Layer.provideMerge([
        Providers.layer(providers),
        Authenticator.layerLoopback,
        Recorder.layerNoop,
        ScriptedUpstream.layer((request) => error(request.headers["x-status"] === "503" ? 503 : 529))
      ])
    )
    return Effect.gen(function* () {
      const anthropic = `${Messages.errorText("overloaded_error", openMessage)} 30`
      const openai = `${OpenAiShape.errorText(503, openMessage)} 5`
      const up = "upstream"
      assert.deepStrictEqual(yield* asked("/anthropic/v1/messages", 529), [up, up, up, up])
      assert.deepStrictEqual(yield* asked("/anthropic/v1/messages", 503), [up, anthropic, anthropic, anthropic])
      assert.deepStrictEqual(yield* asked("/openai/v1/chat/completions", 503), [up, up, up, up])
      assert.deepStrictEqual(yield* asked("/openai/v1/chat/completions", 529), [up, openai, openai, openai])
      assert.deepStrictEqual(yield* asked("/later/v1/messages", 503), [up, up, up, anthropic])
      assert.deepStrictEqual(yield* asked("/off/v1/chat/completions", 529), [up, up, up, up])
    }).pipe(Effect.provide(gateway))
  })
})

describe("A change of a circuit's state", () => {
  it.effect("is one line of the log, with what has changed", () =>
    Effect.gen(function* () {
      const lines = yield* Logs.of(
        Effect.gen(function* () {
          yield* Circuits.statuses(2, blocking)
          yield* TestClock.adjust(Duration.seconds(30))
          yield* Circuits.status(blocking)
          yield* TestClock.adjust(Duration.seconds(30))
          yield* Circuits.statuses(3, blocking)
        })
      )

      const of = { provider: "anthropic", endpoint: "/v1/messages", model: blocking.fixture.model }
      const changes = [
        { from: "closed", to: "open" },
        { from: "open", to: "half-open" },
        { from: "half-open", to: "open" },
        { from: "open", to: "half-open" },
        { from: "half-open", to: "closed" }
      ]
      assert.deepStrictEqual(
        lines,
        changes.map((change) => ({
          level: "INFO",
          message: "circuit breaker state change",
          annotations: { ...of, ...change }
        }))
      )
    }).pipe(Effect.provide(Circuits.layer([503, 503, 503, 200, 200, 200].map((status) => error(status)))))
  )
})
