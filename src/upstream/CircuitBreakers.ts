/**
 * Circuit breakers: an upstream that is overloaded is left alone for a while. One circuit for each provider, endpoint and
 * model. 503 and 529 belong here (a provider's options may say otherwise), 429, 401 and 403 to the key.
 *
 * The states are those of `effect/persistence`; this is the only file that knows it. Added here: the outcome of a stream that
 * is known at its end only, periods after which failures are forgotten, and a bound for the number of circuits, because
 * clients choose the model.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Breaker from "effect/persistence/CircuitBreaker"
import * as Scope from "effect/Scope"
import type { GatewayError } from "../domain/GatewayError.ts"
import * as Refusal from "../domain/GatewayError.ts"
import type { ResolvedOptions } from "../providers/CircuitBreakerOptions.ts"
import * as CircuitMetrics from "./CircuitMetrics.ts"

/** What has a circuit of its own. */
export interface CircuitKey {
  /** The provider instance's name. */
  readonly provider: string
  /** The route behind the mount point, such as `/v1/messages`. */
  readonly endpoint: string
  readonly model: string
}

/** One call's leave to go upstream. */
export interface Permit {
  /** Whether this is the one call that finds out whether an open circuit may close. */
  readonly isProbe: boolean
  /** Tells how the call went; the first time counts, and only if the circuit has not changed its state since. */
  readonly tell: (outcome: Outcome) => void
  /** It goes well so far: what counts if a probe is not over when its time is. */
  readonly goesWell: () => void
  /** Records what was told, if it was not recorded before. Runs by itself when the call's scope closes. */
  readonly settle: Effect.Effect<void>
}

/** `ignored`: it says nothing about whether the upstream is overloaded. */
export type Outcome = "success" | "failure" | "ignored"

/** A circuit as it is at a moment. */
export interface CircuitStatus extends CircuitKey {
  readonly state: CircuitMetrics.State
  /** Of an open one: when a request may probe. Epoch milliseconds. */
  readonly opensUntil: number | undefined
}

/** All circuits of a gateway. */
export class CircuitBreakers extends Context.Service<
  CircuitBreakers,
  {
    /**
     * Lets a call through, or fails with `GatewayError` (`CircuitOpen`). A call whose scope closes before its outcome was
     * told counts as `ignored`; so does a probe that takes longer than the timeout: the next one may go. Without options
     * there is no circuit.
     */
    readonly admit: (
      key: CircuitKey,
      options: ResolvedOptions | undefined
    ) => Effect.Effect<Permit, GatewayError, Scope.Scope>
    /** All circuits that there are. */
    readonly circuits: Effect.Effect<ReadonlyArray<CircuitStatus>>
    /** Forgets those of a provider that is gone; what calls under way say of them is of no use any more. */
    readonly forget: (provider: string) => Effect.Effect<void>
  }
>()("effect-aibridge/upstream/CircuitBreakers") {}

/** What holds for all circuits together. */
export interface Options {
  /** How many circuits each provider has; beyond it the closed one that was not used for longest goes. Default 1000. */
  readonly maximumCircuits?: number
  /** How many different models metrics tell apart; the rest is `other`. Default 100. */
  readonly maximumModelLabels?: number
}

/** In the memory of this process. */
export const make = (options: Options = {}): Effect.Effect<CircuitBreakers["Service"]> =>
  Effect.sync(() => {
    const metrics = CircuitMetrics.make(options.maximumModelLabels ?? 100)
    const circuits = new Map<string, Circuits>()
    const circuitsOf = (provider: string): Circuits => {
      const found = circuits.get(provider) ?? new Circuits(options.maximumCircuits ?? 1000, metrics)
      circuits.set(provider, found)
      return found
    }
    return CircuitBreakers.of({
      admit: ({ provider, endpoint, model }, breaker) =>
        breaker === undefined
          ? unguarded
          : Effect.flatMap(circuitsOf(provider).find({ provider, endpoint, model: shortened(model) }, breaker), admit),
      circuits: Effect.sync(() => Array.from(circuits.values()).flatMap((ofProvider) => ofProvider.statuses())),
      forget: (provider) =>
        Effect.suspend(() => {
          const found = circuits.get(provider)
          circuits.delete(provider)
          return found === undefined ? Effect.void : found.forget
        })
    })
  })

/** In the memory of this process. What `Gateway.layer` uses if it is given no other. */
export const layer = (options: Options = {}): Layer.Layer<CircuitBreakers> =>
  Layer.effect(CircuitBreakers, make(options))

/** Longer names of models share a circuit with those that begin alike. */
const longestModel = 256

