import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Backlog from "../../../src/upstream/dump/Backlog.ts"

const half = new Uint8Array(Backlog.maximumOfOne / 2)
const byte = new Uint8Array(1)

describe("What waits for the disk", () => {
  it.effect("is as much as may wait, and no more", () =>
    Effect.gen(function* () {
      const total = { waiting: 0 }
      const backlog = yield* Backlog.make(total)

      backlog.bytes(half)
      backlog.bytes(half)
      assert.isFalse(backlog.isCut)
      assert.strictEqual(total.waiting, Backlog.maximumOfOne)
      backlog.bytes(byte)
      backlog.bytes(byte)

      const parts = yield* backlog.take
      assert.isTrue(backlog.isCut)
      assert.deepStrictEqual(parts.slice(0, 2), [half, half])
      assert.include(String(parts[2] instanceof Uint8Array && Buffer.from(parts[2])), "the dump ends here")
      assert.lengthOf(parts, 3)
    })
  )

  it.effect("makes room when it is written, for as long as that goes on", () =>
    Effect.gen(function* () {
      const total = { waiting: 0 }
      const backlog = yield* Backlog.make(total)

      for (let turn = 0; turn < 20; turn++) {
        backlog.bytes(half)
        backlog.bytes(half)
        backlog.written(yield* backlog.take)
      }

      assert.isFalse(backlog.isCut)
      assert.strictEqual(total.waiting, 0)
    })
  )

  it.effect("is limited for all together, too", () =>
    Effect.gen(function* () {
      const total = { waiting: 0 }
      const several = yield* Effect.all(Array.from({ length: 9 }, () => Backlog.make(total)))
      for (const backlog of several) {
        backlog.bytes(half)
        backlog.bytes(half)
      }

      const cut = several.map(({ isCut }) => isCut)
      assert.deepStrictEqual(cut, [...Array.from({ length: 8 }, () => false), true])
    })
  )

  it.effect("is forgotten when nobody writes it any more, and what comes later with it", () =>
    Effect.gen(function* () {
      const total = { waiting: 0 }
      const backlog = yield* Backlog.make(total)
      backlog.bytes(half)

      yield* backlog.close
      backlog.bytes(half)

      assert.strictEqual(total.waiting, 0)
    })
  )

  it.effect("ends once", () =>
    Effect.gen(function* () {
      const backlog = yield* Backlog.make({ waiting: 0 })
      backlog.bytes(byte)

      backlog.end()
      backlog.end()
      backlog.bytes(byte)

      assert.deepStrictEqual([yield* backlog.take, yield* backlog.take], [[byte], []])
    })
  )
})
