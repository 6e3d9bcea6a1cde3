import { assert, describe, it } from "@effect/vitest"
import * as Credential from "../../src/domain/Credential.ts"

const token38 = "ghp_0123456789abcdefghijklmnopqrstuvWX"

describe("Credential.hint", () => {
  it.each([
    { secret: "", hint: "" },
    { secret: "x", hint: "..." },
    { secret: "ab", hint: "..." },
    { secret: "abcd", hint: "..." },
    { secret: "short", hint: "s...t" },
    { secret: "veryshort", hint: "v...t" },
    { secret: "thisisquitelong", hint: "th...ng" },
    { secret: "sk-ant-api03-abcdefgh", hint: "sk-a...efgh" },
    { secret: "hélloworld🌍!", hint: "hé...🌍!" },
    { secret: token38, hint: "ghp_...uvWX" }
  ])("masks '$secret' as '$hint'", ({ secret, hint }) => {
    assert.strictEqual(Credential.hint(secret), hint)
  })

  it.each([
    { length: 4, shown: 0 },
    { length: 5, shown: 1 },
    { length: 9, shown: 1 },
    { length: 10, shown: 2 },
    { length: 19, shown: 2 },
    { length: 20, shown: 4 },
    { length: 100, shown: 4 }
  ])("shows $shown characters at each end of $length", ({ length, shown }) => {
    assert.strictEqual(Credential.hint("k".repeat(length)), "k".repeat(shown) + "..." + "k".repeat(shown))
  })

  it.each([
    { length: 4, hint: "..." },
    { length: 5, hint: "🌍...🌍" },
    { length: 9, hint: "🌍...🌍" },
    { length: 10, hint: "🌍🌍...🌍🌍" },
    { length: 19, hint: "🌍🌍...🌍🌍" },
    { length: 20, hint: "🌍🌍🌍🌍...🌍🌍🌍🌍" }
  ])("counts $length code points, not the UTF-16 units they take", ({ length, hint }) => {
    assert.strictEqual(Credential.hint("🌍".repeat(length)), hint)
  })

  it("never shows half or more of a secret", () => {
    for (let length = 1; length <= 200; length++) {
      const shown = Credential.hint("k".repeat(length)).replace("...", "").length

      assert.isBelow(shown, length / 2)
    }
  })
})

describe("A header's value", () => {
  it.each([
    { value: "Bearer long-secret", secret: "long-secret", holds: true },
    { value: `key="long-secret"`, secret: "long-secret", holds: true },
    { value: "xlong-secretx", secret: "long-secret", holds: true },
    { value: "long-secre", secret: "long-secret", holds: false },
    { value: "en", secret: "en", holds: true },
    { value: "Bearer en", secret: "en", holds: true },
    { value: "token=en, de", secret: "en", holds: true },
    { value: "application/json, gentle", secret: "en", holds: false }
  ])("$value holds the secret $secret: $holds", ({ value, secret, holds }) => {
    assert.strictEqual(Credential.holdsSecret(value, secret), holds)
  })
})
