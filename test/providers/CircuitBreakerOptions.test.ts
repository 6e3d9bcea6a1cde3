import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Anthropic from "../../src/providers/Anthropic.ts"
import * as CircuitBreakerOptions from "../../src/providers/CircuitBreakerOptions.ts"

describe("The options of circuit breakers", () => {
  it("have the defaults of their docstrings", () => {
    assert.deepStrictEqual(CircuitBreakerOptions.resolve({}), {
      failureThreshold: 5,
      interval: Duration.seconds(10),
      timeout: Duration.seconds(30),
      statuses: new Set([503, 529]),
      countStreamErrors: false
    })
  })

  it.each([
    { options: { failureThreshold: 0 }, problem: "failureThreshold must be a whole number from 1" },
    { options: { failureThreshold: 1.5 }, problem: "failureThreshold must be a whole number from 1" },
    { options: { failureThreshold: Number.NaN }, problem: "failureThreshold must be a whole number from 1" },
    { options: { interval: -1 }, problem: "interval must be a finite time, or zero for never" },
    { options: { interval: Duration.infinity }, problem: "interval must be a finite time, or zero for never" },
    { options: { timeout: 0 }, problem: "timeout must be a finite, positive time" },
    { options: { timeout: Duration.infinity }, problem: "timeout must be a finite, positive time" },
    { options: { statuses: [] }, problem: "statuses must not be empty" },
    { options: { statuses: [503, 429] }, problem: "status 429 is about a key and cannot be a failure of the provider" },
    { options: { statuses: [401] }, problem: "status 401 is about a key and cannot be a failure of the provider" },
    { options: { statuses: [403] }, problem: "status 403 is about a key and cannot be a failure of the provider" },
    { options: { statuses: [399] }, problem: "statuses must be whole numbers from 400 to 599" },
    { options: { statuses: [600] }, problem: "statuses must be whole numbers from 400 to 599" },
    { options: { statuses: [503.5] }, problem: "statuses must be whole numbers from 400 to 599" }
  ])("cannot be $options", ({ options, problem }) => {
    assert.strictEqual(CircuitBreakerOptions.resolve(options), problem)
  })

  it.effect("are refused with the provider's name where it is made", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Anthropic.make({ name: "main", circuitBreaker: { timeout: 0 } }))

      assert.strictEqual(error.message, `provider "main": circuitBreaker: timeout must be a finite, positive time`)
    })
  )

  it.effect("are a copy of each provider's own", () =>
    Effect.gen(function* () {
      const statuses = [503]
      const first = yield* Anthropic.make({ circuitBreaker: { statuses } })
      const second = yield* Anthropic.make({ circuitBreaker: { statuses } })
      statuses.push(500)

      assert.notStrictEqual(first.circuitBreaker?.statuses, second.circuitBreaker?.statuses)
      assert.deepStrictEqual(first.circuitBreaker?.statuses, new Set([503]))
    })
  )
})
