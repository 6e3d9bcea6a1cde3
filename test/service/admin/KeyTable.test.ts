import { assert, describe, it } from "@effect/vitest"
import * as KeyTable from "../../../src/service/admin/KeyTable.ts"

const now = Date.UTC(2027, 0, 1)
const key = { provider: "anthropic", index: 0, key: "sk-a...0001" }

describe("Keys", () => {
  it("are a table, with the time that is left and why", () => {
    const table = KeyTable.render(
      [
        {
          provider: "anthropic",
          type: "anthropic",
          keys: [
            { ...key, state: "temporary", until: "2027-01-01T00:01:30.000Z", why: "the provider has answered 429" },
            { ...key, state: "permanent", recheckAt: "2026-12-31T00:00:00.000Z", why: "the provider has answered 401" },
            { ...key, state: "valid" }
          ]
        },
        { provider: "copilot-business", type: "copilot", keys: [] }
      ],
      now
    )

    assert.deepStrictEqual(table.split("\n"), [
      "PROVIDER             KEY          STATE",
      "anthropic         0  sk-a...0001  temporary  until 2027-01-01T00:01:30.000Z (in 1m 30s), the provider has answered 429",
      "anthropic         0  sk-a...0001  permanent  the provider has answered 401, tried again from 2026-12-31T00:00:00.000Z on (now)",
      "anthropic         0  sk-a...0001  valid",
      "copilot-business                             no keys: callers bring their own"
    ])
  })

  it("are each a sentence", () => {
    const why = "disabled by an operator"
    assert.strictEqual(KeyTable.sentence({ ...key, state: "valid" }, now), "key sk-a...0001 of anthropic is valid")
    assert.strictEqual(
      KeyTable.sentence({ ...key, state: "permanent", why }, now),
      "key sk-a...0001 of anthropic is permanent (disabled by an operator)"
    )
  })
})
