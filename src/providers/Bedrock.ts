/**
 * Anthropic's models on Amazon Bedrock, for clients that speak Anthropic Messages: requests are translated, signed with AWS
 * credentials, and their event streams become server-sent events.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as AnthropicMessages from "../dialects/AnthropicMessages.ts"
import { hint } from "../domain/Credential.ts"
import type { ResponseHeaders } from "../domain/HeaderRecord.ts"
import { first } from "../domain/HeaderRecord.ts"
import type { InvalidKeys } from "../keys/InvalidKeys.ts"
import type { AwsCredentials, Source } from "./bedrock/AwsCredentials.ts"
import * as Credentials from "./bedrock/AwsCredentials.ts"
import type * as EventStream from "./bedrock/EventStream.ts"
import * as Exceptions from "./bedrock/Exceptions.ts"
import type { Additions } from "./bedrock/ModelTables.ts"
import * as ModelTables from "./bedrock/ModelTables.ts"
import * as RequestBody from "./bedrock/RequestBody.ts"
import type * as Signature from "./bedrock/Signature.ts"
import * as Provider from "./Provider.ts"
import type { AnswerTranslation, Translation } from "./Translation.ts"

export type { AwsCredentials, Source } from "./bedrock/AwsCredentials.ts"
export type { Additions } from "./bedrock/ModelTables.ts"

export interface Options {
  /** Such as `us-east-1`. Default: the one that the base URL names, else `us-east-1`; one of the two must be given. */
  readonly region?: string
  /** Default: Bedrock's own in the region. */
  readonly baseUrl?: string
  /** The model, inference profile or ARN that is asked, whatever model a client names. */
  readonly model: string
  /** The one that is asked if a client names a Haiku. */
  readonly smallFastModel: string
  /** What `model` is, such as `anthropic.claude-opus-4-7`, if its name does not say it: an application inference profile. */
  readonly modelFamily?: string
  /** The same of `smallFastModel`. */
  readonly smallFastModelFamily?: string
  /** A pool, in order of preference. Default: those that the default chain of the AWS SDKs finds. */
  readonly credentials?: ReadonlyArray<AwsCredentials>
  /** In place of the default chain. */
  readonly defaultChain?: Source
  /** What the models accept beyond what is known here. */
  readonly models?: Additions
}

/** What is left of a provider's options: where it is and what its keys are is said here. */
export type ProviderOptions = Omit<Provider.Options, "keys" | "baseUrl">

/**
 * Mounted at `/anthropic`, or `/<name>`. A credential that is throttled rests for 5 seconds, or longer for a row of throttles,
 * but a minute at most, unless `cooldown` says otherwise. Credentials that the default chain finds are tried again a minute
 * after they were refused, as they may have been renewed meanwhile. Fails as `Provider.make`.
 */
export const make = Effect.fn("Bedrock.make")(function* (
  options: Options,
  provider: ProviderOptions = {}
): Effect.fn.Return<Provider.Provider, Provider.InvalidProvider | InvalidKeys> {
  const detail = problem(options)
  if (detail !== undefined) {
    return yield* new Provider.InvalidProvider({ provider: provider.name ?? vendorType, option: "bedrock", detail })
  }
  const { credentials } = options
  return yield* Provider.make(vendor(options, yield* loadWire), {
    cooldown,
    ...provider,
    keys: credentials?.map(poolKey) ?? [Redacted.make(chainKey)],
    ...(credentials === undefined && { recheck: provider.recheck ?? Schedule.spaced("1 minute") })
  })
})

// AWS does not say how long it throttles, but it is moments: 5, 10, 20, 40, then always 60 seconds for a row of them.
const cooldown = Schedule.min([Schedule.exponential("5 seconds"), Schedule.spaced("60 seconds")])

/** What is wrong with options, if anything is. */
export const problem = ({ region, baseUrl, model, smallFastModel, credentials }: Options): string | undefined => {
  if (!region && !baseUrl) return "region or base url required"
  if (!model) return "model required"
  if (!smallFastModel) return "small fast model required"
  if (region && !regionPattern.test(region)) return "region must be one of AWS, such as us-east-1"
  if (credentials?.some((each) => !each.accessKeyId || Redacted.value(each.secretAccessKey) === "")) {
    return "both access key and access key secret must be provided together"
  }
  return undefined
}

/** The credentials that are used where none are given: what the default chain of the AWS SDKs finds. Bind it once. */
export const defaultChain = (options: Pick<Options, "region" | "baseUrl">): Source =>
  Credentials.defaultChain(regionOf(options))

/** Whether a header, by its name in lower case, is part of a request's signature. `x-amzn-*` are not: they say something to Bedrock. */
export const isReservedHeader = (name: string): boolean => name.startsWith("x-amz-")

