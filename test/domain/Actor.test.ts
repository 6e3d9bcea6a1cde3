import { assert, describe, it } from "@effect/vitest"
import * as Actor from "../../src/domain/Actor.ts"

describe("Actor", () => {
  it("has no metadata unless some is given", () => {
    assert.deepStrictEqual(Actor.make("build-bot"), { id: "build-bot", metadata: {} })
    assert.deepStrictEqual(Actor.make("ada", { team: "core" }), { id: "ada", metadata: { team: "core" } })
  })

  it("is called anonymous where the gateway runs open", () => {
    assert.deepStrictEqual(Actor.anonymous, { id: "anonymous", metadata: {} })
  })
})
