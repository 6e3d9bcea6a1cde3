import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestAnswer from "../upstream/TestAnswer.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestService from "./TestService.ts"

/** Asks once, and answers it upstream with this status. */
const ask = Effect.fnUntraced(function* ({ url, upstream }: TestService.WithUpstream, status: number) {
  const sending = yield* Effect.forkScoped(TestHttp.send(url, { body: TestHttp.message() }))
  const exchange = yield* upstream.next
  yield* exchange.write(TestAnswer.json(status, {}))
  return (yield* Fiber.join(sending)).status
})

describe("A key of the service that was refused", () => {
  it.live("is tried again after the time of RECHECK", () =>
    Effect.gen(function* () {
      const service = yield* TestService.withUpstream(1, { AIBRIDGE_PROVIDER_0_RECHECK: "1s" })

      const refused = yield* ask(service, 401)
      const setAside = yield* TestHttp.send(service.url, { body: TestHttp.message() })
      yield* Effect.sleep("1 second")
      const back = yield* ask(service, 200)

      assert.deepStrictEqual([refused, setAside.status, back], [502, 502, 200])
    })
  )

  it.live("with 403 is left alone by the lenient policy", () =>
    Effect.gen(function* () {
      const service = yield* TestService.withUpstream(2, { AIBRIDGE_PROVIDER_0_KEY_FAILURE_POLICY: "lenient" })

      assert.strictEqual(yield* ask(service, 403), 403)
      assert.strictEqual(yield* ask(service, 200), 200)
    })
  )
})
