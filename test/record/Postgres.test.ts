/** The conformance suite on Postgres, where there is one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Conformance from "./Conformance.ts"
import * as TestDatabase from "./TestDatabase.ts"

describe.skipIf(TestDatabase.postgresUrl === undefined)("Postgres", () => {
  Conformance.suite(TestDatabase.postgres)
  Conformance.storing(TestDatabase.postgres)
})

describe("AIBRIDGE_TEST_POSTGRES_URL", () => {
  it.effect.skipIf(TestDatabase.postgresUrl === undefined)(
    "names a Postgres; without it nothing is tested on Postgres, and this test is skipped",
    () =>
      Effect.gen(function* () {
        const place = yield* TestDatabase.postgresPlace

        const rows = yield* TestDatabase.inDatabase(place, (sql) => sql`SELECT 1 AS one`)

        assert.deepStrictEqual(rows, [{ one: 1 }])
      })
  )
})
