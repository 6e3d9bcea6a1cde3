import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as BedrockSignatureCheck from "../../src/demo/BedrockSignatureCheck.ts"
import * as TestGateway from "../../src/testing/TestGateway.ts"
import * as Calls from "./Calls.ts"
import * as Setup from "./Setup.ts"
import * as Vendors from "./Vendors.ts"

const extraHeaders = {
  "X-Team": Redacted.make("team-NEVER-SHOWN"),
  "user-agent": Redacted.make("of the gateway"),
  "x-amzn-bedrock-trace": Redacted.make("ENABLED  FULL")
}
const sentHeaders = {
  "x-team": "team-NEVER-SHOWN",
  "user-agent": "of the gateway",
  "x-amzn-bedrock-trace": "ENABLED  FULL"
}
const provider = { extraHeaders }
const everyones = [...Calls.everyones, ...Calls.of(Vendors.bedrock)]

describe("A provider's extra headers", () => {
  it.effect.each(everyones)(
    "go upstream with $call, in place of the client's of the same name",
    ({ path, request, vendor, good }) =>
      Effect.gen(function* () {
        const own = vendor.hasPool ? {} : { "x-aibridge-token": "any", authorization: "Bearer own" }
        const theirs = { "x-team": "of the client", "user-agent": "client/1", "x-other": "1" }
        const answer = yield* TestGateway.fetch(path, { ...request, headers: { ...own, ...theirs } })

        assert.strictEqual(answer.status, 200)
        const all = yield* Setup.requests
        assert.lengthOf(all, 1)
        assert.deepInclude(all[0]?.headers, { ...sentHeaders, "x-other": "1" })
        assert.notProperty(all[0]?.headers, "X-Team")
        assert.notInclude(JSON.stringify([answer.headers, yield* Setup.records]), 'NEVER-SHOWN"')
      }).pipe(Effect.provide(Setup.layer([good], { provider })))
  )

  it.effect.each(everyones.filter(({ vendor }) => vendor !== Vendors.bedrock))(
    "go upstream with a key of the caller's own on $call, and leave it alone",
    ({ path, request, vendor, good }) =>
      Effect.gen(function* () {
        const headers = { "x-aibridge-token": "any", ...vendor.credential("sk-own-key") }
        yield* TestGateway.fetch(path, { ...request, headers })

        assert.deepInclude((yield* Setup.requests)[0]?.headers, { ...sentHeaders, ...vendor.credential("sk-own-key") })
      }).pipe(Effect.provide(Setup.layer([good], { provider })))
  )

  it.effect("go upstream with each attempt", () =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(Calls.blocking.path, Calls.blocking.request)

      assert.deepStrictEqual(
        (yield* Setup.requests).map(({ headers }) => headers["x-team"]),
        ["team-NEVER-SHOWN", "team-NEVER-SHOWN"]
      )
    }).pipe(Effect.provide(Setup.layer([Calls.blocking.fixture.error(429), Calls.blocking.good], { provider })))
  )

  it.effect.each(Calls.of(Vendors.bedrock))("do not break the signature of $call", ({ path, request, good }) =>
    Effect.gen(function* () {
      yield* TestGateway.fetch(path, request)

      const [sent] = yield* Setup.requests
      const { origin = "", method = "", path: target = "", headers = {}, body = new Uint8Array(0) } = sent ?? {}
      const rawHeaders = Object.entries({ ...headers, host: new URL(origin).host }).flat()
      const problem = BedrockSignatureCheck.problem(
        { method, target, rawHeaders, bytes: Buffer.from(body) },
        { secretAccessKey: "NEVER-SHOWN", region: "us-east-1", service: "bedrock", now: new Date(0) }
      )
      assert.isUndefined(problem)
      assert.include(headers["authorization"], "SignedHeaders=content-type;host;x-amz-date;x-amzn-bedrock-trace,")
    }).pipe(Effect.provide(Setup.layer([good], { provider })))
  )

  it.effect("are flags for Bedrock's models like a client's", () =>
    Effect.gen(function* () {
      const [{ path, request } = Calls.blocking] = Calls.of(Vendors.bedrock)
      yield* TestGateway.fetch(path, { ...request, headers: { "anthropic-beta": "interleaved-thinking-2025-05-14" } })

      const [sent] = yield* Setup.requests
      assert.notProperty(sent?.headers, "anthropic-beta")
      assert.include(sent?.text, `"anthropic_beta":["context-1m-2025-08-07"]`)
    }).pipe(
      Effect.provide(
        Setup.layer([Calls.of(Vendors.bedrock)[0]?.good ?? Calls.blocking.good], {
          provider: { extraHeaders: { "anthropic-beta": Redacted.make("context-1m-2025-08-07") } }
        })
      )
    )
  )
})
