import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"
import * as Anthropic from "../../src/providers/Anthropic.ts"
import * as Copilot from "../../src/providers/Copilot.ts"
import * as OpenAi from "../../src/providers/OpenAi.ts"
import * as Provider from "../../src/providers/Provider.ts"

const bedrock = { region: "us-east-1", model: "big", smallFastModel: "small" }

const redacted = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Redacted.make(value)]))

const madeWith = (headers: Readonly<Record<string, string>>) => OpenAi.make({ extraHeaders: redacted(headers) })

describe("Extra headers of a provider", () => {
  it.effect.each([
    { headers: {} },
    { headers: { "x-team": "a" } },
    { headers: { "X-Team": "a, b; c=d \t e", "openai-beta": "=" } },
    { headers: { cookie: "session=1", "x-amz-date": "x", "x-forwarded-for": "1.2.3.4" } }
  ])("may be $headers, and have their names in lower case", ({ headers }) =>
    Effect.gen(function* () {
      const { extraHeaders } = yield* madeWith(headers)

      assert.deepStrictEqual(
        extraHeaders.map(([name, value]) => [name, Redacted.value(value)]),
        Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])
      )
    })
  )

  const noHeader = "entry at index 1 has a name that no header can have"
  const noValue = "entry at index 1 has no value for x-b, or one with a line break or a character outside ASCII"

  const refusals: ReadonlyArray<{ readonly headers: Readonly<Record<string, string>>; readonly detail: string }> = [
    ...["", "x y", "x:", "x\n", "\u00fc", "x,y", "(x)", '"x"', "x/y"].map((name) => ({
      headers: { "x-a": "a", [name]: "never-shown" },
      detail: noHeader
    })),
    ...[
      "",
      " ",
      " never-shown",
      "never-shown ",
      "never\nshown",
      "never\rshown",
      "never\u0000shown",
      "never-sh\u00f6wn"
    ].map((value) => ({ headers: { "x-a": "a", "x-b": value }, detail: noValue })),
    { headers: { "X-A": "never-shown-1", "x-a": "never-shown-2" }, detail: "entry at index 1 repeats the header x-a" },
    ...["Connection", "keep-alive", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade"].map(
      (name) => ({
        headers: { [name]: "never-shown" },
        detail: `entry at index 0 sets ${name.toLowerCase()}, which holds for one connection only`
      })
    ),
    ...["Host", "content-length", "content-type", "content-encoding", "accept-encoding", "expect"].map((name) => ({
      headers: { [name]: "never-shown" },
      detail: `entry at index 0 sets ${name.toLowerCase()}, which belongs to the message itself`
    })),
    ...["Authorization", "x-api-key"].map((name) => ({
      headers: { [name]: "never-shown" },
      detail: `entry at index 0 sets ${name.toLowerCase()}, where the provider's key goes: use keys`
    })),
    ...["X-AIBridge-Token", "x-aibridge-anything", "x-ai-bridge-actor-id"].map((name) => ({
      headers: { [name]: "never-shown" },
      detail: `entry at index 0 sets ${name.toLowerCase()}, the gateway's own`
    }))
  ]

  it.effect.each(refusals.map(({ headers, detail }) => ({ headers, detail, text: JSON.stringify(headers) })))(
    "cannot be $text: $detail",
    ({ headers, detail }) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(madeWith(headers))

        assert.strictEqual(error.message, `provider "openai": extraHeaders: ${detail}`)
        for (const text of [JSON.stringify(error), inspect(error, { depth: 10 })])
          assert.notMatch(text, /never.{0,3}sh/)
      })
  )

  it.effect("cannot be those of a signature with Bedrock", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        Anthropic.make({ bedrock, extraHeaders: redacted({ "X-Amz-Security-Token": "never-shown" }) })
      )
      const other = yield* Anthropic.make({ bedrock, extraHeaders: redacted({ "x-amzn-bedrock-trace": "ENABLED" }) })

      const detail = "entry at index 0 sets x-amz-security-token, the vendor's own"
      assert.strictEqual(error.message, `provider "anthropic": extraHeaders: ${detail}`)
      assert.lengthOf(other.extraHeaders, 1)
    })
  )

  it.effect("cannot be the header in which an embedder's vendor has its key", () =>
    Effect.gen(function* () {
      const credential = {
        ...OpenAi.vendor.credential,
        inject: (headers: Readonly<Record<string, string>>) => ({ ...headers, "x-acme-key": "k" })
      }
      const error = yield* Effect.flip(
        Provider.make({ ...OpenAi.vendor, credential }, { extraHeaders: redacted({ "X-Acme-Key": "never-shown" }) })
      )

      assert.include(error.message, "extraHeaders: entry at index 0 sets x-acme-key, the vendor's own")
    })
  )

  it.effect("are there for Copilot, too", () =>
    Effect.gen(function* () {
      assert.lengthOf((yield* Copilot.make({ extraHeaders: redacted({ "x-team": "a" }) })).extraHeaders, 1)
    })
  )
})
