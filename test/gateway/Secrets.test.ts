import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Tracer from "effect/Tracer"
import { inspect } from "node:util"
import * as Failure from "../../src/domain/UpstreamError.ts"
import * as Authenticator from "../../src/inbound/Authenticator.ts"
import * as OpenAi from "../../src/providers/OpenAi.ts"
import { Providers } from "../../src/providers/Providers.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import type { Fixture } from "./Fixture.ts"
import * as Setup from "./Setup.ts"
import type { Vendor } from "./Vendors.ts"
import * as Vendors from "./Vendors.ts"

const token = "gate-alice-NEVER-SHOWN-0001"
const own = "sk-ant-own-NEVER-SHOWN-key"
const ownBearer = "oauth-own-NEVER-SHOWN-token"
const secrets = "NEVER-SHOWN"

const plain = (_: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value)

/** Everything that anybody could see of a value. */
const shown = (value: unknown): string =>
  [String(value), JSON.stringify(value, plain), inspect(value, { depth: 12, showHidden: true })].join("\n")

/** Loggers and a tracer that keep all they are told as text. */
const sinks = () => {
  const texts: Array<string> = []
  const spans: Array<Tracer.Span> = []
  const keep = (logger: Logger.Logger<unknown, unknown>) => Logger.map(logger, (line) => void texts.push(shown(line)))
  const layer = Layer.merge(
    Logger.layer([
      keep(Logger.formatStructured),
      keep(Logger.formatJson),
      keep(Logger.formatLogFmt),
      keep(Logger.make(({ message, cause }) => [message, Cause.pretty(cause)]))
    ]),
    Layer.succeed(
      Tracer.Tracer,
      Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          spans.push(span)
          return span
        }
      })
    )
  )
  return { texts, spans, layer }
}

const withToken = { "x-aibridge-token": token }

const callers: ReadonlyArray<{ readonly caller: string; readonly headers: Readonly<Record<string, string>> }> = [
  { caller: "a token as Bearer", headers: { authorization: `Bearer ${token}` } },
  { caller: "a token as x-api-key", headers: { "x-api-key": token, authorization: `Basic ${own}` } },
  { caller: "a key of its own", headers: { ...withToken, "x-api-key": own } },
  { caller: "a bearer of its own", headers: { ...withToken, authorization: `Bearer ${ownBearer}` } },
  { caller: "a wrong token", headers: { ...withToken, "x-aibridge-token": own, cookie: `a=${own}` } },
  { caller: "a provider's key as token", headers: { "x-api-key": Setup.key(0), authorization: Setup.key(1) } }
]

const upstreams: ReadonlyArray<{
  readonly upstream: string
  readonly answer: (fixture: Fixture) => ScriptedUpstream.Answer
}> = [
  { upstream: "answers", answer: ({ answer200 }) => answer200 },
  { upstream: "limits", answer: ({ error }) => error(429, "5") },
  { upstream: "refuses", answer: ({ error }) => error(401) },
  { upstream: "fails", answer: ({ error }) => error(500) },
  { upstream: "cannot be reached", answer: () => ScriptedUpstream.failure(Failure.unreachable("ECONNREFUSED")) },
  { upstream: "is silent too long", answer: () => ScriptedUpstream.failure(Failure.timedOut()) },
  {
    upstream: "breaks off a stream",
    answer: ({ events }) => ScriptedUpstream.events([...events.slice(0, 2), Failure.cut("ECONNRESET")])
  },
  {
    upstream: "breaks off an answer",
    answer: () => ScriptedUpstream.streamed(200, ["{", Failure.cut("ECONNRESET")])
  }
]

/** One of each kind: streams, passthrough, what is refused and what is not found. */
const requestsTo = (vendor: Vendor) => [
  ...Calls.of(vendor).filter((call) => call.isStreaming || !call.isBridged),
  ...vendor.bridged.map(({ path }) => ({ path: vendor.prefix + path, request: { body: "no JSON" } })),
  { path: `${vendor.prefix}/nowhere`, request: {} }
]

const rows = Table.times(
  Vendors.all.map((vendor) => ({ vendor, name: vendor.name })),
  Table.times(callers, upstreams)
)

describe("No secret", () => {
  it.effect.each(rows)("is shown to anybody when $caller calls and $name $upstream", ({ vendor, headers, answer }) => {
    const { texts, spans, layer } = sinks()
    return Effect.gen(function* () {
      for (const { path, request } of requestsTo(vendor)) {
        const exit = yield* TestGateway.fetch(path, { ...request, headers }).pipe(
          Effect.withSpan("request"),
          Effect.exit,
          Effect.provide(layer)
        )
        if (Exit.isFailure(exit)) texts.push(Cause.pretty(exit.cause))
        texts.push(shown(exit))
      }
      texts.push(shown(yield* Setup.records), shown(yield* Setup.states(vendor)))
      texts.push(...spans.map((span) => shown([span.name, [...span.attributes], span.status])))

      assert.isAbove(spans.length, 0)
      for (const text of texts) assert.notInclude(text, secrets)
    }).pipe(Effect.provide(Setup.layer(() => answer(vendor.fixture), { tokens: { alice: token } })))
  })

  it.effect("is in what prints of the parts that hold them", () =>
    Effect.gen(function* () {
      const { all: providers } = yield* Providers
      const all = providers()
      const authenticator = yield* Authenticator.Authenticator
      const pools = all.flatMap(({ keyFailover: { pool } }) => (pool === undefined ? [] : [pool]))

      assert.lengthOf(pools, Vendors.pooled.length + 1)
      const walkers = pools.map((pool) => pool.walker())
      for (const value of [all, authenticator, ...pools, ...walkers]) assert.notInclude(shown(value), secrets)
    }).pipe(Effect.provide(Setup.layer([], { tokens: { alice: token } })))
  )

  it.effect.each([
    { fault: "twice", keys: [own, own] },
    { fault: "with a space", keys: [`${own} x`] },
    { fault: "with a line break", keys: [`${own}\n`] }
  ])("is in the error about a key that is there $fault", ({ keys }) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(OpenAi.make({ keys: keys.map((key) => Redacted.make(key)) }))

      assert.isTrue(Exit.isFailure(exit))
      assert.notInclude(shown(exit) + (Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""), secrets)
    })
  )

  it.effect("would be missed: they are used, and found where they are shown", () =>
    Effect.gen(function* () {
      for (const vendor of Vendors.all) {
        const path = vendor.prefix + vendor.models
        yield* TestGateway.fetch(path, { headers: { ...withToken, ...vendor.credential(own) } })
        if (vendor.hasPool) yield* TestGateway.fetch(path, { headers: { "x-api-key": token } })
      }

      assert.lengthOf(yield* Setup.requests, 7)
      for (const request of yield* Setup.requests) assert.include(shown(request.headers), secrets)
    }).pipe(Effect.provide(Setup.layer(() => Calls.passthrough.good, { tokens: { alice: token } })))
  )
})
