import { assert, describe, it } from "@effect/vitest"
import * as Actor from "../../src/domain/Actor.ts"
import * as ActorHeaders from "../../src/upstream/ActorHeaders.ts"

describe("The headers about an actor", () => {
  it("are its id alone if nothing else is known", () => {
    assert.deepStrictEqual(ActorHeaders.of(Actor.make("ada")), { "x-ai-bridge-actor-id": "ada" })
  })

  it("are its id and each fact", () => {
    assert.deepStrictEqual(ActorHeaders.of(Actor.make("42", { Username: "Ada L.", team: "core" })), {
      "x-ai-bridge-actor-id": "42",
      "x-ai-bridge-actor-metadata-username": "Ada L.",
      "x-ai-bridge-actor-metadata-team": "core"
    })
  })

  it.each([
    { text: "Zoë", value: "Zo%C3%AB" },
    { text: "a b\r\nx-evil: 1", value: "a%20b%0D%0Ax-evil%3A%201" },
    { text: "Ada L.", value: "Ada L." },
    { text: " ada", value: "%20ada" },
    { text: "ada ", value: "ada%20" },
    { text: "ada@example.test", value: "ada@example.test" },
    { text: "100%", value: "100%25" },
    { text: "\ud800", value: "%EF%BF%BD" },
    { text: "", value: "" }
  ])("carry $text as $value", ({ text, value }) => {
    assert.deepStrictEqual(ActorHeaders.of(Actor.make(text)), { "x-ai-bridge-actor-id": value })
  })

  it.each([
    { key: "E-Mail", name: "e-mail" },
    { key: "display name", name: "display-name" },
    { key: "a:b\r\nc", name: "a-b--c" },
    { key: "Größe", name: "gr--e" }
  ])("name the fact $key as $name", ({ key, name }) => {
    assert.property(ActorHeaders.of(Actor.make("x", { [key]: "v" })), `x-ai-bridge-actor-metadata-${name}`)
  })
})
