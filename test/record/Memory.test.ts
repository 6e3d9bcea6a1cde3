/** The conformance suite in memory. */
import { describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as MemoryInterceptions from "../../src/record/MemoryInterceptions.ts"
import * as Conformance from "./Conformance.ts"

describe("Memory", () => {
  Conformance.suite(
    Effect.sync(() => {
      const layer = MemoryInterceptions.layer([])
      return () => layer
    })
  )
})
