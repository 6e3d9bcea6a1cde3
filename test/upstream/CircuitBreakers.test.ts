import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import * as CircuitBreakerOptions from "../../src/providers/CircuitBreakerOptions.ts"
import type { Outcome } from "../../src/upstream/CircuitBreakers.ts"
import * as CircuitBreakers from "../../src/upstream/CircuitBreakers.ts"
import * as CircuitMetrics from "../../src/upstream/CircuitMetrics.ts"
import * as Circuits from "../gateway/Circuits.ts"
import * as Logs from "../gateway/Logs.ts"

const options = { ...CircuitBreakerOptions.defaults, failureThreshold: 2 }
const provider = "anthropic"
const endpoint = "/v1/messages"

/** One call for a model: whether it was let through. */
const call = Effect.fnUntraced(function* (model: string, outcome: Outcome) {
  const breakers = yield* CircuitBreakers.CircuitBreakers
  const admitted = yield* Effect.scoped(
    Effect.gen(function* () {
      const permit = yield* Effect.result(breakers.admit({ provider, endpoint, model }, options))
      if (Result.isSuccess(permit)) permit.success.tell(outcome)
      return Result.isSuccess(permit)
    })
  )
  return admitted
})

const open = (model: string) => Effect.all([call(model, "failure"), call(model, "failure")])

describe("Circuits of a provider that is gone", () => {
  it.effect("are forgotten, and calls under way do not open them", () =>
    Effect.gen(function* () {
      const { admit, circuits, forget } = yield* CircuitBreakers.CircuitBreakers
      yield* open("a")
      const underWay = yield* admit({ provider, endpoint, model: "b" }, { ...options, failureThreshold: 1 })
      yield* admit({ provider: "other", endpoint, model: "c" }, options)

      yield* forget(provider)
      yield* forget("nobody")
      underWay.tell("failure")
      yield* underWay.settle

      assert.deepStrictEqual(
        (yield* circuits).map(({ model }) => model),
        ["c"]
      )
      const state = (model: string) =>
        Effect.map(
          Metric.value(Metric.withAttributes(CircuitMetrics.state, { provider, endpoint, model })),
          ({ value }) => value
        )
      assert.deepStrictEqual([yield* state("a"), yield* state("b")], [0, 0])
      assert.isTrue(yield* call("a", "ignored"))
    }).pipe(Effect.provide(CircuitBreakers.layer()), Circuits.measured)
  )
})

describe("The number of circuits", () => {
  const two = CircuitBreakers.layer({ maximumCircuits: 2 })

  it.effect("is bounded: the closed one that was not used for longest is forgotten", () =>
    Effect.gen(function* () {
      yield* call("a", "failure")
      yield* call("b", "failure")
      yield* call("a", "ignored")
      yield* call("c", "success")
      yield* call("b", "failure")
      const b = yield* call("b", "ignored")
      yield* call("a", "failure")
      yield* call("a", "failure")
      const a = yield* call("a", "ignored")

      assert.deepStrictEqual([a, b], [false, true])
    }).pipe(Effect.provide(two))
  )

  it.effect("is bounded, but an open one is not forgotten", () =>
    Effect.gen(function* () {
      yield* open("a")
      for (const model of ["b", "c", "d", "e"]) yield* call(model, "success")

      assert.isFalse(yield* call("a", "ignored"))
    }).pipe(Effect.provide(two))
  )

  it.effect("is bounded: where all of them are open further models go without one, which is told once", () =>
    Effect.gen(function* () {
      yield* open("a")
      yield* open("b")
      const lines = yield* Logs.of(Effect.forEach(["c", "c", "c", "d"], (model) => call(model, "failure")))
      const admitted = yield* Effect.forEach(["a", "b", "c"], (model) => call(model, "ignored"))

      assert.deepStrictEqual(
        lines.map(({ level, message }) => [level, message]),
        [["WARN", "all of 2 circuits are open: requests for other models have no circuit breaker"]]
      )
      assert.deepStrictEqual(admitted, [false, false, true])
    }).pipe(Effect.provide(two))
  )

  it.effect.each([
    { after: "59.999 seconds", room: false },
    { after: "60 seconds", room: true }
  ] as const)("makes room for a new one by open ones that nobody asks for, $after after they opened: $room", (row) =>
    Effect.gen(function* () {
      yield* open("a")
      yield* open("b")
      yield* TestClock.adjust(row.after)
      yield* open("c")

      assert.strictEqual(yield* call("c", "ignored"), !row.room)
    }).pipe(Effect.provide(two))
  )

  it.effect("is each provider's own", () =>
    Effect.gen(function* () {
      const breakers = yield* CircuitBreakers.CircuitBreakers
      yield* open("a")
      yield* open("b")
      const key = { provider: "other", endpoint, model: "c" }
      const failed = Effect.scoped(Effect.map(breakers.admit(key, options), (permit) => permit.tell("failure")))
      yield* failed
      yield* failed

      assert.isTrue(Result.isFailure(yield* Effect.result(Effect.scoped(breakers.admit(key, options)))))
    }).pipe(Effect.provide(two))
  )

  it.effect("is not enlarged by long names: those that begin alike share a circuit", () =>
    Effect.gen(function* () {
      const long = "m".repeat(256)
      yield* open(`${long}1`)

      assert.deepStrictEqual([yield* call(`${long}2`, "ignored"), yield* call(long.slice(1), "ignored")], [false, true])
    }).pipe(Effect.provide(CircuitBreakers.layer()))
  )
})

