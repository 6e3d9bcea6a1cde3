import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as NewToken from "../../src/service/NewToken.ts"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"
import * as TestHttp from "./TestHttp.ts"
import * as TestMessages from "./TestMessages.ts"
import * as TestProcess from "./TestProcess.ts"
import * as TestService from "./TestService.ts"

const create = (...rest: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const child = yield* TestProcess.run("token", {}, ["create", ...rest])
    const end = yield* child.ended
    return { end, output: child.output(), errors: child.errors() }
  }).pipe(Effect.scoped)

describe("aibridge token create", { timeout: 60_000 }, () => {
  it.live("prints a token once, and the setting by which a gateway knows it", () =>
    Effect.gen(function* () {
      const { end, output, errors } = yield* create("ada lovelace")
      const other = yield* create("ada lovelace")
      const [token = "", ...rest] = output.trimEnd().split("\n")
      const setting = rest.at(-1) ?? ""

      assert.deepStrictEqual([end, errors], [0, ""])
      assert.match(token, /^aib_[\w-]{43}$/)
      assert.match(setting, /^ada lovelace=sha256:[0-9a-f]{64}$/)
      assert.notInclude(rest.join("\n"), token)
      assert.include(rest.join(" "), "the only time the token is shown")
      assert.notInclude(other.output, token)

      const { upstream, url } = yield* TestService.withUpstream(1, {
        AIBRIDGE_TOKENS: setting,
        AIBRIDGE_SEND_ACTOR_HEADERS: "true"
      })
      const seen = yield* TestMessages.script(upstream, [TestMessages.blocking("Hello")])
      const body = TestHttp.message()
      const known = yield* TestHttp.send(url, { body, headers: { "x-api-key": token } })
      const hash = yield* TestHttp.send(url, { body, headers: { "x-api-key": setting.slice("ada lovelace=".length) } })

      assert.deepStrictEqual([known.status, hash.status], [200, 401])
      assert.deepStrictEqual(
        seen.map(({ headers }) => headers["x-ai-bridge-actor-id"]),
        ["ada lovelace"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("ends with 2 and makes no token for a name that no list could hold", () =>
    Effect.gen(function* () {
      const { end, output, errors } = yield* create("ada,bob")

      assert.strictEqual(end, 2)
      assert.notInclude(output + errors, "aib_")
      assert.include(errors, "a name must not be blank, or hold a comma or an equals sign")
    })
  )
})

describe("The name of a new token", () => {
  it.effect.each(["a", "ada", "ada lovelace", "ada@example.test", "Größe 9"])("may be %s", (name) =>
    Effect.gen(function* () {
      const { tokens } = yield* ServiceConfig.fromEnvironment({ AIBRIDGE_TOKENS: `${name}=sha256:${"0".repeat(64)}` })

      assert.isTrue(NewToken.isName(name))
      assert.deepStrictEqual(
        tokens.map((token) => token.name),
        [name]
      )
    })
  )

  it.each(["", " ", " ada", "ada ", "a,b", "a=b", "a\nb", "a\u0000"])("may not be %j", (name) => {
    assert.isFalse(NewToken.isName(name))
  })
})