// A copy: a piece of a string would keep all of it in memory.
const shortened = (model: string): string =>
  model.length <= longestModel ? model : Array.from(model.slice(0, longestModel)).join("")

// What the store cannot be asked without an effect, or does not know, is kept here as well.
interface Circuit {
  readonly key: CircuitKey
  /** Those of the last call: a provider that is replaced may bring others. */
  options: ResolvedOptions
  readonly metrics: CircuitMetrics.CircuitMetrics
  readonly store: Breaker.CircuitBreakerStore["Service"]
  state: CircuitMetrics.State
  /** Of the last call that was let through: earlier ones are from before the last change. */
  generation: number
  /** Its room was given to another one: what calls under way say of it is of no use any more. */
  isForgotten: boolean
  /** Of a closed one: when its period ends. Epoch milliseconds, as below. */
  periodEnds: number
  /** Of an open one: when a request may probe. */
  opensUntil: number
  lastUsed: number
}

/** Those of one provider. */
class Circuits {
  private readonly maximum: number
  private readonly metrics: CircuitMetrics.CircuitMetrics
  // The one that was not used for longest comes first.
  private readonly circuits = new Map<string, Circuit>()
  private hasWarned = false

  constructor(maximum: number, metrics: CircuitMetrics.CircuitMetrics) {
    this.maximum = maximum
    this.metrics = metrics
  }

  /** The circuit, made if there is none; `undefined` if there is no room for it, because all others are open. */
  find(key: CircuitKey, options: ResolvedOptions): Effect.Effect<Circuit | undefined> {
    return Effect.clockWith((clock) => {
      const now = clock.currentTimeMillisUnsafe()
      const id = JSON.stringify([key.endpoint, key.model])
      const known = this.circuits.get(id)
      if (known !== undefined) {
        known.options = options
        return Effect.succeed(this.used(id, known, now))
      }
      const room = this.makeRoom(now)
      if (room === undefined) return this.warnOnce
      return Effect.map(Effect.andThen(room, makeStore), (store): Circuit => {
        const made: Circuit = {
          key,
          options,
          metrics: this.metrics,
          store,
          state: "closed",
          generation: 0,
          isForgotten: false,
          periodEnds: now + Duration.toMillis(options.interval),
          opensUntil: 0,
          lastUsed: now
        }
        return this.used(id, this.circuits.get(id) ?? made, now)
      })
    })
  }

  statuses(): ReadonlyArray<CircuitStatus> {
    return Array.from(this.circuits.values(), ({ key, state, opensUntil }) => {
      return { ...key, state, opensUntil: state === "open" ? opensUntil : undefined }
    })
  }

  readonly forget: Effect.Effect<void> = Effect.suspend(() =>
    Effect.forEach(
      this.circuits.values(),
      (circuit) => {
        circuit.isForgotten = true
        return circuit.state === "closed" ? Effect.void : this.metrics.changed(circuit.key, "closed")
      },
      { discard: true }
    )
  )

  private used(id: string, circuit: Circuit, now: number): Circuit {
    circuit.lastUsed = now
    this.circuits.delete(id)
    this.circuits.set(id, circuit)
    return circuit
  }

  // What is to be done for it; `undefined` if there is none to be made.
  private makeRoom(now: number): Effect.Effect<void> | undefined {
    if (this.circuits.size < this.maximum) return Effect.void
    for (const [id, circuit] of this.circuits) {
      const { key, options, state, opensUntil, lastUsed } = circuit
      // Nobody has asked for it since its time was over, for as long again: it is as good as closed.
      const isAbandoned = now >= Math.max(opensUntil, lastUsed) + Duration.toMillis(options.timeout)
      if (state !== "closed" && !isAbandoned) continue
      this.circuits.delete(id)
      circuit.isForgotten = true
      return state === "closed" ? Effect.void : this.metrics.changed(key, "closed")
    }
    return undefined
  }

  private readonly warnOnce: Effect.Effect<undefined> = Effect.suspend(() => {
    if (this.hasWarned) return Effect.undefined
    this.hasWarned = true
    const warning = `all of ${this.maximum} circuits are open: requests for other models have no circuit breaker`
    return Effect.as(Effect.logWarning(warning), undefined)
  })
}

// Each circuit has a store of its own, so that to forget the one is to forget the other.
const makeStore: Effect.Effect<Breaker.CircuitBreakerStore["Service"]> = Effect.suspend(() =>
  Effect.map(
    Effect.scoped(Layer.build(Breaker.layerStoreMemory({ idleTimeToLive: Duration.infinity }))),
    Context.get(Breaker.CircuitBreakerStore)
  )
)

