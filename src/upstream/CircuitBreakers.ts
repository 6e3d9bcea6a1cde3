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
import * as BoundedLabels from "../domain/BoundedLabels.ts"
import type { GatewayError } from "../domain/GatewayError.ts"
import * as Refusal from "../domain/GatewayError.ts"
import type { CircuitBreakerOptions } from "../providers/CircuitBreakerOptions.ts"
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
  /** Records what was told, if it was not recorded before. Runs by itself when the call's scope closes. */
  readonly settle: Effect.Effect<void>
}

/** `ignored`: it says nothing about whether the upstream is overloaded. */
export type Outcome = "success" | "failure" | "ignored"

/** All circuits of a gateway. */
export class CircuitBreakers extends Context.Service<
  CircuitBreakers,
  {
    /**
     * Lets a call through, or fails with `GatewayError` (`CircuitOpen`). A call whose scope closes before its outcome was
     * told counts as `ignored`.
     */
    readonly admit: (
      key: CircuitKey,
      options: CircuitBreakerOptions
    ) => Effect.Effect<Permit, GatewayError, Scope.Scope>
  }
>()("effect-aibridge/upstream/CircuitBreakers") {}

/** What holds for all circuits together. */
export interface Options {
  /** How many circuits are kept; beyond it the closed one that was not used for longest goes. Default 1000. */
  readonly maximumCircuits?: number
  /** How many different models metrics tell apart; the rest is `other`. Default 100. */
  readonly maximumModelLabels?: number
}

/** In the memory of this process. */
export const make = (options: Options = {}): Effect.Effect<CircuitBreakers["Service"]> =>
  Effect.sync(() => {
    const circuits = new Circuits(options.maximumCircuits ?? 1000)
    const models = BoundedLabels.make(options.maximumModelLabels ?? 100)
    return CircuitBreakers.of({
      admit: ({ provider, endpoint, model }, breaker) => {
        const key = { provider, endpoint, model: model.slice(0, longestModel) }
        return Effect.flatMap(circuits.find(key, breaker), (circuit) =>
          circuit === undefined ? Effect.succeed(unguarded) : admit(circuit, { ...key, model: models.of(key.model) })
        )
      }
    })
  })

/** In the memory of this process. What `Gateway.layer` uses if it is given no other. */
export const layer = (options: Options = {}): Layer.Layer<CircuitBreakers> =>
  Layer.effect(CircuitBreakers, make(options))

/** What an upstream's status says to a circuit. */
export const outcomeOf = (status: number, { statuses }: CircuitBreakerOptions): Outcome => {
  if (statuses.has(status)) return "failure"
  // A key that is refused or limited says nothing about the upstream, and does not end a row of failures either.
  return status === 401 || status === 403 || status === 429 ? "ignored" : "success"
}

/** Longer names of models share a circuit with those that begin alike. */
const longestModel = 256

interface Circuit {
  readonly key: CircuitKey
  readonly options: CircuitBreakerOptions
  readonly store: Breaker.CircuitBreakerStore["Service"]
  state: CircuitMetrics.State
  /** Of a closed one: when its period ends. Epoch milliseconds, as below. */
  periodEnds: number
  /** Of an open one: when a request may probe. */
  opensUntil: number
  lastUsed: number
}

/** An open circuit that nobody has asked for since, so long after its time, is forgotten like a closed one. */
const forgottenAfter = Duration.toMillis("1 hour")

class Circuits {
  private readonly maximum: number
  // The one that was not used for longest comes first.
  private readonly circuits = new Map<string, Circuit>()
  private hasWarned = false

  constructor(maximum: number) {
    this.maximum = maximum
  }

  /** The circuit, made if there is none; `undefined` if there is no room for it, because all others are open. */
  find(key: CircuitKey, options: CircuitBreakerOptions): Effect.Effect<Circuit | undefined> {
    return Effect.clockWith((clock) => {
      const now = clock.currentTimeMillisUnsafe()
      const id = JSON.stringify([key.provider, key.endpoint, key.model])
      const known = this.circuits.get(id)
      if (known !== undefined) return Effect.succeed(this.used(id, known, now))
      if (!this.makeRoom(now)) return this.warnOnce
      return Effect.map(makeStore, (store) => {
        const periodEnds = now + Duration.toMillis(options.interval)
        const circuit = { key, options, store, state: "closed", periodEnds, opensUntil: 0, lastUsed: now } as const
        return this.used(id, this.circuits.get(id) ?? circuit, now)
      })
    })
  }

