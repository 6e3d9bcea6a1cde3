/** The bounded queue: what is being written stays in it. */
import { assert, describe, it } from "@effect/vitest"
import * as EventQueue from "../../src/record/EventQueue.ts"
import { ended, prompt, started } from "./Events.ts"

describe("EventQueue", () => {
  it("displaces nothing that is held, and does once it is let go", () => {
    const queue = EventQueue.make({ capacity: 2, textCapacity: 100 })
    queue.offer(started("i1"))
    queue.offer(prompt("i1", "x"))

    const held = queue.hold(2)
    const whileHeld = queue.offer(ended("i1"))
    queue.letGo()
    const afterwards = queue.offer(ended("i1"))

    assert.deepStrictEqual(held, [started("i1"), prompt("i1", "x")])
    assert.deepStrictEqual([whileHeld, afterwards], ["refused", "displaced"])
    assert.deepStrictEqual(queue.hold(2), [started("i1"), ended("i1")])
  })

  it("has room again for what was removed, text included", () => {
    const queue = EventQueue.make({ capacity: 2, textCapacity: 4 })
    queue.offer(prompt("i1", "1234"))

    const before = queue.offer(prompt("i1", "5"))
    queue.hold(200)
    queue.remove()

    assert.strictEqual(before, "refused")
    assert.strictEqual(queue.size(), 0)
    assert.strictEqual(queue.offer(prompt("i1", "5678")), "taken")
  })

  it("holds no more than a batch's worth of text, but one event at least", () => {
    const queue = EventQueue.make({ capacity: 10, textCapacity: 1 << 30 })
    const long = prompt("i1", "x".repeat(3 << 20))
    const longer = prompt("i1", "x".repeat(5 << 20))
    for (const event of [longer, long, long]) queue.offer(event)

    const sizes = [queue.hold(200).length]
    queue.remove()
    sizes.push(queue.hold(200).length)

    assert.deepStrictEqual(sizes, [1, 1])
  })
})
