import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

type Headers = Readonly<Record<string, string>>

/** What the upstream is sent for these headers, without what comes with every request of this kind. */
const sent = Effect.fnUntraced(function* ({ path, request }: Calls.Call, headers: Headers) {
  yield* TestGateway.fetch(path, { ...request, headers })
  const all = yield* Setup.requests
  const {
    "x-api-key": _key,
    authorization: _authorization,
    "user-agent": _agent,
    "content-type": _type,
    "accept-encoding": _encoding,
    ...rest
  } = all[0]?.headers ?? {}
  return rest
})

const layer = Setup.layer(() => Calls.blocking.good)

const passes: ReadonlyArray<Headers> = [
  { "anthropic-version": "2023-06-01" },
  { "anthropic-beta": "context-1m-2025-08-07,interleaved-thinking-2025-05-14, x" },
  { accept: "application/json" },
  { "accept-language": "de, en;q=0.5" },
  { "x-stainless-lang": "js", "x-stainless-retry-count": "0" },
  { "x-app": "cli", "x-claude-code-session-id": "3e8a" },
  { "anthropic-dangerous-direct-browser-access": "true" },
  { "x-request-id": "of the client" },
  { "openai-organization": "org-1", "openai-project": "proj_1", "openai-beta": "assistants=v2" },
  { "idempotency-key": "stainless-node-retry-1" },
  { "x-custom": " inner  blanks " },
  { "x-empty": "" }
]

describe("A request header", () => {
  it.effect.each(
    Table.times(
      Calls.unchanged,
      passes.map((headers) => ({ headers, text: Object.keys(headers).join() }))
    )
  )("goes upstream unchanged on $call: $text", (row) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* sent(row, row.headers), row.headers)
    }).pipe(Effect.provide(layer))
  )

  const stays: ReadonlyArray<Headers> = [
    ...[
      "connection",
      "keep-alive",
      "proxy-authenticate",
      "proxy-authorization",
      "proxy-connection",
      "te",
      "trailer",
      "upgrade"
    ].map((name) => ({ [name]: "x" })),
    { connection: "close, X-Hop , keep-alive", "x-hop": "1", "X-HOP": "2" },
    { connection: "upgrade, anthropic-beta", "anthropic-beta": "x", upgrade: "h2c" },
    { cookie: "session=1" },
    { forwarded: "for=1.2.3.4" },
    { via: "1.1 proxy" },
    { "x-real-ip": "1.2.3.4" },
    { "x-forwarded-for": "1.2.3.4", "x-forwarded-host": "a", "x-forwarded-proto": "https", "x-forwarded-port": "1" },
    { "x-aibridge-token": "" },
    { "x-aibridge-interception-id": "1", "x-aibridge-anything": "1" },
    { "X-AI-Bridge-Actor-ID": "admin", "X-AI-Bridge-Actor-Metadata-Username": "admin" },
    { "x-ai-bridge-actor": "admin" },
    { host: "gateway.test" },
    { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=1" },
    { expect: "100-continue" }
  ]

  it.effect.each(
    Table.times(
      Calls.unchanged,
      stays.map((headers) => ({ headers, text: Object.keys(headers).join() }))
    )
  )("never goes upstream on $call: $text", (row) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* sent(row, row.headers), {})
    }).pipe(Effect.provide(layer))
  )

  it.effect("of a length is left to the client upstream, which knows it", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* sent(Calls.blocking, { "content-length": "7" }), {})
    }).pipe(Effect.provide(layer))
  )

  it.effect.each([
    { agent: "claude-cli/2.0 (external, cli)", expected: "claude-cli/2.0 (external, cli)" },
    { agent: undefined, expected: "aibridge" }
  ])("user-agent $agent becomes $expected", ({ agent, expected }) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(Calls.passthrough.path, { headers: agent === undefined ? {} : { "user-agent": agent } })

      assert.deepStrictEqual(
        (yield* Setup.requests).map(({ headers }) => headers),
        [{ "user-agent": expected, "x-api-key": Setup.key(0) }]
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect.each(Calls.unchangedBridged)(
    "accept-encoding asks for plain bytes on $call, which is read",
    ({ path, request, vendor }) =>
      Effect.gen(function* () {
        yield* TestGateway.fetch(path, { ...request, headers: { "accept-encoding": "gzip, br" } })

        assert.deepStrictEqual(
          (yield* Setup.requests).map(({ headers }) => headers),
          [
            {
              "accept-encoding": "identity",
              "content-type": "application/json",
              "user-agent": "aibridge",
              ...vendor.credential(Setup.key(0, vendor))
            }
          ]
        )
      }).pipe(Effect.provide(layer))
  )

  it.effect.each(Vendors.pooled)("accept-encoding is the client's own on a passthrough $name request", (vendor) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(vendor.prefix + vendor.models, { headers: { "accept-encoding": "gzip, br" } })

      assert.deepStrictEqual(
        (yield* Setup.requests).map(({ headers }) => headers["accept-encoding"]),
        ["gzip, br"]
      )
    }).pipe(Effect.provide(layer))
  )
})