/** The store's key of its only circuit. */
const only = "circuit"

const admit = (circuit: Circuit | undefined): Effect.Effect<Permit, GatewayError, Scope.Scope> =>
  circuit === undefined
    ? unguarded
    : Effect.uninterruptible(
        Effect.flatMap(Effect.scope, (scope) =>
          Effect.matchEffect(circuit.store.admit(only), {
            onFailure: ({ reason }) => {
              // While a probe is under way nobody knows how long it takes.
              const retryAfter = reason._tag === "CircuitOpen" ? reason.retryAfter : Duration.seconds(1)
              const refused = Effect.fail(Refusal.make(new Refusal.CircuitOpen({ retryAfter })))
              return Effect.andThen(circuit.metrics.rejected(circuit.key), refused)
            },
            onSuccess: (admission) => {
              circuit.generation = admission.generation
              const permit = new CircuitPermit(circuit, admission)
              return moved(circuit, admission.transition).pipe(
                Effect.andThen(Scope.addFinalizer(scope, permit.settle)),
                Effect.andThen(permit.isProbe ? Effect.forkIn(leaseOf(circuit, permit), scope) : Effect.void),
                Effect.as(permit)
              )
            }
          })
        )
      )

// An upstream that does not answer its probe must not keep everybody out as long as it pleases.
const leaseOf = ({ options }: Circuit, permit: CircuitPermit): Effect.Effect<void> =>
  Effect.interruptible(Effect.delay(permit.expire, options.timeout))

class CircuitPermit implements Permit {
  readonly isProbe: boolean
  private readonly circuit: Circuit
  private readonly generation: number
  private outcome: Outcome | undefined
  private isGoingWell = false
  private isSettled = false

  constructor(circuit: Circuit, { generation, probe }: Breaker.Admission) {
    this.circuit = circuit
    this.generation = generation
    this.isProbe = probe
  }

  tell(outcome: Outcome): void {
    this.outcome ??= outcome
  }

  goesWell(): void {
    this.isGoingWell = true
  }

  readonly expire: Effect.Effect<void> = Effect.suspend(() => {
    if (this.isGoingWell) this.tell("success")
    return this.settle
  })

  readonly settle: Effect.Effect<void> = Effect.uninterruptible(
    Effect.suspend(() => {
      if (this.isSettled) return Effect.void
      this.isSettled = true
      switch (this.outcome) {
        case undefined:
        case "ignored":
          return this.record("Ignored")
        case "success":
          return this.record("Success")
        case "failure":
          return Effect.andThen(this.beginPeriod, this.record("Failure"))
      }
    })
  )

  // A closed circuit whose period is over forgets its failures: as after a success.
  private readonly beginPeriod: Effect.Effect<void> = Effect.clockWith((clock) => {
    const { circuit, generation } = this
    const now = clock.currentTimeMillisUnsafe()
    const interval = Duration.toMillis(circuit.options.interval)
    const isOfPresent = generation === circuit.generation && !this.isProbe
    if (!isOfPresent || interval === 0 || now < circuit.periodEnds) return Effect.void
    circuit.periodEnds = now + interval
    return this.record("Success")
  })

  private record(outcome: "Success" | "Failure" | "Ignored"): Effect.Effect<void> {
    const { circuit, generation } = this
    const { failureThreshold, timeout } = circuit.options
    const tripPolicy = Breaker.consecutive(failureThreshold)
    return circuit.store.record({ key: only, generation, outcome, tripPolicy, openFor: timeout }).pipe(
      Effect.orDie,
      Effect.flatMap((transition) => moved(circuit, transition))
    )
  }
}

const unguarded: Effect.Effect<Permit> = Effect.succeed({
  isProbe: false,
  tell: () => {},
  goesWell: () => {},
  settle: Effect.void
})

const moved = (circuit: Circuit, transition: Breaker.Transition | undefined): Effect.Effect<void> =>
  transition === undefined || circuit.isForgotten
    ? Effect.void
    : Effect.clockWith((clock) => {
        const now = clock.currentTimeMillisUnsafe()
        const from = stateOf[transition.from]
        const to = stateOf[transition.to]
        circuit.state = to
        if (to === "closed") circuit.periodEnds = now + Duration.toMillis(circuit.options.interval)
        if (to === "open") circuit.opensUntil = now + Duration.toMillis(circuit.options.timeout)
        return Effect.annotateLogs(Effect.logInfo("circuit breaker state change"), { ...circuit.key, from, to }).pipe(
          Effect.andThen(circuit.metrics.changed(circuit.key, to))
        )
      })

const stateOf = { Closed: "closed", HalfOpen: "half-open", Open: "open" } as const
