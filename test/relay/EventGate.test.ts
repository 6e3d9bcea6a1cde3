import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as EventGate from "../../src/relay/EventGate.ts"
import * as OpenAiChatStream from "../fixtures/OpenAiChatStream.ts"
import * as Endings from "./Endings.ts"
import * as Splits from "../Splits.ts"
import * as TestGate from "./TestGate.ts"
import * as TestRelay from "./TestRelay.ts"

const { usage, done, unasked } = OpenAiChatStream
const text = unasked.delta("Grüße, 世界 👋")
const half = text.slice(0, -3)
const cumulative = usage.replace(`"choices":[]`, `"choices":[{"index":0}]`)

describe("A pull of a chat whose usage nobody asked for", () => {
  it("passes in the pieces in which it came, if there is nothing to take out", () => {
    assert.deepStrictEqual(TestGate.pulls([[text + text, text], [text]]), [[text + text, text], [text]])
  })

  it("passes in these pieces although there is usage on every event", () => {
    const all = cumulative.repeat(3)

    assert.deepStrictEqual(TestGate.pulls([[all, cumulative], [all]]), [[all, cumulative], [all]])
  })

  it("is two pieces around the event that is taken out", () => {
    assert.deepStrictEqual(TestGate.pulls([[text + text + usage + cumulative + done]]), [
      [text + text, cumulative + done]
    ])
  })

  it("has no piece where nothing remains", () => {
    assert.deepStrictEqual(TestGate.pulls([[usage], [usage + usage, usage], [done]]), [[], [], [done]])
  })

  it("has several chunks, with the event across their edges", () => {
    const pull = [text + usage.slice(0, 9), usage.slice(9, 90), usage.slice(90) + text, done]

    assert.deepStrictEqual(TestGate.pulls([pull]), [[text, text, done]])
  })

  it("joins what was held before to the rest of its event, and to nothing else", () => {
    assert.deepStrictEqual(TestGate.pulls([[half], [text.slice(-3) + usage + half]]), [[], [text]])
  })
})

describe("The bytes that a gate holds back", () => {
  it("are those of an incomplete event, after an event that is taken out as after any other", () => {
    for (const before of [text, usage, text + usage, usage + text]) {
      const gate = TestGate.make()

      gate.pass([Splits.bytes(before + half)])

      assert.isTrue(gate.betweenEvents)
      assert.strictEqual(Splits.text(Splits.concat(gate.takeHeld())), half)
      assert.deepStrictEqual(gate.takeHeld(), [])
    }
  })

  it("are none after a complete event, whether it was taken out or not", () => {
    for (const whole of [text, usage]) {
      const gate = TestGate.make()

      gate.pass([Splits.bytes(whole)])

      assert.isTrue(gate.betweenEvents)
      assert.deepStrictEqual(gate.takeHeld(), [])
    }
  })

  it.each([
    { bytes: EventGate.heldBytes, isHeld: true },
    { bytes: EventGate.heldBytes + 1, isHeld: false }
  ])("are $bytes at most: $isHeld", ({ bytes, isHeld }) => {
    const gate = TestGate.make()
    const part = Splits.bytes(unasked.delta("x".repeat(2 * bytes))).subarray(0, bytes)

    const pieces = gate.pass(Splits.inPieces(part, 10_000))

    assert.strictEqual(gate.betweenEvents, isHeld)
    assert.strictEqual(Splits.concat(pieces).length, isHeld ? 0 : bytes)
    assert.strictEqual(Splits.concat(gate.takeHeld()).length, isHeld ? bytes : 0)
  })
})

describe("An event over 64 KiB of a chat whose usage nobody asked for", () => {
  const large = unasked.delta(`prompt_tokens ${"x".repeat(2 * EventGate.heldBytes)}`)

  it("passes, and the usage beside it is taken out", () => {
    const whole = Splits.bytes(usage + large + usage + large + text + usage + done)
    for (let seed = 0; seed < 60; seed++) {
      const chunks = Splits.splitRandomly(whole, seed, 100 + 3_000 * seed)
      for (const together of [true, false]) {
        const passed = TestGate.passed(chunks, together)
        assert.isTrue(passed === large + large + text + done, `seed ${seed}, together: ${together}`)
      }
    }
  })

  it("passes with a rest that looks like the usage, and the usage right after it is taken out", () => {
    const [begun, rest] = [`data: {"x":"${"x".repeat(EventGate.heldBytes)}"}\n`, usage]

    assert.deepStrictEqual(TestGate.pulls([[begun], [rest + usage + done]]), [[begun], [rest, done]])
  })

  it("passes even if it is the usage, once the client has seen its beginning", () => {
    const whole = usage.replace("data: ", `data: ${" ".repeat(EventGate.heldBytes)}`)

    assert.strictEqual(TestGate.passed([Splits.bytes(whole)], true), "")
    assert.strictEqual(TestGate.passed(Splits.splitAt(Splits.bytes(whole), [EventGate.heldBytes + 9]), false), whole)
  })
})

describe.each(Endings.all)("A chat whose usage nobody asked for, when it $ending", ({ failure, message }) => {
  const error = unasked.errorEvent(message)

  it.effect.each(Splits.lineEnds)("right after that event or within it, shows nothing of it ($lineEnd)", ({ eol }) =>
    Effect.gen(function* () {
      const [seen, hidden] = [text.replaceAll("\n", eol), usage.replaceAll("\n", eol)]
      for (let length = 0; length <= hidden.length; length++) {
        const part = Splits.bytes(seen + hidden.slice(0, length))
        for (const chunks of [[part], Splits.inPieces(part, 50)]) {
          const relayed = yield* TestRelay.run(unasked, chunks, { failure })
          assert.strictEqual(Splits.text(relayed.bytes), seen + error, `after ${length}`)
          assert.deepStrictEqual(relayed.ends, [message])
        }
      }
    })
  )

  it.effect("after nothing but that event and the end, is complete", () =>
    Effect.gen(function* () {
      for (const chunks of [[usage + done], [usage, done], [...(usage + done)]]) {
        const relayed = yield* TestRelay.run(unasked, chunks.map(Splits.bytes), { failure })
        assert.strictEqual(Splits.text(relayed.bytes), done)
        assert.deepStrictEqual(relayed.ends, ["complete"])
      }
    })
  )
})
