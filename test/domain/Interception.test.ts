/** Ids of interceptions. */
import { assert, describe, it } from "@effect/vitest"
import * as Interception from "../../src/domain/Interception.ts"

describe("The id of an interception", () => {
  const uuid = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

  it.each([0, 1, 1.5, Date.UTC(2026, 10, 20), 2 ** 48 - 1])("of %d is a UUID v7 that says when it was", (now) => {
    const parts = uuid.exec(Interception.nextId(now))

    assert.strictEqual(Number.parseInt(`${parts?.[1]}${parts?.[2]}`, 16), Math.floor(now))
  })

  it("is a UUID even if the clock is wrong", () => {
    assert.match(Interception.nextId(-1), uuid)
    assert.match(Interception.nextId(2 ** 50), uuid)
  })

  it("is another one each time", () => {
    const ids = Array.from({ length: 1000 }, () => Interception.nextId(1))

    assert.strictEqual(new Set(ids).size, 1000)
  })
})
