import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Anthropic from "../../src/providers/Anthropic.ts"
import type * as Bedrock from "../../src/providers/Bedrock.ts"

const options = { region: "us-east-1", model: "big", smallFastModel: "small" }
const secretAccessKey = Redacted.make("NEVER-SHOWN")
const credential = { accessKeyId: "AKIA1", secretAccessKey }

const refusals: ReadonlyArray<{ given: string; bedrock: Bedrock.Options; detail: string }> = [
  { given: "no region and no base URL", bedrock: { ...options, region: "" }, detail: "region or base url required" },
  { given: "no model", bedrock: { ...options, model: "" }, detail: "model required" },
  { given: "no small fast model", bedrock: { ...options, smallFastModel: "" }, detail: "small fast model required" },
  {
    given: "nothing at all",
    bedrock: { region: "", model: "", smallFastModel: "" },
    detail: "region or base url required"
  },
  {
    given: "a region that is none",
    bedrock: { ...options, region: "us-east-1.evil.test/" },
    detail: "region must be one of AWS, such as us-east-1"
  },
  {
    given: "a key without a secret",
    bedrock: { ...options, credentials: [{ accessKeyId: "AKIA1", secretAccessKey: Redacted.make("") }] },
    detail: "both access key and access key secret must be provided together"
  },
  {
    given: "a secret without a key",
    bedrock: { ...options, credentials: [{ accessKeyId: "", secretAccessKey }] },
    detail: "both access key and access key secret must be provided together"
  }
]

describe("Bedrock as an option of Anthropic", () => {
  it.effect.each(refusals)("is refused with $given", ({ bedrock, detail }) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Anthropic.make({ name: "main", bedrock }))

      assert.strictEqual(error.message, `provider "main": bedrock: ${detail}`)
    })
  )

  it.effect.each([
    { other: "keys", options: { keys: [Redacted.make("sk-NEVER-SHOWN")] } },
    { other: "baseUrl", options: { baseUrl: "https://api.test" } }
  ])("is refused beside $other", ({ options: other }) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Anthropic.make({ bedrock: options, ...other }))

      assert.strictEqual(
        error.message,
        `provider "anthropic": bedrock: has credentials and a base URL of its own: leave out keys and baseUrl`
      )
    })
  )

  it.effect("is refused with a base URL that is none, and with credentials that no pool can hold", () =>
    Effect.gen(function* () {
      const url = yield* Effect.flip(Anthropic.make({ bedrock: { ...options, baseUrl: "bedrock.test" } }))
      const none = yield* Effect.flip(Anthropic.make({ bedrock: { ...options, credentials: [] } }))
      const twice = yield* Effect.flip(
        Anthropic.make({ bedrock: { ...options, credentials: [credential, credential] } })
      )

      assert.deepStrictEqual(
        [url.message, none.message, twice.message],
        [`provider "anthropic": baseUrl: not a URL`, "no keys provided", "duplicate key at index 1"]
      )
    })
  )

  it.effect("is an anthropic at its name, with a pool of its credentials and nothing relayed blind", () =>
    Effect.gen(function* () {
      const ids = ["AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN8EXAMPLE"]
      const credentials = ids.map((accessKeyId) => ({ accessKeyId, secretAccessKey }))
      const provider = yield* Anthropic.make({
        name: "aws",
        sendActorHeaders: true,
        bedrock: { ...options, credentials }
      })

      const { type, routePrefix, passthroughRoutes, sendActorHeaders, keyFailover } = provider
      assert.deepStrictEqual([type, routePrefix, passthroughRoutes, sendActorHeaders], ["anthropic", "/aws", [], true])
      assert.deepStrictEqual(
        keyFailover.pool?.keys.map((key) => key.hint),
        ["AKIA...MPLE", "AKIA...MPLE"]
      )
      assert.isFalse(keyFailover.isByok({ "x-api-key": "own", authorization: "Bearer own" }))
    })
  )
})
