import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import type { ToolResult } from "../../src/domain/ToolResult.ts"
import * as Tool from "../../src/domain/ToolResult.ts"
import * as EffectTools from "../../src/tools/EffectTools.ts"
import type { ToolSource } from "../../src/tools/ToolSource.ts"

class Greeting extends Context.Service<Greeting, { readonly word: string }>()("test/Greeting") {}
class Factor extends Context.Service<Factor, { readonly factor: number }>()("test/Factor") {}
class NoSuchOwner extends Schema.TaggedError<NoSuchOwner>()("NoSuchOwner", { message: Schema.String }) {}

const greet = EffectTools.tool({
  name: "greet",
  description: "Greets",
  parameters: Schema.Struct({ name: Schema.String.annotate({ description: "Whom" }) }),
  handler: ({ name }) => Effect.map(Greeting, ({ word }) => `${word} ${name}`)
})

const double = EffectTools.tool({
  name: "multiply",
  description: "Multiplies",
  parameters: Schema.Struct({ n: Schema.Finite, since: Schema.optionalKey(Schema.Date) }),
  handler: ({ n, since }) =>
    Effect.map(Factor, ({ factor }) => ({ product: n * factor, year: since?.getUTCFullYear() }))
})

/** A tool without arguments that ends like this. */
const ending = <E>(handler: Effect.Effect<unknown, E>) =>
  EffectTools.tool({ name: "end", description: "Ends", parameters: Schema.Struct({}), handler: () => handler })

const call = ({ tools }: ToolSource, index: number, args: unknown) =>
  Effect.flatMap(Effect.orDie(Effect.fromNullishOr(tools()[index])), (tool) => tool.call(args))

const text = (said: string): ToolResult => ({ isError: false, content: [{ type: "text", text: said }] })

describe("Tools that are effects", () => {
  it.effect("run with the services that were there when they were made", () =>
    Effect.gen(function* () {
      const source = yield* EffectTools.make({ name: "own", tools: [greet, double] }).pipe(
        Effect.provideService(Greeting, { word: "Hello" }),
        Effect.provideService(Factor, { factor: 2 })
      )

      assert.deepStrictEqual(yield* call(source, 0, { name: "Ada" }), text("Hello Ada"))
      assert.deepStrictEqual(yield* call(source, 1, { n: 21, since: "2026-01-01T00:00:00Z", more: true }), {
        ...text(`{"product":42,"year":2026}`),
        structuredContent: { product: 42, year: 2026 }
      })
      assert.strictEqual(source.name, "own")
      assert.isUndefined(source.url)
      assert.strictEqual(source.tools(), source.tools())
    })
  )

  it("have the JSON Schema of their parameters", () => {
    assert.deepInclude(greet, { name: "greet", description: "Greets" })
    assert.deepStrictEqual(greet.inputSchema, {
      type: "object",
      properties: { name: { type: "string", description: "Whom" } },
      required: ["name"],
      additionalProperties: false
    })
    assert.deepStrictEqual(ending(Effect.void).inputSchema, { type: "object", properties: {} })
  })

  it.effect.each([
    { args: {}, said: `["name"]` },
    { args: { name: 1 }, said: `["name"]` },
    { args: null, said: "object" },
    { args: "Ada", said: "object" }
  ])("say what is wrong with $args", ({ args, said }) =>
    Effect.gen(function* () {
      const source = yield* EffectTools.make({ name: "own", tools: [greet] })

      const result = yield* call(source, 0, args)

      assert.isTrue(result.isError)
      const [content] = result.content
      assert.match(content?.type === "text" ? content.text : "", /^the arguments are wrong: /)
      assert.include(JSON.stringify(content), said.replaceAll(`"`, `\\"`))
    }).pipe(Effect.provideService(Greeting, { word: "Hello" }))
  )

  it.effect.each([
    { what: "a text", ends: Effect.succeed("x"), is: text("x") },
    { what: "nothing", ends: Effect.void, is: text("done") },
    { what: "null", ends: Effect.succeed(null), is: text("null") },
    { what: "a list", ends: Effect.succeed([1]), is: text("[1]") },
    { what: "what is not JSON", ends: Effect.succeed(1n), is: Tool.failed("the result is not JSON") },
    { what: "an error", ends: new NoSuchOwner({ message: "no such owner" }), is: Tool.failed("no such owner") },
    { what: "a text for an error", ends: Effect.fail("no"), is: Tool.failed("no") },
    { what: "data for an error", ends: Effect.fail({ code: 1 }), is: Tool.failed(`{"code":1}`) }
  ])("may end with $what", ({ ends, is }) =>
    Effect.gen(function* () {
      const source = yield* EffectTools.make({ name: "own", tools: [ending<unknown>(ends)] })

      assert.deepStrictEqual(yield* call(source, 0, {}), is)
    })
  )

  it.effect("fail if they interrupt themselves, which is not the caller's interruption", () =>
    Effect.gen(function* () {
      const source = yield* EffectTools.make({ name: "own", tools: [ending(Effect.interrupt)] })

      const { message } = yield* Effect.flip(call(source, 0, {}))

      assert.strictEqual(message, "the tool has broken off")
    })
  )

  it.effect("are interrupted with the call", () =>
    Effect.gen(function* () {
      let interrupted = 0
      const hang = Effect.onInterrupt(Effect.never, () => Effect.sync(() => void interrupted++))
      const source = yield* EffectTools.make({ name: "own", tools: [ending(hang)] })
      const fiber = yield* Effect.forkChild(call(source, 0, {}), { startImmediately: true })

      yield* Fiber.interrupt(fiber)

      assert.strictEqual(interrupted, 1)
    })
  )
})
