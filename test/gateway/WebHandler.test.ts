import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as Gateway from "../../src/Gateway.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as Fixture from "./Fixture.ts"
import * as Setup from "./Setup.ts"

/** The gateway's routes as a web handler, and what its upstream has seen. */
const start = (script: Parameters<typeof ScriptedUpstream.layer>[0]) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(Setup.layer(script))
    const { handler } = yield* Effect.acquireRelease(
      Effect.sync(() =>
        HttpRouter.toWebHandler(Gateway.routes.pipe(Layer.provide(Layer.succeedContext(context))), {
          disableLogger: true
        })
      ),
      ({ dispose }) => Effect.promise(dispose)
    )
    const ask = (options: { readonly stream: boolean }) =>
      Effect.promise(() =>
        handler(
          new Request(`http://gateway.test${Setup.messages}`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ model: "claude", ...options })
          })
        )
      )
    return { ask, requests: Effect.provide(Setup.requests, context), reasons: Effect.provide(Setup.reasons, context) }
  })

describe("A gateway behind a web handler", () => {
  it.live("brings a whole stream over, after failover", () =>
    Effect.gen(function* () {
      const { ask, reasons } = yield* start([Fixture.error(429), Fixture.stream200])

      const response = yield* ask({ stream: true })
      const text = yield* Effect.promise(() => response.text())

      assert.strictEqual(response.status, 200)
      assert.strictEqual(text, Fixture.streamText)
      assert.deepStrictEqual(yield* reasons, ["complete"])
    })
  )

  it.live("aborts the upstream when the client cancels the body", () =>
    Effect.gen(function* () {
      const { ask, requests, reasons } = yield* start([
        ScriptedUpstream.events([...Fixture.events.slice(0, 2), "hang"])
      ])

      const response = yield* ask({ stream: true })
      yield* Effect.promise(async () => response.body?.cancel())

      const gone = reasons.pipe(Effect.repeat({ until: (all) => all.length > 0 }), Effect.timeout("2 seconds"))
      assert.deepStrictEqual(yield* gone, ["client_gone"])
      assert.deepStrictEqual(
        (yield* requests).map(({ aborted }) => aborted),
        [true]
      )
    })
  )
})
