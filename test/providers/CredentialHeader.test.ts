import { assert, describe, it } from "@effect/vitest"
import { bearerToken } from "../../src/providers/CredentialHeader.ts"

describe("A bearer token", () => {
  it.each([
    { value: "Bearer t" },
    { value: "bearer t" },
    { value: "BEARER t" },
    { value: "  Bearer   t  " },
    { value: "Bearer\tt" }
  ])("is what follows the word in '$value'", ({ value }) => {
    assert.strictEqual(bearerToken(value), "t")
  })

  it.each([undefined, "", "   ", "some-token", "Bearer", "Bearer ", "Bearer a b", "Basic t", "Bearer: t", "Bearert"])(
    "is not in '%s'",
    (value) => {
      assert.isUndefined(bearerToken(value))
    }
  )
})
