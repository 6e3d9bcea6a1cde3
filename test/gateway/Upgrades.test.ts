import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Table from "../Table.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

const layer = Setup.layer(() => Calls.passthrough.good)

const upgrades = [
  { connection: "upgrade", upgrade: "websocket" },
  { connection: "Upgrade", upgrade: "WebSocket" },
  { connection: "keep-alive, Upgrade", upgrade: "websocket" },
  { connection: "upgrade", upgrade: "h2c, websocket" },
  { connection: "upgrade", upgrade: "h3" }
]

describe("A request for another protocol", () => {
  const calls = Calls.everyones.map(({ call, path, fixture, request }) => ({ call, path, fixture, request }))
  const gets = Calls.everyones
    .filter((call) => call.isBridged)
    .map(({ call, path, fixture }) => ({ call: `GET where ${call} goes`, path, fixture, request: { method: "GET" } }))

  it.effect.each(Table.times([...calls, ...gets], upgrades))(
    "is 501 and sends nothing upstream: $upgrade ($connection) with $call",
    ({ path, fixture, request, connection, upgrade }) =>
      Effect.gen(function* () {
        const response = yield* TestGateway.fetch(path, { ...request, headers: { connection, upgrade } })

        const text = fixture.errorText(501, "WebSocket and other upgrades are not supported, use HTTP")
        assert.deepStrictEqual(response, {
          status: 501,
          headers: { "content-type": "application/json", "content-length": String(text.length) },
          text
        })
        assert.deepStrictEqual(yield* Setup.traces, Setup.nothing)
      }).pipe(Effect.provide(layer))
  )

  it.effect.each(Vendors.all)("is 501 below a subtree, and 404 where nothing is, of $name", (vendor) =>
    Effect.gen(function* () {
      const headers = { connection: "upgrade", upgrade: "websocket" }
      const below = yield* TestGateway.fetch(`${vendor.prefix}${vendor.models}/x`, { headers })
      const nowhere = yield* TestGateway.fetch(`${vendor.prefix}/realtime`, { headers })

      assert.deepStrictEqual([below.status, nowhere.status], [501, 404])
      assert.deepStrictEqual(yield* Setup.traces, Setup.nothing)
    }).pipe(Effect.provide(layer))
  )

  const ignored: ReadonlyArray<Readonly<Record<string, string>>> = [
    { connection: "upgrade, http2-settings", upgrade: "h2c", "http2-settings": "AAMAAABkAAQAAP__" },
    { connection: "Upgrade", upgrade: " H2C " },
    { connection: "keep-alive", upgrade: "websocket" },
    { upgrade: "websocket" },
    { connection: "x-upgrade", upgrade: "websocket" },
    { connection: "upgrade" }
  ]

  it.effect.each(
    Table.times(
      Calls.all,
      ignored.map((headers) => ({ headers, offer: JSON.stringify(headers) }))
    )
  )("that is none, or only an offer, is served: $offer with $call", ({ path, request, headers, ...call }) =>
    Effect.gen(function* () {
      const { status, text } = yield* TestGateway.fetch(path, { ...request, headers })

      assert.deepStrictEqual({ status, text }, { status: 200, text: call.text })
      for (const sent of yield* Setup.requests) {
        assert.notProperty(sent.headers, "upgrade")
        assert.notProperty(sent.headers, "connection")
        assert.notProperty(sent.headers, "http2-settings")
      }
    }).pipe(Effect.provide(Setup.layer([call.good])))
  )
})
