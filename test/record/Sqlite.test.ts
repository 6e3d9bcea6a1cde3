/** The conformance suite on SQLite. */
import { describe } from "@effect/vitest"
import * as Conformance from "./Conformance.ts"
import * as TestDatabase from "./TestDatabase.ts"

describe("SQLite", () => {
  Conformance.suite(TestDatabase.sqlite)
  Conformance.storing(TestDatabase.sqlite)
})
