import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ServiceConfig from "../../src/service/ServiceConfig.ts"

const noTools = "tools come from the servers of mcpServers"
const switchedOff = "is false: to switch the gateway off, do not start it"
const noFlag = "must be true or false"
const noTime = "must be a number (at most 99999) with a unit: 30s, 5m, 2h or 1d"

interface Row {
  readonly name: string
  readonly inFile: string
  readonly text: string
  readonly warning?: string
  readonly problem?: string
}

const rows: ReadonlyArray<Row> = [
  { name: "ENABLED", inFile: "enabled", text: "true" },
  { name: "ENABLED", inFile: "enabled", text: "false", problem: switchedOff },
  { name: "ENABLED", inFile: "enabled", text: "yes", problem: noFlag },
  { name: "INJECT_CODER_MCP_TOOLS", inFile: "injectCoderMcpTools", text: "true", warning: noTools },
  { name: "INJECT_CODER_MCP_TOOLS", inFile: "injectCoderMcpTools", text: "false" },
  { name: "INJECT_CODER_MCP_TOOLS", inFile: "injectCoderMcpTools", text: "1", problem: noFlag },
  { name: "RETENTION", inFile: "retention", text: "60d" },
  { name: "RETENTION", inFile: "retention", text: "1440h0m0s" },
  { name: "RETENTION", inFile: "retention", text: "0s" },
  { name: "RETENTION", inFile: "retention", text: "60", problem: noTime }
]

const readFile = () => Result.fail("ENOENT")

interface Said {
  readonly problems: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
}

/** What is said about these settings. */
const said = (options: Parameters<typeof ServiceConfig.load>[0]) =>
  ServiceConfig.load(options).pipe(
    Effect.match({
      onFailure: ({ problems }): Said => ({ problems, warnings: [] }),
      onSuccess: ({ warnings }): Said => ({ problems: [], warnings })
    })
  )

const expected = ({ problem, warning }: Row, shown: string): Said => ({
  problems: problem === undefined ? [] : [`${shown}: ${problem}`],
  warnings: warning === undefined ? [] : [`ignoring ${shown}: ${warning}`]
})

describe("An option of the reference system that is not offered", () => {
  it.effect.each(rows)("is known and gets its word: $name=$text", (row) =>
    Effect.gen(function* () {
      for (const name of [`AIBRIDGE_${row.name}`, `CODER_AIBRIDGE_${row.name}`]) {
        assert.deepStrictEqual(yield* said({ environment: { [name]: row.text }, readFile }), expected(row, name))
      }
      const file = { file: "a.yaml", readFile: () => Result.succeed(`${row.inFile}: "${row.text}"`) }
      assert.deepStrictEqual(yield* said({ environment: {}, ...file }), expected(row, `a.yaml: ${row.inFile}`))
    })
  )

  it.effect("may be a flag of the file", () =>
    Effect.gen(function* () {
      const file = { file: "a.yaml", readFile: () => Result.succeed("enabled: true\ninjectCoderMcpTools: false") }

      assert.deepStrictEqual(yield* said({ environment: {}, ...file }), { problems: [], warnings: [] })
    })
  )
})
