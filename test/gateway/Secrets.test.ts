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
import * as Anthropic from "../../src/providers/Anthropic.ts"
import { Providers } from "../../src/providers/Providers.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../relay/Table.ts"
import * as Fixture from "./Fixture.ts"
import * as Setup from "./Setup.ts"

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
  { caller: "a provider's key as token", headers: { "x-api-key": Setup.key(0) } }
]

const upstreams: ReadonlyArray<{ readonly upstream: string; readonly answer: ScriptedUpstream.Answer }> = [
  { upstream: "answers", answer: Fixture.message200 },
  { upstream: "limits", answer: Fixture.error(429, "5") },
  { upstream: "refuses", answer: Fixture.error(401) },
  { upstream: "fails", answer: Fixture.error(500) },
  { upstream: "cannot be reached", answer: ScriptedUpstream.failure(Failure.unreachable("ECONNREFUSED")) },
  { upstream: "is silent too long", answer: ScriptedUpstream.failure(Failure.timedOut()) },
  {
    upstream: "breaks off a stream",
    answer: ScriptedUpstream.events([...Fixture.events.slice(0, 2), Failure.cut("ECONNRESET")])
  },
  { upstream: "breaks off an answer", answer: ScriptedUpstream.streamed(200, ["{", Failure.cut("ECONNRESET")]) }
]

const requests: ReadonlyArray<readonly [path: string, request: TestGateway.RequestOptions]> = [
  [Setup.messages, Setup.streaming],
  [Setup.models, {}],
  [Setup.messages, { body: "no JSON" }],
  ["/anthropic/nowhere", {}]
]

const rows = Table.times(callers, upstreams)

describe("No secret", () => {
  it.effect.each(rows)("is shown to anybody when $caller calls and the upstream $upstream", ({ headers, answer }) => {
    const { texts, spans, layer } = sinks()
    return Effect.gen(function* () {
      for (const [path, request] of requests) {
        const exit = yield* TestGateway.fetch(path, { ...request, headers }).pipe(
          Effect.withSpan("request"),
          Effect.exit,
          Effect.provide(layer)
        )
        if (Exit.isFailure(exit)) texts.push(Cause.pretty(exit.cause))
        texts.push(shown(exit))
      }
      texts.push(shown(yield* Setup.records), shown(yield* Setup.states))
      texts.push(...spans.map((span) => shown([span.name, [...span.attributes], span.status])))

      assert.isAbove(spans.length, 0)
      for (const text of texts) assert.notInclude(text, secrets)
    }).pipe(Effect.provide(Setup.layer(() => answer, { tokens: { alice: token } })))
  })

  it.effect("is in what prints of the parts that hold them", () =>
    Effect.gen(function* () {
      const { all } = yield* Providers
      const authenticator = yield* Authenticator.Authenticator
      const pool = yield* Setup.pool

      for (const value of [all, authenticator, pool, pool.walker()]) assert.notInclude(shown(value), secrets)
    }).pipe(Effect.provide(Setup.layer([], { tokens: { alice: token } })))
  )

  it.effect.each([
    { fault: "twice", keys: [own, own] },
    { fault: "with a space", keys: [`${own} x`] },
    { fault: "with a line break", keys: [`${own}\n`] }
  ])("is in the error about a key that is there $fault", ({ keys }) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(Anthropic.make({ keys: keys.map((key) => Redacted.make(key)) }))

      assert.isTrue(Exit.isFailure(exit))
      assert.notInclude(shown(exit) + (Exit.isFailure(exit) ? Cause.pretty(exit.cause) : ""), secrets)
    })
  )

  it.effect("would be missed: they are used, and found where they are shown", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(Setup.models, { headers: { ...withToken, "x-api-key": own } })
      yield* TestGateway.fetch(Setup.models, { headers: { "x-api-key": token } })

      for (const request of yield* Setup.requests) assert.include(shown(request.headers), secrets)
    }).pipe(Effect.provide(Setup.layer(() => Fixture.models200, { tokens: { alice: token } })))
  )
})