/** What a region may be called. */
export const regionPattern = /^[a-z]{2,}(?:-[a-z]+)+-\d+$/

const vendorType = "anthropic"

// Stands in the pool for whatever the chain finds.
const chainKey = "aws-chain"

// With its secret, so that one whose secret was mended is another key.
const poolKey = ({ accessKeyId, secretAccessKey }: AwsCredentials): Redacted.Redacted<string> =>
  Redacted.make(`${accessKeyId}:${Redacted.value(secretAccessKey)}`)

const hintOfId = (key: string): string => hint(key.slice(0, key.indexOf(":")))

const vendor = (options: Options, wire: Wire): Provider.Vendor => {
  const region = regionOf(options)
  return {
    type: vendorType,
    baseUrl:
      options.baseUrl || `https://bedrock-runtime.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`,
    dialect: AnthropicMessages.dialect,
    bridgedRoutes: [{ path: "/v1/messages", dialect: AnthropicMessages.dialect }],
    // Nothing that could be relayed blind: every request must be signed.
    passthroughRoutes: [],
    credential: {
      inject: (headers) => headers,
      own: () => undefined,
      missing: "no AWS credentials",
      hint: (key) => (key === chainKey ? "<aws chain>" : hintOfId(key))
    },
    isReservedHeader,
    translation: translation(options, region, wire)
  }
}

const regionOf = ({ region, baseUrl }: Pick<Options, "region" | "baseUrl">): string =>
  region || namedRegion(baseUrl ?? "") || "us-east-1"

// As in `bedrock-runtime.eu-west-1.amazonaws.com`, with whatever stands around it for a private endpoint.
const namedRegion = (baseUrl: string): string | undefined => {
  const [, region = ""] = /(?:\.|\/\/)bedrock-runtime(?:-fips)?\.([a-z\d-]+)\./.exec(baseUrl) ?? []
  return regionPattern.test(region) ? region : undefined
}

// What rests on AWS's libraries is loaded only by who uses it: they take their time and memory.
interface Wire {
  readonly sign: typeof Signature.sign
  readonly decoder: typeof EventStream.make
}

const loadWire: Effect.Effect<Wire> = Effect.promise(async () => {
  const [signature, eventStream] = await Promise.all([
    import("./bedrock/Signature.ts"),
    import("./bedrock/EventStream.ts")
  ])
  return { sign: signature.sign, decoder: eventStream.make }
})

const translation = (options: Options, region: string, wire: Wire): Translation => {
  const { model, smallFastModel, modelFamily = model, smallFastModelFamily = smallFastModel } = options
  const scope = { region, service: "bedrock" }
  const tables = ModelTables.extend(ModelTables.defaults, options.models ?? {})
  const sources = options.credentials?.map(Credentials.fixed) ?? [options.defaultChain ?? defaultChain(options)]
  return {
    model: (asked) => (/haiku/i.test(asked) ? smallFastModel : model),
    request: (asked) => {
      const family = asked.model === model ? modelFamily : smallFastModelFamily
      const { headers, body, warnings } = RequestBody.translate({ ...asked, family, tables })
      return {
        path: `/model/${encode(asked.model)}/${asked.stream ? "invoke-with-response-stream" : "invoke"}`,
        headers: {
          ...headers,
          "content-type": "application/json",
          accept: asked.stream ? eventStream : "application/json"
        },
        body,
        warnings
      }
    },
    authorize: (request, key) => {
      const source = sources[key.index]
      if (source === undefined) return Effect.die(new Error(`there are no credentials for key ${key.index}`))
      return Effect.flatMap(key.isProbe ? source.renewed : source.current, (credentials) =>
        Effect.clockWith((clock) => wire.sign(request, credentials, scope, clock.currentTimeMillisUnsafe()))
      )
    },
    answer: ({ status, headers }): AnswerTranslation => {
      if (status >= 400) return { _tag: "Whole", translate: (body) => Exceptions.translate({ status, headers }, body) }
      if (!first(headers, "content-type")?.startsWith(eventStream)) return { _tag: "Same" }
      return { _tag: "Events", headers: asEvents(headers), decoder: wire.decoder }
    }
  }
}

const eventStream = "application/vnd.amazon.eventstream"

// Frames that are compressed although that was not asked for cannot be read: a broken stream, not a body for the client.
const asEvents = (headers: ResponseHeaders): ResponseHeaders => ({
  ...headers,
  "content-encoding": undefined,
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache"
})

// RFC 3986 section 2.3: AWS encodes everything but unreserved characters.
const encode = (model: string): string =>
  encodeURIComponent(model).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