  private used(id: string, circuit: Circuit, now: number): Circuit {
    circuit.lastUsed = now
    this.circuits.delete(id)
    this.circuits.set(id, circuit)
    return circuit
  }

  private makeRoom(now: number): boolean {
    if (this.circuits.size < this.maximum) return true
    for (const [id, { state, opensUntil, lastUsed }] of this.circuits) {
      const isForgotten = now >= Math.max(opensUntil, lastUsed) + forgottenAfter
      if (state === "closed" || isForgotten) return this.circuits.delete(id)
    }
    return false
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

const admit = (circuit: Circuit, labels: CircuitMetrics.Labels): Effect.Effect<Permit, GatewayError, Scope.Scope> =>
  Effect.uninterruptible(
    Effect.flatMap(Effect.scope, (scope) =>
      Effect.matchEffect(circuit.store.admit(only), {
        onFailure: ({ reason }) => {
          // While a probe is under way nobody knows how long it takes.
          const retryAfter = reason._tag === "CircuitOpen" ? reason.retryAfter : Duration.seconds(1)
          return Effect.andThen(
            CircuitMetrics.rejected(labels),
            Effect.fail(Refusal.make(new Refusal.CircuitOpen({ retryAfter })))
          )
        },
        onSuccess: (admission) => {
          const permit = new CircuitPermit(circuit, labels, admission)
          return moved(circuit, labels, admission.transition).pipe(
            Effect.andThen(Scope.addFinalizer(scope, permit.settle)),
            Effect.as(permit)
          )
        }
      })
    )
  )

class CircuitPermit implements Permit {
  readonly isProbe: boolean
  private readonly circuit: Circuit
  private readonly labels: CircuitMetrics.Labels
  private readonly generation: number
  private outcome: Outcome | undefined
  private isSettled = false

  constructor(circuit: Circuit, labels: CircuitMetrics.Labels, { generation, probe }: Breaker.Admission) {
    this.circuit = circuit
    this.labels = labels
    this.generation = generation
    this.isProbe = probe
  }

  tell(outcome: Outcome): void {
    this.outcome ??= outcome
  }

  readonly settle: Effect.Effect<void> = Effect.uninterruptible(
    Effect.suspend(() => {
      if (this.isSettled) return Effect.void
      this.isSettled = true
      switch (this.outcome) {
        case undefined:
        case "ignored":
          return this.record("Ignored")
        case "success":
          return Effect.andThen(this.beginPeriod, this.record("Success"))
        case "failure":
          return Effect.andThen(this.beginPeriod, this.record("Failure"))
      }
    })
  )

  // A closed circuit whose period is over forgets its failures: as after a success. In another state, or with a permit from
  // before the last change, the store takes no notice.
  private readonly beginPeriod: Effect.Effect<void> = Effect.clockWith((clock) => {
    const { circuit } = this
    const now = clock.currentTimeMillisUnsafe()
    const interval = Duration.toMillis(circuit.options.interval)
    if (this.isProbe || interval === 0 || now < circuit.periodEnds) return Effect.void
    circuit.periodEnds = now + interval
    return this.record("Success")
  })

  private record(outcome: "Success" | "Failure" | "Ignored"): Effect.Effect<void> {
    const { circuit, labels, generation } = this
    const { failureThreshold, timeout } = circuit.options
    const tripPolicy = Breaker.consecutive(failureThreshold)
    return circuit.store.record({ key: only, generation, outcome, tripPolicy, openFor: timeout }).pipe(
      Effect.orDie,
      Effect.flatMap((transition) => moved(circuit, labels, transition))
    )
  }
}

const unguarded: Permit = { isProbe: false, tell: () => {}, settle: Effect.void }

const moved = (
  circuit: Circuit,
  labels: CircuitMetrics.Labels,
  transition: Breaker.Transition | undefined
): Effect.Effect<void> =>
  transition === undefined
    ? Effect.void
    : Effect.clockWith((clock) => {
        const now = clock.currentTimeMillisUnsafe()
        const from = stateOf[transition.from]
        const to = stateOf[transition.to]
        circuit.state = to
        if (to === "closed") circuit.periodEnds = now + Duration.toMillis(circuit.options.interval)
        if (to === "open") circuit.opensUntil = now + Duration.toMillis(circuit.options.timeout)
        return Effect.annotateLogs(Effect.logInfo("circuit breaker state change"), { ...circuit.key, from, to }).pipe(
          Effect.andThen(CircuitMetrics.changed(labels, to))
        )
      })

const stateOf = { Closed: "closed", HalfOpen: "half-open", Open: "open" } as const
