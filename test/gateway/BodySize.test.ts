import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Gateway } from "../../src/Gateway.ts"
import * as GatewayOptions from "../../src/GatewayOptions.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import type { Fixture } from "./Fixture.ts"
import * as Responses from "./Responses.ts"
import * as Setup from "./Setup.ts"

const limit = 64

/** A JSON body of exactly so many bytes. */
const sized = (bytes: number): string => {
  const body = `{"model":"claude","x":""}`
  return body.replace(`""`, `"${"x".repeat(bytes - body.length)}"`)
}

const tooLarge = (fixture: Fixture, maximum: string) =>
  fixture.errorText(413, `request body too large, the maximum is ${maximum}`)

/** Sends a body in pieces whose length nobody announced. Answers how many of them were taken, too. */
const chunked = Effect.fnUntraced(function* (path: string, pieces: ReadonlyArray<string>) {
  const gateway = yield* Gateway
  let taken = 0
  const body = new ReadableStream({
    pull: (controller) => {
      const piece = pieces[taken++]
      if (piece === undefined) controller.close()
      else controller.enqueue(new TextEncoder().encode(piece))
    }
  })
  const init: RequestInit = { method: "POST", body, duplex: "half" }
  const request = HttpServerRequest.fromWeb(new Request(`http://gateway.test${path}`, init))
  const response = HttpServerResponse.toWeb(yield* Effect.scoped(gateway.handle(request)))
  return { status: response.status, text: yield* Effect.promise(() => response.text()), taken }
})

const layer = Setup.layer(() => Calls.blocking.good, { options: { maximumBodyBytes: limit } })

const places = [
  ...Calls.unchanged.filter((call) => !call.isStreaming),
  { path: "/anthropic/v1/messages/count_tokens", fixture: Calls.passthrough.fixture },
  { path: "/openai/v1/responses/input_tokens", fixture: Responses.fixture }
]

describe.each(places)("A body on $path", ({ path, fixture }) => {
  it.effect("of the largest size is taken", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* TestGateway.fetch(path, { body: sized(limit) })).status, 200)
      assert.strictEqual((yield* chunked(path, [sized(limit)])).status, 200)
    }).pipe(Effect.provide(layer))
  )

  it.effect("whose announced length is a byte over it is 413 and not read", () =>
    Effect.gen(function* () {
      const headers = { "content-length": String(limit + 1) }

      const response = yield* TestGateway.fetch(path, { body: sized(40), headers })

      const text = tooLarge(fixture, "64 bytes")
      assert.deepStrictEqual(response, {
        status: 413,
        headers: { "content-type": "application/json", "content-length": String(text.length) },
        text
      })
      assert.deepStrictEqual(yield* Setup.requests, [])
      assert.deepStrictEqual(yield* Setup.records, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("that turns out to be a byte over it is 413", () =>
    Effect.gen(function* () {
      const body = sized(limit + 1)

      const response = yield* chunked(path, [body.slice(0, limit), body.slice(limit)])

      assert.strictEqual(response.status, 413)
      assert.strictEqual(response.text, tooLarge(fixture, "64 bytes"))
      assert.deepStrictEqual(yield* Setup.requests, [])
    }).pipe(Effect.provide(layer))
  )

  it.effect("without end is not read to its end", () =>
    Effect.gen(function* () {
      const response = yield* chunked(
        path,
        Array.from({ length: 10_000 }, () => "x")
      )

      assert.strictEqual(response.status, 413)
      assert.isBelow(response.taken, limit + 8)
    }).pipe(Effect.provide(layer))
  )

  it.effect("of unknown length comes upstream in one piece", () =>
    Effect.gen(function* () {
      yield* chunked(path, [`{"mod`, `el":"Gr`, `üße"}`])

      assert.deepStrictEqual(
        (yield* Setup.requests).map((request) => request.text),
        [`{"model":"Grüße"}`]
      )
    }).pipe(Effect.provide(layer))
  )
})

describe("The largest body", () => {
  it.effect("is 32 MiB if nothing else is said", () =>
    Effect.gen(function* () {
      const response = yield* TestGateway.fetch(Calls.blocking.path, {
        body: sized(40),
        headers: { "content-length": String(32 * 1024 * 1024 + 1) }
      })

      assert.strictEqual(GatewayOptions.defaults.maximumBodyBytes, 32 * 1024 * 1024)
      assert.strictEqual(response.status, 413)
      assert.strictEqual(response.text, tooLarge(Calls.blocking.fixture, "32 MiB"))
    }).pipe(Effect.provide(Setup.layer([])))
  )
})

describe("A client that breaks off its body", () => {
  it.effect("is refused, and nothing is sent upstream", () =>
    Effect.gen(function* () {
      const gateway = yield* Gateway
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode(`{"model":`)),
        pull: (controller) => controller.error(new Error("gone"))
      })
      const init: RequestInit = { method: "POST", body, duplex: "half" }
      const request = HttpServerRequest.fromWeb(new Request(`http://gateway.test${Calls.blocking.path}`, init))

      const response = yield* Effect.scoped(gateway.handle(request))

      assert.strictEqual(response.status, 400)
      assert.deepStrictEqual(yield* Setup.requests, [])
      assert.deepStrictEqual(yield* Setup.records, [])
    }).pipe(Effect.provide(layer))
  )
})