/** What the gauge says of models; 0 if it was never written. */
const gauges = (models: ReadonlyArray<string>) =>
  Effect.forEach(models, (model) =>
    Effect.map(
      Metric.value(Metric.withAttributes(CircuitMetrics.state, { provider, endpoint, model })),
      ({ value }) => value
    )
  )

describe("The metrics of circuits", () => {
  it.effect("name no model that only was asked for", () =>
    Effect.gen(function* () {
      for (const model of ["a", "b", "c"]) yield* call(model, "success")
      yield* open("d")

      assert.deepStrictEqual(yield* gauges(["d", "other"]), [1, 0])
    }).pipe(Circuits.measured, Effect.provide(CircuitBreakers.layer({ maximumModelLabels: 1 })))
  )

  it.effect("have no state of other, which is many", () =>
    Effect.gen(function* () {
      yield* open("a")
      yield* open("b")

      assert.deepStrictEqual(yield* gauges(["a", "other"]), [1, 0])
    }).pipe(Circuits.measured, Effect.provide(CircuitBreakers.layer({ maximumModelLabels: 1 })))
  )

  it.effect("say closed of a circuit that is forgotten, and nothing of what its last calls do", () =>
    Effect.gen(function* () {
      const breakers = yield* CircuitBreakers.CircuitBreakers
      yield* open("a")
      const late = yield* breakers.admit({ provider, endpoint, model: "b" }, { ...options, failureThreshold: 1 })
      yield* TestClock.adjust("2 hours")
      yield* call("c", "success")
      yield* call("d", "success")
      late.tell("failure")
      const lines = yield* Logs.of(late.settle)

      assert.deepStrictEqual([yield* gauges(["a", "b"]), lines], [[0, 0], []])
    }).pipe(Effect.scoped, Circuits.measured, Effect.provide(CircuitBreakers.layer({ maximumCircuits: 2 })))
  )

  it.effect("name so many models, all further ones are other", () =>
    Effect.gen(function* () {
      for (const model of ["a", "b", "c", "d"]) yield* open(model)
      const trips = yield* Effect.forEach(["a", "b", "c", "d", "other"], (model) =>
        Metric.value(Metric.withAttributes(CircuitMetrics.trips, { provider, endpoint, model }))
      )

      assert.deepStrictEqual(
        trips.map(({ count }) => count),
        [1, 1, 0, 0, 2]
      )
    }).pipe(Circuits.measured, Effect.provide(CircuitBreakers.layer({ maximumModelLabels: 2 })))
  )

  it.each([
    { state: "closed", value: 0 },
    { state: "half-open", value: 0.5 },
    { state: "open", value: 1 }
  ] as const)("say $value for $state", ({ state, value }) => {
    assert.strictEqual(CircuitMetrics.gaugeOf(state), value)
  })
})

describe("A permit", () => {
  const admit = Effect.flatMap(CircuitBreakers.CircuitBreakers, (breakers) =>
    breakers.admit({ provider, endpoint, model: "m" }, { ...options, failureThreshold: 1 })
  )

  it.effect("counts what was told first", () =>
    Effect.gen(function* () {
      const permit = yield* admit
      permit.tell("success")
      permit.tell("failure")
      yield* permit.settle

      assert.isTrue(Result.isSuccess(yield* Effect.result(admit)))
    }).pipe(Effect.scoped, Effect.provide(CircuitBreakers.layer()))
  )

  it.effect("counts once, also if it is settled before its scope closes", () =>
    Effect.gen(function* () {
      yield* Effect.scoped(
        Effect.gen(function* () {
          const permit = yield* admit
          permit.tell("failure")
          yield* permit.settle
          yield* TestClock.adjust("30 seconds")
          const probe = yield* admit
          probe.tell("success")
          yield* probe.settle
        })
      )

      assert.isTrue(Result.isSuccess(yield* Effect.result(admit)))
    }).pipe(Effect.scoped, Effect.provide(CircuitBreakers.layer()))
  )
})
