/** Providers out of their settings. Made again, those whose settings are the same stay the same. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { InvalidKeys } from "../keys/InvalidKeys.ts"
import * as Bedrock from "../providers/Bedrock.ts"
import type { InvalidProvider } from "../providers/Provider.ts"
import * as Provider from "../providers/Provider.ts"
import * as FailureLog from "../record/FailureLog.ts"
import type { ProviderConfig, ServiceConfig } from "./ServiceConfig.ts"
import * as Vendors from "./Vendors.ts"

/** What a provider is made of: its settings, and those of all that concern it. */
export type Settings = ProviderConfig & Pick<ServiceConfig, "sendActorHeaders">

/** One provider and what it was made of. */
export interface Member {
  readonly settings: Settings
  readonly provider: Provider.Provider
  /** Where it has its credentials from, if it looks for them itself. */
  readonly chain: Bedrock.Source | undefined
}

export type ProviderSet = ReadonlyArray<Member>

/** Fails with what is wrong with the first one that cannot be. */
export const make = (
  config: ServiceConfig,
  before: ProviderSet = []
): Effect.Effect<ProviderSet, InvalidKeys | InvalidProvider> =>
  Effect.forEach(config.providers, (provider) => {
    const settings = { ...provider, sendActorHeaders: config.sendActorHeaders }
    const same = before.find((member) => Equal.equals(member.settings, settings))
    return same === undefined ? member(settings) : Effect.succeed(same)
  })

const member = (settings: Settings): Effect.Effect<Member, InvalidKeys | InvalidProvider> => {
  const { bedrock } = settings
  // One chain a provider, so that it can be asked at start.
  const chain = bedrock === undefined || bedrock.credentials !== undefined ? undefined : Bedrock.defaultChain(bedrock)
  return Effect.map(makeProvider(settings, chain), (provider) => ({ settings, provider, chain }))
}

const makeProvider = (settings: Settings, defaultChain: Bedrock.Source | undefined) => {
  const { type, name, keys, baseUrl, allowByok, keyFailurePolicy, sendActorHeaders } = settings
  const { cooldown, recheck, circuitBreaker, bedrock, upstreamTimeout, idleTimeout, totalTimeout, extraHeaders } =
    settings
  const options = {
    name,
    allowByok,
    keyFailurePolicy,
    sendActorHeaders,
    ...scheduleOf(cooldown),
    ...(recheck && { recheck: Schedule.spaced(recheck) }),
    ...(circuitBreaker && { circuitBreaker }),
    ...(upstreamTimeout && { upstreamTimeout }),
    ...(idleTimeout && { idleTimeout }),
    ...(totalTimeout && { totalTimeout }),
    extraHeaders: Object.fromEntries(extraHeaders)
  }
  return bedrock === undefined
    ? Provider.make(Vendors.vendors[type], { ...options, ...(keys && { keys }), ...(baseUrl && { baseUrl }) })
    : Bedrock.make({ ...(defaultChain && { defaultChain }), ...bedrock }, options)
}

// One time after the other; a pool repeats the last one.
const scheduleOf = (
  times: ReadonlyArray<Duration.Duration> = []
): { readonly cooldown?: Schedule.Schedule<unknown> } => {
  const [first, ...others] = times.map((time): Schedule.Schedule<unknown> => Schedule.duration(time))
  return first === undefined ? {} : { cooldown: others.reduce((before, next) => Schedule.concat(before, next), first) }
}

/**
 * Looks for the credentials of those that are not among the ones before, and logs what fails: beside everything else, as an
 * instance's metadata may take its time, and other providers do not depend on it.
 */
export const checkChains = (set: ProviderSet, before: ProviderSet = []): Effect.Effect<void, never, Scope.Scope> =>
  Effect.forEach(
    set.filter((each) => !before.includes(each)),
    ({ chain, settings: { name } }) =>
      chain === undefined
        ? Effect.void
        : chain.current.pipe(
            Effect.asVoid,
            Effect.catch((error) => FailureLog.log(error, { provider: name })),
            Effect.forkScoped
          ),
    { discard: true }
  )
