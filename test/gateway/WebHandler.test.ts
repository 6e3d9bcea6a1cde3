import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Gateway from "../../src/Gateway.ts"
import * as ScriptedUpstream from "../../src/testing/ScriptedUpstream.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"

/** The gateway's routes as a web handler, and what its upstream has seen. */
const start = (script: Parameters<typeof ScriptedUpstream.layer>[0]) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(Setup.layer(script))
    const { handler } = yield* Effect.acquireRelease(
      Effect.sync(() =>
        HttpRouter.toWebHandler(
          Layer.merge(Gateway.routes, Logger.layer([])).pipe(Layer.provide(Layer.succeedContext(context))),
          {
            disableLogger: true
          }
        )
      ),
      ({ dispose }) => Effect.promise(dispose)
    )
    const ask = ({ path, request }: Calls.Call) =>
      Effect.promise(() =>
        handler(
          new Request(`http://gateway.test${path}`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(request.body)
          })
        )
      )
    return { ask, requests: Effect.provide(Setup.requests, context), reasons: Effect.provide(Setup.reasons, context) }
  })

describe("A gateway behind a web handler", () => {
  it.live.each(Calls.streams)("brings all of $call over, after failover", (call) =>
    Effect.gen(function* () {
      const { ask, reasons } = yield* start([call.fixture.error(429), call.good])

      const response = yield* ask(call)
      const text = yield* Effect.promise(() => response.text())

      assert.strictEqual(response.status, 200)
      assert.strictEqual(text, call.text)
      assert.deepStrictEqual(yield* reasons, ["complete"])
    })
  )

  it.live.each(Calls.streams)("aborts the upstream when the client cancels the body of $call", (call) =>
    Effect.gen(function* () {
      const { ask, requests, reasons } = yield* start([
        ScriptedUpstream.events([...call.fixture.events.slice(0, 2), "hang"])
      ])

      const response = yield* ask(call)
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
