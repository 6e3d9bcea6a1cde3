import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Drain from "../../../src/inbound/Drain.ts"
import * as Providers from "../../../src/providers/Providers.ts"
import * as AdminServer from "../../../src/service/admin/AdminServer.ts"
import * as SqlRecorder from "../../../src/record/sql/SqlRecorder.ts"
import { Reload } from "../../../src/service/Reload.ts"
import * as CircuitBreakers from "../../../src/upstream/CircuitBreakers.ts"
import * as TestAdmin from "./TestAdmin.ts"

describe("Readiness", () => {
  it.live("begins when the gateway can be reached, ends when it cannot record, and a defect is in the log only", () =>
    Effect.gen(function* () {
      let isListening = false
      let canRecord = true
      const admin = AdminServer.layer({
        admin: { host: "127.0.0.1", port: 0, token: undefined },
        version: "0.0.0",
        nodeVersion: "v0.0.0",
        drain: Drain.make(),
        isListening: () => isListening,
        canRecord: () => canRecord
      })
      const reload = Reload.of({
        reload: () => Effect.die(new Error("broken")),
        config: () => {
          throw new Error("broken")
        },
        last: () => undefined
      })
      const context = yield* Layer.build(
        admin.pipe(
          Layer.provide([
            Providers.layer([]),
            CircuitBreakers.layer(),
            Layer.succeed(Reload, reload),
            SqlRecorder.layer({ url: Redacted.make("none") })
          ])
        )
      )
      const url = HttpServer.formatAddress(Context.get(context, HttpServer.HttpServer).address)

      const before = yield* TestAdmin.ask(url, "GET /readyz")
      isListening = true
      const after = yield* TestAdmin.ask(url, "GET /readyz")
      canRecord = false
      const full = yield* TestAdmin.ask(url, "GET /readyz")
      const broken = yield* TestAdmin.ask(url, "POST /reload")

      assert.deepStrictEqual([before.status, Object(before.body).status], [503, "starting"])
      assert.deepStrictEqual([after.status, Object(after.body).status], [200, "ready"])
      assert.deepStrictEqual([full.status, Object(full.body).status], [503, "cannot record"])
      assert.deepStrictEqual([broken.status, broken.body], [500, ""])
    })
  )
})
