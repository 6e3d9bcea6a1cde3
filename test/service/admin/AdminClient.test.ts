import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as AdminClient from "../../../src/service/admin/AdminClient.ts"
import * as TestServer from "../../upstream/TestServer.ts"
import * as TestService from "../TestService.ts"

const token = Redacted.make("the-admin-token")

const failure = (options: AdminClient.Options, key = "0") =>
  AdminClient.ask(options, ({ operations }) => operations.reset({ params: { provider: "anthropic", key } })).pipe(
    Effect.flip,
    Effect.map(({ message }) => message)
  )

describe("The client of the admin API", () => {
  it.effect.each([
    { host: "127.0.0.1", url: "http://127.0.0.1:8788" },
    { host: "0.0.0.0", url: "http://127.0.0.1:8788" },
    { host: "::", url: "http://[::1]:8788" },
    { host: "[::]", url: "http://[::1]:8788" },
    { host: "::1", url: "http://[::1]:8788" },
    { host: "[::1]", url: "http://[::1]:8788" },
    { host: "admin.example", url: "http://admin.example:8788" }
  ])("finds one that listens on $host at $url", ({ host, url }) =>
    Effect.sync(() => {
      assert.strictEqual(AdminClient.urlOf({ host, port: 8788, token: undefined }), url)
    })
  )

  it.live("shows the token", () =>
    Effect.gen(function* () {
      const { adminUrl: url } = yield* TestService.withUpstream(1, { AIBRIDGE_ADMIN_TOKEN: "the-admin-token" })

      const [pool] = yield* AdminClient.ask({ url, token }, ({ operations }) => operations.pools())

      assert.deepStrictEqual(
        pool?.keys.map(({ state }) => state),
        ["valid"]
      )
      assert.include(yield* failure({ url, token: undefined }), "the admin token is missing or wrong")
    })
  )

  it.live("says what the gateway says", () =>
    Effect.gen(function* () {
      const { adminUrl: url } = yield* TestService.withUpstream(1)

      assert.include(yield* failure({ url, token: undefined }, "a/b c"), `has no key "a/b c", only sk-t...-0kk`)
    })
  )

  it.live.each([".", ".."])("says that there is no key of a name that no path can hold: %s", (key) =>
    Effect.gen(function* () {
      const { adminUrl: url } = yield* TestService.withUpstream(1)

      assert.strictEqual(yield* failure({ url, token: undefined }, key), "there is no key of that name")
    })
  )

  it.live("does not repeat a key that was given itself", () =>
    Effect.gen(function* () {
      const { adminUrl: url } = yield* TestService.withUpstream(1)

      const said = yield* failure({ url, token: undefined }, "sk-ant-NEVER-SHOWN-secret")

      assert.include(said, `has no key "sk-a...cret", only`)
    })
  )

  it.live.each([
    { url: "127.0.0.1:8788", says: "not a URL" },
    { url: "localhost:8788", says: "must begin with https:// or http://" },
    { url: "no url", says: "not a URL" },
    { url: "http://user:NEVER-SHOWN@127.0.0.1:8788", says: "must not hold a user name or password" }
  ])("says what is wrong with $url, and does not repeat it", ({ url, says }) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* failure({ url, token }), `--url: ${says}, such as http://127.0.0.1:8788 is`)
    })
  )

  it.live("says that nobody answers, or something else, and what to do", () =>
    Effect.gen(function* () {
      const nobody = `http://127.0.0.1:${yield* TestServer.unusedPort}`
      const { url: gateway } = yield* TestService.withUpstream(1)
      const hint =
        "is the gateway running, with these settings? Say where it is by --url, or by AIBRIDGE_ADMIN_PORT; " +
        "settings that have changed since it was started hold from its next start on"

      assert.strictEqual(
        yield* failure({ url: nobody, token }),
        `no admin API answers at ${nobody} (ECONNREFUSED): ${hint}`
      )
      assert.strictEqual(
        yield* failure({ url: gateway, token }),
        `no admin API answers at ${gateway} (status 404): ${hint}`
      )
    })
  )
})
